import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { unlessDebian } from "../setup.ts";
import { freePort } from "../support/free-port.ts";
import { RegistryClient } from "../support/registry-client.ts";
import { startRegistry } from "../support/registry-process.ts";
import { bulkyImage } from "../support/samples.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const SAMPLE = fileURLToPath(new URL("../../docs/sample-config.yml", import.meta.url));

describe("docs/sample-config.yml", { skip: unlessDebian("docker-registry") }, () => {
  for (const kind of ["wharfinger", "docker-registry"] as const) {
    test(`starts ${kind}, adapted by environment variables alone`, async () => {
      await using folder = await temporaryFolder("sample");
      const port = await freePort();
      const env = {
        REGISTRY_HTTP_ADDR: `127.0.0.1:${port}`,
        REGISTRY_HTTP_DEBUG_ADDR: `127.0.0.1:${await freePort()}`,
        REGISTRY_HTTP_HOST: "",
        REGISTRY_STORAGE_FILESYSTEM_ROOTDIRECTORY: folder.join("registry"),
        REGISTRY_WHARFINGER_DATADIR: folder.join("data"),
      };
      const options = { rootDirectory: folder.join("registry"), configurationPath: SAMPLE, port, env };
      await using registry = await startRegistry(kind, options);
      const http = new RegistryClient(registry.url);
      const image = bulkyImage(1000, 8);
      await http.push("sample", "v1", image);
      await http.expectImage("sample", "v1", image);
      assert.deepEqual(await http.catalog(), ["sample"]);
    });
  }
});
