import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { parse } from "yaml";
import { parseConfig } from "./load.ts";
import { showConfig } from "./show.ts";

const SAMPLE = new URL("../../docs/sample-config.yml", import.meta.url);

function show(text: string, env: Readonly<Record<string, string>> = {}): string {
  return showConfig(parseConfig(`version: 0.1\n${text}`, "config.yml", env).config);
}

test("a configuration is shown with its defaults, and read again as the same", () => {
  const text = show("storage: inmemory\nhttp: {addr: ':5000'}");
  assert.match(text, /^version: "?0\.1"?\n/);
  assert.match(text, /^ +uploadpurging:$/m);
  assert.deepEqual(parse(showConfig(parseConfig(text, "shown.yml", {}).config)), parse(text));
});

test("variables count, and times are written with their units", () => {
  const shown = parse(show("storage: inmemory", { REGISTRY_HTTP_DRAINTIMEOUT: "90s", REGISTRY_LOG_LEVEL: "debug" }));
  assert.equal(shown.http.draintimeout, "1m30s");
  assert.equal(shown.log.level, "debug");
  assert.equal(shown.storage.maintenance.uploadpurging.age, "168h");
  assert.equal(shown.wharfinger.timeouts.header, "30s");
});

test("no secret is shown, wherever it stands", () => {
  const text = show(`
storage: {s3: {bucket: b, region: r, accesskey: known, secretkey: hidden1}, redirect: {disable: true}}
http: {secret: hidden2}
redis: {addrs: ["redis:6379"], password: hidden3, sentinelpassword: hidden4}
notifications: {endpoints: [{name: a, url: "https://u:hidden5@hook/e", headers: {Authorization: [Bearer hidden6]}}]}
health: {http: [{uri: "https://a", headers: {X-Key: [hidden7]}}]}
`);
  assert.doesNotMatch(text, /hidden/);
  assert.match(text, /url: https:\/\/\*\*\*@hook\/e/);
  assert.equal(parse(text).storage.s3.accesskey, "known");
  assert.equal(text.match(/\*\*\*/g)?.length, 7);
});

test("no part of a URL is shown that may be a key: a password, a name without one, a value of its query", () => {
  const shown = (url: string): unknown =>
    parse(show(`storage: inmemory\nhealth: {http: [{uri: "${url}"}]}`)).health.http[0].uri;
  assert.equal(shown("https://me:hid@den@hook/e"), "https://me:***@hook/e");
  assert.equal(shown("https://hidden@hook/e"), "https://***@hook/e");
  assert.equal(shown("https://hook/e?token=hidden&a=hid=den#x"), "https://hook/e?token=***&a=***#x");
  assert.equal(shown("https://hook/e@f?a"), "https://hook/e@f?a");
});

test("of an endpoint's path, which may be its secret, the first step is shown", () => {
  const text = show(
    `storage: inmemory\nnotifications: {endpoints: [{name: a, url: "https://hook.test/services/hidden"}]}`,
  );
  assert.equal(parse(text).notifications.endpoints[0].url, "https://hook.test/services/***");
});

test("secrets of parts that only their operator knows are guessed by their names", () => {
  const pem = "-----BEGIN PRIVATE KEY-----hidden";
  const text = show(
    `storage: {./own.js: {apitoken: hidden1, nested: {db_password: hidden2, secret_access_key: hidden3}, name: shown, pem: "${pem}", credentials: {user: hidden4, key: hidden5}, ConnectionString: hidden6}}`,
  );
  assert.doesNotMatch(text, /hidden/);
  assert.match(text, /name: shown/);
});

test("of an access controller of one's own, nothing but the names of its parameters is shown", () => {
  const text = show("storage: inmemory\nauth: {./own.js: {teams: {web: hidden1, data: 4711}, list: [hidden2]}}");
  assert.doesNotMatch(text, /hidden|4711/);
  assert.deepEqual(parse(text).auth, { "./own.js": { teams: { web: "***", data: "***" }, list: ["***"] } });
});

test("the sample can be shown", () => {
  const sample = readFileSync(SAMPLE, "utf8");
  assert.ok(parse(showConfig(parseConfig(sample, "sample-config.yml", {}).config)).storage);
});
