import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { MediaType } from "../../src/oci/media-types.ts";
import { unlessDebian } from "../setup.ts";
import { startReceiver } from "../support/event-receiver.ts";
import { imageOf, layerOfArchive, noise } from "../support/image.ts";
import type { Configuration, RegistryKind } from "../support/registry-process.ts";
import { openRegistry } from "../support/swap.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const IMAGE = imageOf([layerOfArchive(noise(100, 1), "none")], { format: "docker" });

/** What an endpoint leaves out, and what it gets of a push, a pull and a deletion of an image with its tag. */
const FILTERS: Readonly<Record<string, readonly [Configuration, events: number]>> = {
  nothing: [{}, 8],
  "an action": [{ ignore: { actions: ["pull"] } }, 5],
  "two actions": [{ ignore: { actions: ["push", "delete"] } }, 3],
  "a media type": [{ ignore: { mediatypes: [MediaType.octetStream] } }, 4],
  "a media type, as 2.8 spelt it at first": [{ ignoredmediatypes: [MediaType.dockerManifest] }, 6],
  "a media type or an action": [{ ignore: { mediatypes: [MediaType.octetStream], actions: ["delete"] } }, 2],
  "what has no media type": [{ ignore: { mediatypes: [""] } }, 6],
};

/** Where only actions are to be left out, 2.8.2 leaves nothing out: it looks at media types first, and there are none. */
const MISTAKEN: ReadonlySet<string> = new Set(["an action", "two actions"]);

describe("endpoints that leave events out", { skip: unlessDebian("docker-registry") }, () => {
  test("get from us what they get from docker-registry, but for a mistake of its", async () => {
    const [theirs, ours] = [await eventsOf("docker-registry"), await eventsOf("wharfinger")];
    for (const [what, events] of Object.entries(ours)) {
      assert.deepEqual(theirs[what], MISTAKEN.has(what) ? theirs["nothing"] : events, what);
      assert.equal(events.length, FILTERS[what]?.[1], what);
    }
    const ends = (what: string): readonly string[] => (ours[what] ?? []).map((line) => line.split(" ")[0] ?? "");
    assert.deepEqual(new Set(ends("an action")), new Set(["push", "delete"]));
    assert.deepEqual(new Set(ends("two actions")), new Set(["pull"]));
  });
});

/** By what is left out, an action with its media type for each event. */
async function eventsOf(kind: RegistryKind): Promise<Readonly<Record<string, readonly string[]>>> {
  await using folder = await temporaryFolder("filters");
  await using receivers = new AsyncDisposableStack();
  const all = await Promise.all(
    Object.entries(FILTERS).map(async ([name, [filter, count]]) => {
      return { name, filter, count, receiver: receivers.use(await startReceiver()) };
    }),
  );
  const endpoints = all.map(({ name, filter, receiver }) => ({ name, url: receiver.url, timeout: "20s", ...filter }));
  await using registry = await openRegistry(kind, folder.path, { notifications: { endpoints } });
  await registry.http.push("a", "v1", IMAGE);
  await registry.http.expectImage("a", "v1", IMAGE);
  await registry.http.delete("a", "manifests", IMAGE.manifest.descriptor.digest);
  for (const { name, receiver, count } of all) {
    const expected = kind === "docker-registry" && MISTAKEN.has(name) ? FILTERS["nothing"]?.[1] : count;
    await receiver.has(({ events }) => events.length >= (expected ?? count));
  }
  return Object.fromEntries(
    all.map(({ name, receiver }) => [
      name,
      receiver.events.map(({ action, target }) => `${action} ${target["mediaType"] ?? ""}`),
    ]),
  );
}
