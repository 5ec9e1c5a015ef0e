import { writeFile } from "node:fs/promises";
import { freePort } from "./free-port.ts";
import { ServerProcess } from "./server-process.ts";
import { temporaryFolder } from "./temporary-folder.ts";

/** Debian's nginx before several registries. Disposal stops it. */
export interface Nginx extends AsyncDisposable {
  readonly port: number;
  /** `127.0.0.1:port`, as image names begin. */
  readonly host: string;
  readonly url: string;
}

/** Says which registry answered; all that were tried, where the first one did not. */
export const ANSWERED_BY = "X-Answered-By";

/** @param ports of the registries on this machine, which get requests in turn */
export async function startNginx(ports: readonly number[]): Promise<Nginx> {
  await using stack = new AsyncDisposableStack();
  const folder = stack.use(await temporaryFolder("nginx"));
  const port = await freePort();
  await writeFile(folder.join("nginx.conf"), configuration(port, ports, folder.path));
  const server = stack.use(new ServerProcess("nginx", ["-p", folder.path, "-e", "stderr", "-c", "nginx.conf"]));
  await server.says(/using the "\w+" event method/);
  const owned = stack.move();
  const host = `127.0.0.1:${port}`;
  return { port, host, url: `http://${host}`, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

/**
 * As operators have it: bodies of any length pass as they come, and a request goes on to the next registry where the first
 * one cannot be reached, or breaks off before it answers a request that may be repeated (a `POST` and a `PATCH` may not).
 * With `max_fails=0` a registry that is back gets requests at once, which leaves the tests less to wait for.
 */
function configuration(port: number, ports: readonly number[], folder: string): string {
  const scratch = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
  return `
daemon off;
master_process off;
pid ${folder}/pid;
error_log stderr notice;
events {}
http {
  access_log off;
  ${scratch.map((name) => `${name}_temp_path ${folder}/${name};`).join("\n  ")}
  upstream registries {
    ${ports.map((each) => `server 127.0.0.1:${each} max_fails=0;`).join("\n    ")}
  }
  server {
    listen 127.0.0.1:${port};
    client_max_body_size 0;
    location /v2/ {
      proxy_pass http://registries;
      proxy_http_version 1.1;
      proxy_request_buffering off;
      proxy_next_upstream error;
      proxy_read_timeout 900s;
      proxy_set_header Host $http_host;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
      proxy_set_header X-Forwarded-Proto $scheme;
      add_header ${ANSWERED_BY} $upstream_addr always;
    }
  }
}
`;
}
