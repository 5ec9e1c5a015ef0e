import { randomUUID } from "node:crypto";
import { availableParallelism } from "node:os";
import { sizeThreadPool, tracing } from "../config/process.ts";
import { numberOfWorkers } from "../config/worker-rules.ts";
import { openInstruments } from "../instruments.ts";
import { greet, inheritedSocket, invite } from "./greeting.ts";
import type { HangUps } from "./hang-ups.ts";
import { listen, listenForDebugging } from "./listen.ts";
import { type LoadFlags, load, loadRead, readFile } from "./load.ts";
import { openLogging } from "./logging.ts";
import { NewWarnings } from "./new-warnings.ts";
import { reload } from "./reload.ts";
import { orFail, serveUntil, signalled } from "./serving.ts";

/**
 * Serves until a signal comes, in this process or in several that it supervises.
 * @param hangUps asks for the configuration to be read again
 * @returns the exit code
 * @throws {Failure} for what keeps it from starting
 */
export async function serve(
  path: string | undefined,
  flags: LoadFlags,
  version: string,
  hangUps: HangUps,
): Promise<number> {
  const file = readFile(path, flags);
  const loaded = loadRead(file, path, flags);
  const { config, warnings, source, locate } = loaded;
  const { maxthreads } = config.storage.driver.parameters;
  if (typeof maxthreads === "number") sizeThreadPool(maxthreads);
  const instance = randomUUID();
  await using logging = await openLogging(config.log, version, instance);
  const { log } = logging;
  const told = new NewWarnings(log);
  told.tell(warnings);
  const size = numberOfWorkers(config, availableParallelism());
  if (size > 1) {
    const { supervise } = await import("./supervise.ts");
    return await supervise({ size, file, loaded, logging, told, path, flags, version, instance, hangUps });
  }
  await using instruments = await orFail(openInstruments(config, { ...logging, version, tracing }), locate);
  return await serveUntil(signalled, {
    loaded,
    log,
    instruments,
    isStart: true,
    async listen({ server }, location) {
      if (instruments.debug) await listenForDebugging(instruments.debug, config.http.debug.addr, log);
      const inherited = inheritedSocket();
      const address = await listen(server, config.http, inherited);
      log.info(`listening on ${inherited === undefined ? address : "the socket that systemd passed"}`);
      greet(log, location, source);
      if (!config.storage.maintenance.readonly.enabled) invite(log, address);
    },
    heed({ renew, changing }) {
      hangUps.heed(() => reload({ renew, changing, load: () => load(path, flags), told, logging }));
    },
    ignore: () => hangUps.ignore(),
  });
}
