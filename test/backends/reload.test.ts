/** Parameters of S3 that change while the registry serves. */
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { test } from "node:test";
import { stringify } from "yaml";
import { inForm, MIB } from "../faults/form.ts";
import { descriptorsOf, WITHOUT_FIGURES } from "../faults/process-figures.ts";
import { until } from "../faults/until.ts";
import { startChanging } from "../support/changing-registry.ts";
import { contentOf, noise } from "../support/image.ts";
import { type Configuration, registryConfiguration } from "../support/registry-process.ts";
import { gatewayParameters } from "../support/versitygw.ts";

const RELOADS = inForm(4, 100);

test("uploads go on with other parameters, wrong credentials are refused, and no connection is left behind", {
  skip: WITHOUT_FIGURES,
}, async () => {
  const gateway = Number(process.env["WHARFINGER_TEST_S3"]);
  const rootdirectory = randomUUID();
  const s3 = (over: Configuration): Configuration => ({ s3: gatewayParameters(gateway, { rootdirectory, ...over }) });
  await using place = await startChanging({}, { driver: s3({}) });
  const { http, registry } = place;
  const change = (driver: Configuration): Promise<string> =>
    place.change(stringify(registryConfiguration("", registry.port, {}, driver)));
  const blob = contentOf(noise(12 * MIB, 1), "any");
  let upload = await http.startUpload("a");
  const step = blob.bytes.length / RELOADS;
  const before: number[] = [];
  for (let turn = 0; turn < RELOADS; turn += 1) {
    upload = await http.append(upload, blob.bytes.subarray(turn * step, (turn + 1) * step));
    assert.match(await change(s3({ useragent: `agent-${turn}` })), /reloaded: storage\.s3\.useragent changed/);
    before.push(descriptorsOf(registry.pid));
  }
  await http.finishUpload(upload, blob.descriptor.digest);
  await http.expectBlob("a", blob);
  const refused = await change(s3({ secretkey: "wrong" }));
  assert.match(refused, /the configuration was not reloaded, and the one before stays: /);
  assert.doesNotMatch(refused, /wrong/);
  assert.match(
    await change(s3({ useragent: `agent-${RELOADS - 1}`, bucket: "another" })),
    /storage\.s3\.bucket changed; restart/,
  );
  await http.expectBlob("a", blob);
  await until("connections are closed", () => descriptorsOf(registry.pid) <= (before[1] ?? 0) + 2);
});
