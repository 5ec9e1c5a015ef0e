import type { Log } from "../telemetry/log.ts";

/** Has each warning of a configuration in the log once, and again only where it was gone meanwhile. */
export class NewWarnings {
  readonly #log: Log;
  #said: ReadonlySet<string> = new Set();

  constructor(log: Log) {
    this.#log = log;
  }

  /** @param warnings all those of the configuration that was read last */
  tell(warnings: readonly string[]): void {
    for (const warning of warnings) if (!this.#said.has(withoutLine(warning))) this.#log.warn(warning);
    this.#said = new Set(warnings.map(withoutLine));
  }
}

/** A line that was put in above makes nothing new of it. */
function withoutLine(warning: string): string {
  return warning.replace(/:\d+: /, ": ");
}
