import { randomUUID } from "node:crypto";
import { after } from "node:test";
import { openS3 } from "../../src/storage/s3.ts";
import { driverContract } from "../contract/driver.ts";
import { startGateway } from "../support/versitygw.ts";

const gateway = await startGateway();
after(() => gateway[Symbol.asyncDispose]());

driverContract("s3", () => openS3(gateway.parameters({ rootdirectory: randomUUID() })), {
  directories: false,
  conflicts: false,
  snapshots: false,
});
