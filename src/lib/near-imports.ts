import { registerHooks } from "node:module";

/**
 * Has each import of a file beside the importing one taken at its word: `./blobs.ts` is that file. Node looks whether it exists,
 * what it is a link to and what each `package.json` above it says, for every import again. "start to first answer" of `npm run bench` takes
 * 345 ms instead of 392 with this, of some 270 files (least of 13 starts each).
 *
 * @param root URL of the folder whose files this holds for; they are modules all, with their extension in every import
 */
export function takeImportsAtTheirWord(root: string): void {
  registerHooks({
    resolve(specifier, context, next) {
      const { parentURL } = context;
      if (!specifier.startsWith(".") || !parentURL?.startsWith(root)) return next(specifier, context);
      const { href: url } = new URL(specifier, parentURL);
      return { url, format: url.endsWith(".ts") ? "module-typescript" : "module", shortCircuit: true };
    },
  });
}
