import assert from "node:assert/strict";
import { test } from "node:test";
import * as errors from "../oci/errors.ts";
import { PathNotFound, StorageBusy, StorageDown, StorageFull, StorageUnreachable } from "../storage/errors.ts";
import { toAnswer } from "./errors.ts";

/** Section 4 of the reference, and the two that are ours. */
const TABLE: readonly (readonly [error: errors.RegistryError, code: string, status: number, message: string])[] = [
  [new errors.Unknown(), "UNKNOWN", 500, "unknown error"],
  [new errors.Unsupported(), "UNSUPPORTED", 405, "The operation is unsupported."],
  [new errors.Unavailable(), "UNAVAILABLE", 503, "service unavailable"],
  [new errors.DigestInvalid(), "DIGEST_INVALID", 400, "provided digest did not match uploaded content"],
  [new errors.SizeInvalid(), "SIZE_INVALID", 400, "provided length did not match content length"],
  [new errors.RangeInvalid(), "RANGE_INVALID", 416, "invalid content range"],
  [new errors.NameInvalid(), "NAME_INVALID", 400, "invalid repository name"],
  [new errors.TagInvalid(), "TAG_INVALID", 400, "manifest tag did not match URI"],
  [new errors.NameUnknown("x"), "NAME_UNKNOWN", 404, "repository name not known to registry"],
  [new errors.ManifestUnknown(), "MANIFEST_UNKNOWN", 404, "manifest unknown"],
  [new errors.ManifestInvalid(), "MANIFEST_INVALID", 400, "manifest invalid"],
  [new errors.ManifestTooLarge(5), "MANIFEST_INVALID", 413, "manifest invalid"],
  [new errors.ManifestBlobUnknown("d"), "MANIFEST_BLOB_UNKNOWN", 400, "blob unknown to registry"],
  [new errors.BlobUnknown(), "BLOB_UNKNOWN", 404, "blob unknown to registry"],
  [new errors.UploadUnknown(), "BLOB_UPLOAD_UNKNOWN", 404, "blob upload unknown to registry"],
  [new errors.UploadInvalid(), "BLOB_UPLOAD_INVALID", 404, "blob upload invalid"],
  [new errors.PageSizeInvalid(5), "PAGINATION_NUMBER_INVALID", 400, "invalid number of results requested"],
  [new errors.PreconditionFailed("x"), "PRECONDITION_FAILED", 412, "a condition of the request does not hold"],
];

for (const [error, code, status, message] of TABLE) {
  test(`${error.name} is ${code} with the status ${status}`, () => {
    const answer = toAnswer(error);
    assert.equal(answer.status, status);
    assert.equal(answer.ours, status >= 500);
    assert.ok(answer.body.startsWith(`{"errors":[{"code":"${code}","message":"${message}"`));
    assert.ok(answer.body.endsWith("}]}\n"));
    assert.equal(answer.headers["content-type"], "application/json");
    assert.equal("retry-after" in answer.headers, status === 503);
  });
}

test("whoever has no right is told how to say who they are", () => {
  const rights = [{ type: "repository", name: "a/b", action: "pull" }];
  const answer = toAnswer(new errors.Unauthorized('Basic realm="r"', rights));
  assert.equal(answer.status, 401);
  assert.equal(answer.headers["www-authenticate"], 'Basic realm="r"');
  const detail = '[{"Type":"repository","Class":"","Name":"a/b","Action":"pull"}]';
  const error = `{"code":"UNAUTHORIZED","message":"authentication required","detail":${detail}}`;
  assert.equal(answer.body, `{"errors":[${error}]}\n`);
  assert.match(toAnswer(new errors.Unauthorized("Basic", [])).body, /"detail":null}]}\n$/);
});

test("a detail stands behind the message, as text or structure, and is left out where there is none", () => {
  const text = toAnswer(new errors.BlobUnknown("sha256:x")).body;
  assert.equal(text, '{"errors":[{"code":"BLOB_UNKNOWN","message":"blob unknown to registry","detail":"sha256:x"}]}\n');
  const structure = toAnswer(new errors.NameUnknown("a/b")).body;
  assert.match(structure, /"detail":\{"name":"a\/b"\}\}\]\}\n$/);
  const none = toAnswer(new errors.BlobUnknown()).body;
  assert.equal(none, '{"errors":[{"code":"BLOB_UNKNOWN","message":"blob unknown to registry"}]}\n');
});

test("of several errors the first gives the status", () => {
  const [missing, invalid] = [new errors.ManifestBlobUnknown("d"), new errors.ManifestInvalid("m")];
  const answer = toAnswer(new errors.RegistryErrors([invalid, missing]));
  assert.equal(answer.status, 400);
  const { errors: entries } = JSON.parse(answer.body) as { errors: { code: string }[] };
  assert.deepEqual(
    entries.map(({ code }) => code),
    ["MANIFEST_INVALID", "MANIFEST_BLOB_UNKNOWN"],
  );
});

test("failures of the storage and of ours say nothing of paths", () => {
  for (const [error, status] of [
    [new PathNotFound("filesystem", "/docker/registry"), 503],
    [new StorageFull("filesystem"), 503],
    [new StorageUnreachable("filesystem", "no answer at /docker/registry"), 503],
    [new StorageDown("filesystem"), 503],
    [new StorageBusy("filesystem"), 503],
    [new TypeError("/docker/registry"), 500],
    ["/docker/registry", 500],
    [undefined, 500],
  ] as const) {
    const answer = toAnswer(error);
    assert.equal(answer.status, status);
    assert.doesNotMatch(answer.body, /docker|filesystem/);
  }
});

test("a storage that is not asked is no error in the log for each request, and one that fails is", () => {
  const told = [new StorageDown("s3"), new StorageBusy("s3")].map((error) => toAnswer(error));
  assert.deepEqual(
    told.map(({ status, ours, headers }) => [status, ours, headers["retry-after"]]),
    [
      [503, false, "5"],
      [503, false, "5"],
    ],
  );
  assert.match(told[0]?.body ?? "", /does not answer/);
  assert.match(told[1]?.body ?? "", /does not keep up/);
  assert.equal(toAnswer(new StorageUnreachable("s3", "reset")).ours, true);
});
