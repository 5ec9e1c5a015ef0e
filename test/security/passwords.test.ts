/** Who guesses passwords: that costs others nothing, and tells nobody anything. */
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { Agent, request } from "node:http";
import { describe, test } from "node:test";
import { bcrypt } from "hash-wasm";
import { openHtpasswd } from "../../src/auth/open-htpasswd.ts";
import { MemoryDriver } from "../../src/storage/memory.ts";
import { basic } from "../support/access-request.ts";
import { type Api, startApi } from "../support/api.ts";
import { type TemporaryFolder, temporaryFolder } from "../support/temporary-folder.ts";

/** A comparison takes some 30 ms, so that a full queue takes seconds. */
const COST = 9;

async function open(folder: TemporaryFolder, cost = COST): Promise<Api> {
  const hash = await bcrypt({ password: "secret", salt: Buffer.alloc(16), costFactor: cost, outputType: "encoded" });
  const path = folder.join("htpasswd");
  await writeFile(path, `alice:${hash}\n`);
  const access = await openHtpasswd({ realm: "r", path }, () => undefined, true);
  return await startApi(new MemoryDriver(), { access, protocol: "http" });
}

/** Guesses from an address of its own, all at once. Disposal ends what still waits. */
class Guesser implements Disposable {
  readonly #agent: Agent;
  readonly #refused = Promise.withResolvers<void>();

  constructor({ port }: Api, count: number) {
    this.#agent = new Agent({ localAddress: "127.0.0.2" });
    for (let i = 0; i < count; i += 1) {
      const headers = { authorization: basic("alice", `guess ${i}`), "x-forwarded-for": `10.0.0.${i}` };
      request({ port, host: "127.0.0.1", path: "/v2/", agent: this.#agent, headers })
        .on("response", (response) => {
          if (response.resume().statusCode === 429) this.#refused.resolve();
        })
        .on("error", () => undefined) // at the end
        .end();
    }
  }

  /** When one is refused because too many wait. */
  refused(): Promise<void> {
    return this.#refused.promise;
  }

  [Symbol.dispose](): void {
    this.#agent.destroy();
  }
}

describe("bcrypt DoS", () => {
  test("one address that floods the registry with wrong passwords keeps nobody else out", async () => {
    await using folder = await temporaryFolder("passwords");
    await using api = await open(folder);
    using flood = new Guesser(api, 150);
    await flood.refused();
    const answer = await api.send("GET", "/v2/", { headers: { Authorization: basic("alice", "secret") } });
    assert.equal(answer.status, 200);
  });

  test("a flood does not hold up who needs no comparison: those who are known, and those who send nothing", async () => {
    await using folder = await temporaryFolder("passwords");
    await using api = await open(folder);
    const headers = { Authorization: basic("alice", "secret") };
    assert.equal((await api.send("GET", "/v2/", { headers })).status, 200);
    using flood = new Guesser(api, 150);
    await flood.refused();
    for (let i = 0; i < 20; i += 1) {
      assert.equal((await api.send("GET", "/v2/", { headers })).status, 200);
      assert.equal((await api.send("GET", "/v2/")).status, 401);
    }
  });

  test("a password as long as a head may be is compared like any other, by its first 72 bytes", async () => {
    await using folder = await temporaryFolder("passwords");
    await using api = await open(folder, 4);
    for (const password of ["x".repeat(10_000), `secret${"\0".repeat(9000)}`, "\0", "secret ", "secre"]) {
      const answer = await api.send("GET", "/v2/", { headers: { Authorization: basic("alice", password) } });
      assert.equal(answer.status, 401, password.slice(0, 10));
    }
  });
});

describe("CVE-2020-13794", () => {
  test("who is there cannot be told from who is not by any answer", async () => {
    await using folder = await temporaryFolder("passwords");
    await using api = await open(folder, 4);
    const answers = new Set<string>();
    for (const user of ["alice", "bob", "", "root", "docker", "Alice", "alice\0"]) {
      for (const password of ["wrong", "", "x".repeat(100)]) {
        const { status, headers, body } = await api.send("GET", "/v2/", {
          headers: { Authorization: basic(user, password) },
        });
        const { date: _, ...others } = headers;
        answers.add(JSON.stringify([status, others, body.toString()]));
      }
    }
    assert.equal(answers.size, 1);
  });
});
