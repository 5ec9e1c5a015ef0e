import { registerHooks } from "node:module";
import { extname } from "node:path";

/** Of our own modules: `.ts` where the sources run, `.js` where they were compiled. */
const EXTENSION = extname(import.meta.filename);
const FORMAT = EXTENSION === ".ts" ? "module-typescript" : "module";

/**
 * Has each import of a file beside the importing one taken at its word: `./blobs.ts` is that file. Node looks for every import again
 * whether it exists, and once what it is a link to and which `package.json` holds for it. "start to first answer" of `npm run
 * bench` takes 345 ms instead of 392 with this, of some 270 files (least of 13 starts each).
 *
 * So one that is missing fails when it is read, and hooks that were registered before (`--import`) are not asked about these.
 *
 * @param root URL of the folder whose files this holds for, down to the lowest; nobody else's modules may lie there
 */
export function takeImportsAtTheirWord(root: string): void {
  registerHooks({
    resolve(specifier, context, next) {
      const { parentURL } = context;
      const isNear = specifier.startsWith(".") && specifier.endsWith(EXTENSION) && parentURL?.startsWith(root);
      if (!isNear) return next(specifier, context);
      return { url: new URL(specifier, parentURL).href, format: FORMAT, shortCircuit: true };
    },
  });
}
