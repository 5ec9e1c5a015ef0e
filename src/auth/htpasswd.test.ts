import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { basic, requestWith } from "../../test/support/access-request.ts";
import { TooManyRequests, Unauthorized, Unavailable } from "../oci/errors.ts";
import { HtpasswdController } from "./htpasswd.ts";
import { type HtpasswdUsers, parseHtpasswd } from "./htpasswd-users.ts";
import type { Comparison, PasswordChecks } from "./password-checks.ts";

const HASH = `$2b$05$${"a".repeat(53)}`;
const OTHER = `$2b$10$${"b".repeat(53)}`;

/** Every password that is `right` matches every hash. */
class Checks implements PasswordChecks {
  readonly asked: Comparison[] = [];
  right: string;
  gate: Promise<void> = Promise.resolve();

  constructor(right = "secret") {
    this.right = right;
  }

  async matches(comparison: Comparison): Promise<boolean> {
    this.asked.push(comparison);
    await this.gate;
    return Buffer.from(comparison.password).toString() === this.right;
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}

class Place {
  readonly checks: Checks;
  users: HtpasswdUsers | undefined = parseHtpasswd(`alice:${HASH}\nbob:${OTHER}`);
  now = 1;
  readonly controller: HtpasswdController;

  constructor(checks = new Checks()) {
    this.checks = checks;
    this.controller = new HtpasswdController({
      realm: "the realm",
      users: () => this.#read(),
      checks,
      now: () => this.now,
    });
  }

  #read(): HtpasswdUsers {
    if (!this.users) throw new Unavailable("no file");
    return this.users;
  }

  async ask(authorization?: string): Promise<string> {
    return (await this.controller.authorize(requestWith(authorization), [])).user;
  }
}

describe("htpasswd", () => {
  test("lets a user in whose password matches", async () => {
    const place = new Place();
    assert.equal(await place.ask(basic("alice", "secret")), "alice");
    assert.deepEqual(
      place.checks.asked.map(({ hash }) => hash),
      [HASH],
    );
  });

  test("asks for credentials with its realm, and refuses wrong ones with the same words", async () => {
    const place = new Place();
    for (const sent of [
      undefined,
      "",
      basic("alice", "wrong"),
      basic("carol", "secret"),
      basic("", "secret"),
      "Bearer x",
    ]) {
      await assert.rejects(place.ask(sent), (error) => {
        assert.ok(error instanceof Unauthorized);
        assert.equal(error.challenge, 'Basic realm="the realm"');
        return true;
      });
    }
  });

  test("a known password is answered at once, for a minute", async () => {
    const place = new Place();
    const sent = basic("alice", "secret");
    await place.ask(sent);
    place.now += 59_999;
    const grant = place.controller.authorize(requestWith(sent), []);
    assert.ok(!(grant instanceof Promise));
    assert.equal(grant.user, "alice");
    assert.equal(grant.mayPull?.("any" as never), true);
    place.now += 2;
    assert.equal(await place.ask(sent), "alice");
    assert.equal(place.checks.asked.length, 2);
  });

  test("a wrong password is compared each time it is sent", async () => {
    const place = new Place();
    for (let i = 0; i < 3; i++) await assert.rejects(place.ask(basic("alice", "wrong")), Unauthorized);
    assert.equal(place.checks.asked.length, 3);
  });

  test("equal ones at a time are compared once, right or wrong", async () => {
    const place = new Place();
    const right = Array.from({ length: 5 }, () => place.ask(basic("alice", "secret")));
    const wrong = Array.from({ length: 5 }, () => place.ask(basic("alice", "wrong")));
    assert.deepEqual(new Set(await Promise.all(right)), new Set(["alice"]));
    for (const { status } of await Promise.allSettled(wrong)) assert.equal(status, "rejected");
    assert.equal(place.checks.asked.length, 2);
  });

  test("CVE-2025-23208: a password whose user was taken out no longer counts, nor one that is being compared meanwhile", async () => {
    const place = new Place();
    const sent = basic("alice", "secret");
    await place.ask(sent);
    place.users = parseHtpasswd(`bob:${OTHER}`);
    await assert.rejects(place.ask(sent), Unauthorized);

    const gate = Promise.withResolvers<void>();
    place.checks.gate = gate.promise;
    const late = place.ask(basic("bob", "secret"));
    place.users = parseHtpasswd("");
    await Promise.allSettled([place.ask(undefined)]);
    gate.resolve();
    await late; // it came before the change
    await assert.rejects(place.ask(basic("bob", "secret")), Unauthorized);
  });

  test("while the file says nothing, nobody comes in", async () => {
    const place = new Place();
    await place.ask(basic("alice", "secret"));
    place.users = undefined;
    await assert.rejects(place.ask(basic("alice", "secret")), Unavailable);
    await assert.rejects(place.ask(undefined), Unavailable);
  });

  test("CVE-2020-13794: somebody unknown costs as much as the costliest entry", async () => {
    const place = new Place();
    await assert.rejects(place.ask(basic("carol", "secret")), Unauthorized);
    await assert.rejects(place.ask(basic("alice", "")), Unauthorized);
    assert.deepEqual(
      place.checks.asked.map(({ hash }) => hash.slice(0, 7)),
      ["$2b$10$", "$2b$10$"],
    );
  });

  test("bcrypt DoS: 72 bytes of a password count, also in the middle of a character", async () => {
    const place = new Place(new Checks("x".repeat(72)));
    assert.equal(await place.ask(basic("alice", `${"x".repeat(72)}and more`)), "alice");
    await assert.rejects(place.ask(basic("alice", "x".repeat(71))), Unauthorized);
    await assert.rejects(place.ask(basic("alice", `${"x".repeat(71)}é`)), Unauthorized);
    assert.ok(place.checks.asked.every(({ password }) => password.length <= 72));
  });

  test("where too many passwords wait, it says so and remembers nothing", async () => {
    const place = new Place();
    place.checks.matches = async () => {
      throw new TooManyRequests("too many");
    };
    await assert.rejects(place.ask(basic("alice", "secret")), TooManyRequests);
    await assert.rejects(place.ask(basic("alice", "secret")), TooManyRequests);
  });
});
