import assert from "node:assert/strict";
import { test } from "node:test";
import type { App } from "./app.ts";
import { Succession } from "./succession.ts";

/** One that does nothing but begin when it may. */
function appThat(begins: Promise<void>): App {
  const idle = async (): Promise<void> => undefined;
  const app = { begin: () => begins, retire: idle, [Symbol.asyncDispose]: idle };
  return app as unknown as App;
}

test("an app that begins while all are disposed of stays its caller's, and does not serve", async () => {
  const apps = new Succession((error) => assert.fail(String(error)));
  const first = appThat(Promise.resolve());
  await apps.follow(first);
  const begun = Promise.withResolvers<void>();
  const followed = apps.follow(appThat(begun.promise));
  await apps[Symbol.asyncDispose]();
  begun.resolve();
  await assert.rejects(followed, /the registry is being closed/);
  assert.equal(apps.current, first);
});
