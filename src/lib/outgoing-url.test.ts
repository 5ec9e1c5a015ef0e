import assert from "node:assert/strict";
import { test } from "node:test";
import { isHttpUrl, shownUrl } from "./outgoing-url.ts";

for (const [url, shown] of [
  ["https://hooks.slack.com/services/T0/B0/S", "https://hooks.slack.com/services/***"],
  ["https://discord.com/api/webhooks/1/S/", "https://discord.com/api/***"],
  ["https://hook", "https://hook"],
  ["http://hook:8080/events", "http://hook:8080/events"],
  ["http://hook/events/", "http://hook/events/"],
  ["http://hook//S", "http://hook//***"],
  ["https://me:S@hook/e", "https://***@hook/e"],
  ["https://S@hook/e", "https://***@hook/e"],
  ["https://me:S@S@hook/e", "https://***@hook/e"],
  ["https://hook/e?token=S#S", "https://hook/e?***"],
  ["https://hook/e#S", "https://hook/e"],
  ["ftp://me:S@hook/e/S", "ftp://***@hook/e/***"],
  ["S", "***"],
  ["token:S", "***"],
  ["", "***"],
] as const) {
  test(`${url} is shown as ${shown}`, () => assert.equal(shownUrl(url), shown));
}

test("something can be sent to http and https alone", () => {
  const urls = ["http://a", "HTTPS://a/b", "ftp://a", "a.test/x", "nonsense", "", "mailto:a@b", "//a"];
  assert.deepEqual(urls.filter(isHttpUrl), ["http://a", "HTTPS://a/b"]);
});
