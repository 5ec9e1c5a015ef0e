import type { Finding } from "./finding.ts";
import { withoutSecrets } from "./without-secrets.ts";

export interface ConfigErrorOptions extends ErrorOptions {
  readonly others?: number;
}

/** A configuration that cannot be used. The message is one sentence for the operator and holds no secret. */
export class ConfigError extends Error {
  override readonly name: string = "ConfigError";
  readonly finding: Finding;
  /** How many more errors the configuration is known to have. */
  readonly others: number;

  /** @param where `file:line`, the variable, or whatever else tells the operator where to look */
  constructor(where: string, said: string, { others = 0, ...options }: ConfigErrorOptions = {}) {
    const sentence = withoutSecrets(said);
    super(`${where}: ${sentence}`.replaceAll(/\p{Cc}+/gu, " "), options);
    this.finding = { about: `${where} ${sentence}`, where, sentence, fatal: true };
    this.others = others;
  }
}
