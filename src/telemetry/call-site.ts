import { fileURLToPath } from "node:url";

const SOURCES = fileURLToPath(new URL("../", import.meta.url));

/** The nearest caller outside the log, by its place in our sources. A dozen microseconds. */
export function callSite(): { readonly file?: string; readonly func?: string } {
  const frames = (new Error().stack ?? "").split("\n").slice(1);
  const ours = frames.filter((frame) => frame.includes(SOURCES) && !frame.includes(`${SOURCES}telemetry`));
  const [, func = "", path = ""] =
    /^\s*at (?:(?:async )?(\S+) \()?(?:file:\/\/)?(.*?:\d+):\d+\)?$/.exec(ours[0] ?? "") ?? [];
  if (path === "") return {};
  return { file: path.replace(SOURCES, ""), ...(func && { func }) };
}
