import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { unlessDebian } from "../setup.ts";
import { ARTIFACT_TYPE } from "../support/samples.ts";
import { openWorkplace, type Workplace } from "../support/workplace.ts";

/** None of Debian's clients pushes artifacts with a subject; this does over HTTP what helm and oras do. */
describe("an artifact with a subject", { skip: unlessDebian("skopeo") }, () => {
  let place: Workplace;
  before(async () => {
    place = await openWorkplace();
  });
  after(() => place[Symbol.asyncDispose]());

  test("is listed as a referrer of an image that skopeo pushed", async () => {
    const { oci, artifact } = place.samples;
    const target = `docker://${place.registry.host}/signed:v1`;
    await place.tools.skopeo("copy", `oci:${place.layout}:oci`, target);
    const digest = await place.http.push("signed", artifact.manifest.descriptor.digest, artifact);
    assert.deepEqual(await place.http.referrers("signed", oci.manifest.descriptor.digest), [
      {
        mediaType: artifact.manifest.descriptor.mediaType,
        digest,
        size: artifact.manifest.descriptor.size,
        artifactType: ARTIFACT_TYPE,
        annotations: { "org.example.made-by": "the tests" },
      },
    ]);
  });

  test("pushed before its subject is listed all the same", async () => {
    const { oci, artifact } = place.samples;
    const answer = await place.http.pushForAnswer("early", artifact);
    assert.equal(answer.headers.get("OCI-Subject"), oci.manifest.descriptor.digest);
    const listed = await place.http.referrers("early", oci.manifest.descriptor.digest);
    assert.deepEqual(
      listed.map((descriptor) => descriptor.digest),
      [artifact.manifest.descriptor.digest],
    );
  });

  test("is pulled by skopeo under a tag, byte for byte", async () => {
    const { artifact } = place.samples;
    await place.http.push("tagged-artifact", "sig", artifact);
    const source = `docker://${place.registry.host}/tagged-artifact:sig`;
    assert.equal(await place.tools.skopeo("inspect", "--raw", source), Buffer.from(artifact.manifest.bytes).toString());
  });
});
