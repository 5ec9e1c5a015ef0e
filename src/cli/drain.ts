import type { HttpServer } from "../http/http-server.ts";
import { closeAll, closeIdle } from "../http/turn.ts";
import type { Log } from "../telemetry/log.ts";

/** How often connections that have become idle are looked for. ms */
const LOOK = 50;

/**
 * Accepts no more connections and lets requests in flight finish.
 * @param patience ms
 * @returns the exit code: 1 where requests had to be cut off
 */
export async function drain(server: HttpServer, patience: number, log: Log): Promise<number> {
  let code = 0;
  const cut = (): void => {
    if (patience > 0) {
      code = 1;
      log.error(`requests still ran after ${patience} ms and were cut off; uploads among them can be resumed`);
    }
    closeAll(server.server);
  };
  const looking = setInterval(() => closeIdle(server.server), LOOK);
  const timer = setTimeout(cut, patience);
  await server.close();
  clearInterval(looking);
  clearTimeout(timer);
  return code;
}
