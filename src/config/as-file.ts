import type { Config, UrlPattern } from "./config.ts";

/** The sections of a configuration as a file has them. */
export function asFile({ storage, auth: { own, ...auth }, ...rest }: Config): Readonly<Record<string, unknown>> {
  const { driver, ...others } = storage;
  const { version, log, ...behind } = rest;
  const access = own ? { [own.name]: own.parameters } : auth;
  return { version, log, storage: { [driver.name]: driver.parameters, ...others }, auth: access, ...behind };
}

export function isPattern(value: unknown): value is UrlPattern {
  return typeof value === "object" && value !== null && "source" in value && "test" in value;
}
