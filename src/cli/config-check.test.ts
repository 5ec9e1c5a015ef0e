import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";

const MAIN = new URL("../main.ts", import.meta.url).pathname;

describe("checking a configuration", () => {
  let directory: string;
  before(() => {
    directory = mkdtempSync(join(tmpdir(), "wharfinger-check-"));
  });
  after(() => rmSync(directory, { recursive: true }));

  function file(text: string): string {
    const path = join(directory, "config.yml");
    writeFileSync(path, `version: 0.1\n${text}`);
    return path;
  }

  function run(...argv: string[]): { status: number | null; stdout: string; stderr: string } {
    const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, ...argv], { encoding: "utf8", env: {} });
    return { status, stdout, stderr };
  }

  it("lists every error and every warning, and counts them", () => {
    const path = file("storage: inmemory\nbogus: 1\nhttp: {addr: 5000, net: tcp, relativeurls: maybe}\n");
    const { status, stdout, stderr } = run("config", "check", path);
    assert.deepEqual([status, stdout], [1, ""]);
    assert.deepEqual(stderr.split("\n"), [
      `warning: ${path}:3: unknown key bogus is ignored`,
      `error: ${path}:4: http.relativeurls is "maybe", but must be true or false`,
      `error: ${path}:4: http.addr is "5000", but must be <host>:<port> or :<port>, such as :5000, with a port up to 65535`,
      `${path}: 2 errors, 1 warning`,
      "",
    ]);
  });

  it("warns of what is valid and does nothing, or less than it says", () => {
    const path = file(`storage: inmemory
http: {debug: {prometheus: {enabled: true}}}
wharfinger: {timeouts: {header: 6m}}
notifications:
  endpoints:
    - {name: a, url: "ftp://hidden"}
    - {name: b, url: hidden}
    - {name: c, url: hidden, disabled: true}
    - {name: d, url: "https://d"}
`);
    const { status, stderr } = run("config", "check", path);
    assert.equal(status, 0);
    assert.deepEqual(stderr.split("\n"), [
      `warning: ${path}:3: http.debug.prometheus.enabled is ignored, because there is no http.debug.addr for the metrics to be read at`,
      `warning: ${path}:4: wharfinger.timeouts.header is longer than Node gives the head of a request, and is cut to 5m`,
      `warning: ${path}:7: notifications.endpoints[0].url does not begin with http:// or https://, so the endpoint gets nothing`,
      `warning: ${path}:8: notifications.endpoints[1].url does not begin with http:// or https://, so the endpoint gets nothing`,
      "",
    ]);
  });

  it("says of what is not there yet what to do, and fails", () => {
    const { status, stdout, stderr } = run("garbage-collect", "--delete-untagged", file("storage: inmemory\n"));
    assert.deepEqual([status, stdout], [1, ""]);
    assert.match(stderr, /^garbage-collect is not there yet, and nothing was collected; .*README\.md/);
  });

  it("says that no endpoint is configured where the state of their queue is asked for", () => {
    const path = file(`storage: {filesystem: {rootdirectory: ${directory}}}\n`);
    const said = { status: 0, stdout: "no endpoint is configured, and nothing waits for one\n", stderr: "" };
    assert.deepEqual(run("notifications", "status", path), said);
  });

  it("says that one is valid, also where something in it is ignored", () => {
    const path = file("storage: inmemory\nbogus: 1\n");
    assert.deepEqual(run("config", "check", path), {
      status: 0,
      stdout: `${path} is valid\n`,
      stderr: `warning: ${path}:3: unknown key bogus is ignored\n`,
    });
  });

  it("finds what is wrong with the values of S3 as the start does, with the line, and what is ignored", () => {
    const path = file(
      "storage:\n  s3:\n    region: eu-west-1\n    accesskey: a\n    chunksize: 1\n    encrypt: no\n    keyid: k\n    storageclass: COLD\n",
    );
    const { status, stderr } = run("config", "check", path);
    const lines = stderr.split("\n");
    assert.equal(status, 1);
    assert.deepEqual(
      lines.map((line) => line.split(/ (?:is|counts) /)[0]),
      [
        `error: ${path}:3: storage.s3.bucket`,
        `warning: ${path}:5: storage.s3.accesskey`,
        `error: ${path}:6: storage.s3.chunksize`,
        `warning: ${path}:8: storage.s3.keyid`,
        `error: ${path}:9: storage.s3.storageclass`,
        `${path}: 3 errors, 2 warnings`,
        "",
      ],
    );
    const first = lines[0]?.replace("error: ", "configuration error: ");
    assert.equal(run("serve", path).stderr, `${first} (and 2 more: run wharfinger config check ${path})\n`);
    const alias = file("storage: {s3aws: {regionendpoint: 'http://127.0.0.1:1', chunksize: 0x500000, encrypt: yes}}\n");
    const missing = `${alias}:2: storage.s3aws.bucket is missing, must be the name of a bucket`;
    assert.equal(run("config", "check", alias).stderr, `error: ${missing}\n${alias}: 1 error, 0 warnings\n`);
  });

  it("takes values of S3 as YAML 1.1 has them, and finds them beside other errors", () => {
    const s3 = "{bucket: b, region: eu-west-1, chunksize: 0x500000, encrypt: yes, secure: off, loglevel: off}";
    assert.equal(run("config", "check", file(`storage: {s3: ${s3}}\n`)).stderr, "");
    const { stderr } = run("config", "check", file("storage: {s3: {region: eu-west-1}}\nhttp: {net: udp}\n"));
    assert.match(stderr, /storage\.s3\.bucket is missing[\s\S]*http\.net is "udp"/);
  });

  it("says of a file that is not there that it is not", () => {
    const path = join(directory, "none.yml");
    assert.deepEqual(run("config", "check", path), {
      status: 1,
      stdout: "",
      stderr: `error: ${path}: there is no such configuration file\n${path}: 1 error, 0 warnings\n`,
    });
  });

  it("is advised by serve, which names the first error alone, where there are more", () => {
    const path = file("storage: tape\nhttp: {net: udp}\n");
    const first = `configuration error: ${path}:2: storage.tape is no driver, must be filesystem, inmemory, s3 or s3aws`;
    assert.deepEqual(run("serve", path), {
      status: 1,
      stdout: "",
      stderr: `${first} (and 1 more: run wharfinger config check ${path})\n`,
    });
    assert.equal(run("serve", file("storage: tape\n")).stderr, `${first}\n`);
  });
});
