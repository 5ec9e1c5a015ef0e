/**
 * node:http without an `import`, which would read all its exports, WebSocket among them, for which the runtime loads its
 * whole other client: 48 ms of every start and 6 MiB ("start to first answer" of `npm run bench`).
 */
export const http: typeof import("node:http") = process.getBuiltinModule("node:http");
