/** The configuration where there is no file. */
export const BUILT_IN: { readonly name: string; readonly text: string } = {
  name: "built-in configuration",
  text: "{version: 0.1, storage: {filesystem: {rootdirectory: ./data}}, http: {addr: ':5000'}}",
};
