/** Modules of the operator's own, which a configuration names as `import` would. */
import { statSync } from "node:fs";
import { registerHooks } from "node:module";
import { extname } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { ConfigError } from "./config/config-error.ts";

export interface NamedModule {
  readonly exports: Readonly<Record<string, unknown>>;

  /** An error that names the module. */
  error(sentence: string, cause?: unknown): ConfigError;
}

/**
 * @param specifier a path, a `file:` URL or a package, with a file in it or without
 * @param folder where relative paths begin, and from where packages are looked for
 * @throws {ConfigError}
 */
export async function importNamed(specifier: string, folder: string): Promise<NamedModule> {
  const error = (sentence: string, cause?: unknown): ConfigError =>
    new ConfigError(`module ${specifier}`, sentence, { cause });
  const url = locate(specifier, folder, error);
  lendLibrary();
  try {
    return { exports: await import(url), error };
  } catch (cause) {
    throw error(`cannot be loaded: ${reasonOf(cause)}`, cause);
  }
}

export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function locate(specifier: string, folder: string, error: NamedModule["error"]): string {
  try {
    const url = resolveFrom(pathToFileURL(`${folder}/`).href, specifier);
    if (statSync(fileURLToPath(url), { throwIfNoEntry: false })?.isFile()) return url;
  } catch (cause) {
    if (codeOf(cause) !== "ERR_MODULE_NOT_FOUND") throw error(`cannot be found: ${reasonOf(cause)}`, cause);
  }
  throw error(`cannot be found from ${folder}`);
}

/** As an import of a module in the folder. Node itself resolves from elsewhere only behind a flag. */
function resolveFrom(parentURL: string, specifier: string): string {
  const hook = registerHooks({ resolve: (name, context, next) => next(name, { ...context, parentURL }) });
  try {
    return import.meta.resolve(specifier);
  } finally {
    hook.deregister();
  }
}

const LIBRARY = new URL(`./index${extname(import.meta.filename)}`, import.meta.url).href;

let lent = false;

/**
 * From now on an import of `wharfinger` is this program, wherever the importing module lies and whatever is installed
 * there: errors are told apart by their classes, and a second copy of the package would have classes of its own.
 */
function lendLibrary(): void {
  if (lent) return;
  lent = true;
  const library = { url: LIBRARY, shortCircuit: true };
  registerHooks({ resolve: (name, context, next) => (name === "wharfinger" ? library : next(name, context)) });
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : undefined;
}
