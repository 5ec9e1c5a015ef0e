/** The registry's API inside a program's own HTTP server, beside its own pages. */
import { createServer } from "node:http";
import { createHandler, openFilesystem, openRegistry } from "wharfinger";

const folder = process.argv[2] ?? "./data";
await using registry = openRegistry({ driver: await openFilesystem({ rootdirectory: folder }), deletion: true });
await using api = await createHandler(registry);

const server = createServer((request, response) => {
  if (request.url?.startsWith("/v2")) return api(request, response);
  response.end("This program has a registry under /v2/.\n");
});
server.listen(Number(process.argv[3] ?? 8080), () => {
  const address = server.address();
  console.log(`listening on ${typeof address === "object" ? address?.port : address}`);
});
await new Promise((resolve) => process.once("SIGTERM", resolve));
server.close();
