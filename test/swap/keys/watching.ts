import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Effect, Group } from "./effect.ts";
import { FAILURES, type TakenEvent } from "./outside.ts";
import type { Place } from "./place.ts";
import type { Seen } from "./seen.ts";

const BLOB = "application/octet-stream";
const MANIFEST = "application/vnd.docker.distribution.manifest.v2+json";
/** A check of ours that takes longer has failed, as on a busy machine; so what is asked of the registry is asked again. */
const OFTEN = { interval: "250ms" };
/** So many failures that nobody becomes unhealthy by them. */
const PATIENT = { ...OFTEN, threshold: 1_000_000 };

/** Who is told what, who is asked how they are, and what of the registry itself can be asked. */
export function watchingGroup(place: Place): Group {
  const down = join(place.folder, "down");
  return {
    name: "who is told, and who is asked how they are",
    base: { http: { draintimeout: "1s" } },
    work: async (r) => {
      await r.pushAndPull();
      await r.until(async () => (await r.statusOf("/v2/none/manifests/none")) === 404); // an error in the log
      await r.until(
        () =>
          taken(r, "/all").length === 4 &&
          taken(r, "/ignores").length === 1 &&
          taken(r, "/ignored").length === 2 &&
          r.outside.asked("/hangs").length > 1 &&
          r.outside.asked("/hangs-too").length > 1 &&
          r.outside.asked("/no-content").length > 1 &&
          r.outside.connections() > 1 &&
          r.outside.mails.length > 0,
      );
    },
    effects: [
      { key: "auth.silly.realm", value: "r", seen: (r) => r.challenge(), expected: CHALLENGE },
      { key: "auth.silly.service", value: "s", seen: (r) => r.challenge(), expected: CHALLENGE },
      {
        key: "http.debug.addr",
        value: `127.0.0.1:${place.debug}`,
        seen: () => statusAt(place.debug, "/debug/health"),
        expected: 200,
      },
      { key: "http.debug.prometheus.enabled", value: true, seen: () => statusAt(place.debug, "/m"), expected: 200 },
      { key: "http.debug.prometheus.path", value: "/m", seen: () => statusAt(place.debug, "/m"), expected: 200 },
      ...logHooks(place),
      ...notifications(place),
      ...health(place),
      ...[".file", ".interval"].map((end) => ({
        key: `health.file[]${end}`,
        value: [{ file: down, ...OFTEN }],
        seen: (r: Seen) =>
          r.statusWhile(
            () => writeFile(down, ""),
            () => rm(down),
          ),
        expected: [503, 200],
      })),
      ...["enabled", "interval"].map((end) => ({
        key: `health.storagedriver.${end}`,
        value: { enabled: true, ...OFTEN }[end],
        seen: (r: Seen) => r.looksAtStorage(place.debug),
        expected: true,
      })),
    ],
  };
}

const CHALLENGE = 'Bearer realm="r",service="s"';

async function statusAt(port: number, path: string): Promise<number> {
  return (await fetch(`http://127.0.0.1:${port}${path}`)).status;
}

function taken(r: Seen, path: string): readonly TakenEvent[] {
  return r.outside.asked(path).flatMap(({ events }) => events);
}

function logHooks({ outside }: Place): readonly Effect[] {
  const smtp = { addr: outside.smtp, username: "me", password: "secret", insecure: true };
  const options = { smtp, from: "registry@example.com", to: ["ops@example.com"] };
  const value = [
    { type: "mail", levels: ["error"], options },
    { type: "mail", disabled: true, levels: ["error"], options: { ...options, to: ["nobody@example.com"] } },
  ];
  const hook = (end: string, seen: Effect["seen"], expected: unknown): Effect => ({
    ...{ key: `log.hooks[].${end}`, value, seen, expected },
  });
  const first = (r: Seen): Seen["outside"]["mails"][number] | undefined => r.outside.mails[0];
  const recipients = (r: Seen): readonly string[] => [...new Set(r.outside.mails.flatMap(({ to }) => to))];
  return [
    hook("type", (r) => r.outside.mails.length > 0, true),
    hook("disabled", recipients, options.to),
    hook("levels[]", (r) => [...new Set(r.outside.mails.map(({ text }) => /\[(\w+)\]/.exec(text)?.[1]))], ["error"]),
    hook("options.smtp.addr", (r) => r.outside.mails.length > 0, true),
    hook("options.smtp.username", (r) => r.outside.logins[0], "\0me\0secret"),
    hook("options.smtp.password", (r) => r.outside.logins[0], "\0me\0secret"),
    hook("options.from", (r) => first(r)?.from, options.from),
    hook("options.to[]", (r) => first(r)?.to, options.to),
  ];
}

/** Of a push of two blobs and a manifest, and a pull. */
function notifications({ outside: { url }, debug }: Place): readonly Effect[] {
  const value = [
    { name: "all", url: `${url}/all`, headers: { "X-Key": ["a"] } },
    { name: "off", url: `${url}/off`, disabled: true },
    { name: "refuses", url: `${url}/refuses`, threshold: 3, backoff: "1h" },
    { name: "recovers", url: `${url}/recovers`, threshold: 1, backoff: "1ms" },
    { name: "hangs", url: `${url}/hangs`, timeout: "50ms" },
    { name: "ignores", url: `${url}/ignores`, ignore: { mediatypes: [BLOB], actions: ["pull"] } },
    { name: "ignored", url: `${url}/ignored`, ignoredmediatypes: [BLOB] },
  ];
  const endpoint = (end: string, seen: Effect["seen"], expected: unknown): Effect => ({
    ...{ key: `notifications.endpoints[].${end}`, value, seen, expected },
  });
  const actions = (r: Seen, path: string): readonly string[] => taken(r, path).map(({ action }) => action);
  const types = (r: Seen, path: string): readonly string[] => taken(r, path).map(({ target }) => target.mediaType);
  return [
    {
      key: "notifications.events.includereferences",
      value: true,
      seen: (r) => taken(r, "/all").some(({ target }) => target.references?.length),
      expected: true,
    },
    endpoint("name", (r) => r.showsEndpoint("all", debug), true),
    endpoint("url", (r) => actions(r, "/all"), ["push", "push", "push", "pull"]),
    endpoint("headers.*[]", (r) => r.outside.asked("/all")[0]?.headers["x-key"], "a"),
    endpoint("disabled", (r) => [taken(r, "/all").length, r.outside.asked("/off").length], [4, 0]),
    endpoint("timeout", (r) => r.outside.asked("/hangs").length > 1, true),
    { ...endpoint("threshold", (r) => r.outside.asked("/refuses").length, 3), atEnd: true },
    endpoint("backoff", (r) => r.until(() => r.outside.asked("/recovers").length > FAILURES), true),
    endpoint("ignore.mediatypes[]", (r) => types(r, "/ignores"), [MANIFEST]),
    endpoint("ignore.actions[]", (r) => actions(r, "/ignores"), ["push"]),
    endpoint("ignoredmediatypes[]", (r) => types(r, "/ignored"), [MANIFEST, MANIFEST]),
  ];
}

function health({ outside: { url, tcp, closed } }: Place): readonly Effect[] {
  const http = [
    { uri: `${url}/no-content`, statuscode: 204, headers: { "X-Check": ["a"] }, ...OFTEN },
    { uri: `${url}/hangs-too`, timeout: "50ms", ...PATIENT },
  ];
  const byTcp = [
    { addr: tcp, ...OFTEN },
    { addr: closed, ...PATIENT },
  ];
  const check = (kind: "http" | "tcp", end: string, seen: Effect["seen"], expected: unknown): Effect => ({
    ...{ key: `health.${kind}[].${end}`, value: kind === "http" ? http : byTcp, seen, expected },
  });
  const asked = (r: Seen): number => r.outside.asked("/no-content").length;
  return [
    check("http", "uri", (r) => asked(r) > 0, true),
    check("http", "interval", (r) => asked(r) > 1, true),
    check("http", "headers.*[]", (r) => r.outside.asked("/no-content")[0]?.headers["x-check"], "a"),
    check("http", "statuscode", async (r) => [asked(r) > 1, await isUp(r)], [true, true]),
    check("http", "timeout", (r) => r.outside.asked("/hangs-too").length > 1, true),
    check("http", "threshold", async (r) => [r.outside.asked("/hangs-too").length > 1, await isUp(r)], [true, true]),
    check("tcp", "addr", (r) => r.outside.connections() > 0, true),
    check("tcp", "interval", (r) => r.outside.connections() > 1, true),
    check("tcp", "threshold", async (r) => [r.outside.connections() > 1, await isUp(r)], [true, true]),
  ];
}

function isUp(r: Seen): Promise<boolean> {
  return r.until(async () => (await r.statusOf("/v2/")) === 200);
}
