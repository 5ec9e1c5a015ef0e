/** A configuration that cannot be used. The message is one sentence for the operator and holds no secret. */
export class ConfigError extends Error {
  override readonly name: string = "ConfigError";

  /** @param where `file:line`, the variable, or whatever else tells the operator where to look */
  constructor(where: string, sentence: string, options?: ErrorOptions) {
    super(`${where}: ${sentence}`.replaceAll(/\p{Cc}+/gu, " "), options);
  }
}
