import type { LoadedConfig } from "../config/load.ts";
import { tracing } from "../config/process.ts";
import { openInstruments } from "../instruments.ts";
import { greet, inheritedSocket, invite } from "./greeting.ts";
import type { HangUps } from "./hang-ups.ts";
import { listen, listenForDebugging } from "./listen.ts";
import { type LoadFlags, load } from "./load.ts";
import type { Logging } from "./logging.ts";
import type { NewWarnings } from "./new-warnings.ts";
import { orFail, serveUntil, signalled } from "./serving.ts";

/** What a registry starts with. */
export interface Start {
  readonly loaded: LoadedConfig;
  readonly logging: Logging;
  readonly told: NewWarnings;
  readonly path: string | undefined;
  readonly flags: LoadFlags;
  readonly version: string;
  readonly hangUps: HangUps;
}

/**
 * Serves in this process until a signal comes.
 * @returns the exit code
 * @throws {Failure} for what keeps it from starting
 */
export async function serveAlone({ loaded, logging, told, path, flags, version, hangUps }: Start): Promise<number> {
  const { config, source, locate } = loaded;
  const { log } = logging;
  await using instruments = await orFail(openInstruments(config, { ...logging, version, tracing }), locate);
  return await serveUntil(signalled, {
    ...{ loaded, log, instruments, isStart: true },
    async listen({ server }, location) {
      if (instruments.debug) await listenForDebugging(instruments.debug, config.http.debug.addr, log);
      const inherited = inheritedSocket();
      const address = await listen(server, config.http, inherited);
      log.info(`listening on ${inherited === undefined ? address : "the socket that systemd passed"}`);
      greet(log, location, source);
      if (!config.storage.maintenance.readonly.enabled) invite(log, address);
    },
    heed({ renew, changing }) {
      hangUps.heed(async () => {
        const { reload } = await import("./reload.ts");
        await reload({ renew, changing, load: () => load(path, flags), told, logging });
      });
    },
    ignore: () => hangUps.ignore(),
  });
}
