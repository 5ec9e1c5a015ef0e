/** What every route of the API answers while the storage is out, and that nothing was lost by it. */
import assert from "node:assert/strict";
import { ROUTES } from "../../src/http/routes.ts";
import type { TargetKind } from "../../src/http/target.ts";
import { digestOf } from "../../src/oci/digest.ts";
import { MediaType } from "../../src/oci/media-types.ts";
import type { Answer, Api, SendInit } from "./api.ts";
import {
  expectError,
  indexOf,
  locationOf,
  noise,
  type Pushed,
  pushImage,
  pushManifest,
  sameBytes,
  startUpload,
} from "./api-content.ts";

/** What was pushed before the outage. */
export interface Scene {
  readonly image: Pushed;
  readonly index: Pushed;
  /** To be deleted. */
  readonly doomed: Pushed;
  readonly layer: Buffer;
  /** Bytes that every upload holds. */
  readonly begun: Buffer;
  /** An upload for each way to go on with one: its URL. */
  readonly uploads: Readonly<Record<"seen" | "appended" | "finished" | "cancelled", string>>;
}

export interface OutageRequest {
  readonly method: string;
  readonly target: string;
  readonly init?: SendInit;
  /** Its status when the storage works. */
  readonly works: number;
}

type Request = readonly [target: string, works: number, init?: SendInit];

/** `untouched`: needs no storage. */
type Row = "untouched" | ((scene: Scene) => readonly Request[]);

const MORE: Buffer = Buffer.from(" and more");
const TAIL: Buffer = Buffer.from("a blob sent with its session's start");

const UNTOUCHED = {
  GET: "untouched",
  HEAD: "untouched",
  POST: "untouched",
  PUT: "untouched",
  PATCH: "untouched",
  DELETE: "untouched",
} as const;

/** A row for each route; a new route is asked for its own. */
const ROWS: Readonly<Partial<Record<TargetKind, Readonly<Record<string, Row>>>>> = {
  root: UNTOUCHED,
  base: UNTOUCHED,
  catalog: {
    GET: () => [
      ["/v2/_catalog", 200],
      ["/v2/_catalog?n=1", 200],
    ],
  },
  tags: {
    GET: () => [
      ["/v2/a/tags/list", 200],
      ["/v2/a/tags/list?n=1&last=a", 200],
    ],
  },
  manifest: {
    GET: (scene) => readsOfManifests(scene),
    HEAD: (scene) => readsOfManifests(scene),
    PUT: ({ image, index }) => [
      ["/v2/a/manifests/again", 201, toBody(image)],
      [`/v2/a/manifests/${image.digest}`, 201, toBody(image)],
      ["/v2/a/manifests/other-index", 201, toBody(index)],
    ],
    DELETE: ({ doomed }) => [
      ["/v2/doomed/manifests/t", 202],
      [`/v2/doomed/manifests/${doomed.digest}`, 202],
    ],
  },
  blob: {
    GET: ({ layer }) => [
      [blobOf(layer), 200],
      [blobOf(layer), 206, { headers: { Range: "bytes=1-5" } }],
      [blobOf(layer), 304, { headers: { "If-None-Match": `"${digestOf(layer)}"` } }],
    ],
    HEAD: ({ layer }) => [[blobOf(layer), 200]],
    DELETE: ({ doomed }) => [[`/v2/doomed/blobs/${(doomed.document["config"] as { digest: string }).digest}`, 202]],
  },
  uploads: {
    ...UNTOUCHED,
    POST: ({ layer }) => [
      ["/v2/b/blobs/uploads/", 202],
      ["/v2/b/blobs/uploads/?digest-algorithm=sha512", 202],
      [`/v2/c/blobs/uploads/?mount=${digestOf(layer)}&from=a`, 201],
      [`/v2/d/blobs/uploads/?mount=${digestOf(layer)}`, 201],
      [`/v2/e/blobs/uploads/?digest=${digestOf(TAIL)}`, 201, { body: TAIL }],
    ],
  },
  upload: {
    GET: ({ uploads }) => [[uploads.seen, 204]],
    HEAD: ({ uploads }) => [[uploads.seen, 204]],
    POST: ({ uploads }) => [[uploads.seen, 202]],
    PATCH: ({ uploads }) => [[uploads.appended, 202, { body: MORE }]],
    PUT: ({ uploads, begun }) => {
      const whole = Buffer.concat([begun, MORE]);
      return [[`${uploads.finished}&digest=${digestOf(whole)}`, 201, { body: MORE }]];
    },
    DELETE: ({ uploads }) => [[uploads.cancelled, 204]],
  },
  referrers: {
    GET: ({ image }) => [[`/v2/a/referrers/${image.digest}`, 200]],
    HEAD: ({ image }) => [[`/v2/a/referrers/${image.digest}`, 200]],
  },
};

/** @throws {AssertionError} where a route has no row, or a row no route */
export function requestsInOutage(scene: Scene): readonly OutageRequest[] {
  assert.deepEqual(keysOf(ROWS), keysOf(ROUTES), "the rows of test/support/outage.ts are not those of the routes");
  return Object.values(ROWS).flatMap((methods) =>
    Object.entries(methods).flatMap(([method, row]) =>
      row === "untouched" ? [] : row(scene).map(([target, works, init = {}]) => ({ method, target, works, init })),
    ),
  );
}

export async function setScene(api: Api): Promise<Scene> {
  const [layer, begun] = [noise(1000), noise(3000)];
  const image = await pushImage(api, "a", { layers: [layer], reference: "t" });
  const index = await pushManifest(api, "a", indexOf([image]), { reference: "index" });
  const subject = { mediaType: MediaType.ociManifest, digest: image.digest, size: image.bytes.length };
  await pushImage(api, "a", { extra: { subject } });
  const doomed = await pushImage(api, "doomed", { reference: "t" });
  const begin = async (): Promise<string> =>
    locationOf(await api.send("PATCH", await startUpload(api, "b"), { body: begun }));
  const uploads = { seen: await begin(), appended: await begin(), finished: await begin(), cancelled: await begin() };
  return { image, index, doomed, layer, begun, uploads };
}

/** 503, when to come again, and an error that says nothing of the storage's insides. */
export function expectOutage(method: string, answer: Answer): string {
  assert.equal(answer.status, 503, answer.body.toString());
  assert.equal(answer.headers["retry-after"], "5");
  if (method === "HEAD") return "";
  assert.doesNotMatch(answer.body.toString(), /docker\/|127\.0\.0\.1|EIO/);
  return String(expectError(answer, 503, "UNAVAILABLE"));
}

/** The same requests when the storage is back: none of what they are about was lost, or half done. */
export async function expectRecovery(api: Api, scene: Scene): Promise<void> {
  for (const { method, target, init, works } of requestsInOutage(scene)) {
    const answer = await api.send(method, target, init);
    assert.equal(answer.status, works, `${method} ${target}: ${answer.body}`);
  }
  sameBytes((await api.send("GET", blobOf(scene.layer))).body, scene.layer);
  const whole = Buffer.concat([scene.begun, MORE]);
  sameBytes((await api.send("GET", `/v2/b/blobs/${digestOf(whole)}`)).body, whole);
}

function readsOfManifests({ image, index }: Scene): readonly Request[] {
  const known = { headers: { "If-None-Match": `"${image.digest}"` } };
  return [
    ["/v2/a/manifests/t", 200],
    ["/v2/a/manifests/index", 200],
    [`/v2/a/manifests/${image.digest}`, 200],
    [`/v2/a/manifests/${index.digest}`, 200],
    [`/v2/a/manifests/${image.digest}`, 304, known],
    ["/v2/a/manifests/t", 304, known],
  ];
}

function blobOf(layer: Buffer): string {
  return `/v2/a/blobs/${digestOf(layer)}`;
}

function toBody({ bytes, document }: Pushed): SendInit {
  return { body: bytes, headers: { "Content-Type": String(document["mediaType"]) } };
}

function keysOf(table: Readonly<Record<string, object>>): readonly string[] {
  return Object.entries(table)
    .flatMap(([kind, methods]) => Object.keys(methods).map((method) => `${method} ${kind}`))
    .sort();
}
