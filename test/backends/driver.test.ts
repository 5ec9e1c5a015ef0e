import { randomUUID } from "node:crypto";
import { after, before } from "node:test";
import { openS3 } from "../../src/storage/s3.ts";
import { driverContract } from "../contract/driver.ts";
import { type Gateway, startGateway } from "../support/versitygw.ts";

let gateway: Gateway;
before(async () => {
  gateway = await startGateway();
});
after(() => gateway[Symbol.asyncDispose]());

driverContract("s3", () => openS3(gateway.parameters({ rootdirectory: randomUUID() })), {
  directories: false,
  conflicts: false,
  snapshots: false,
});
