import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { AgeingConnection, type Ages } from "./ageing-connection.ts";
import { type Command, type RedisClient, RenewableConnection, type Reply } from "./redis-connection.ts";

const COMMAND: Command = { key: "a", args: ["GET", "a"] };

/** A client of the test's own, which connects, replies and closes when it is told to. */
class FakeClient implements RedisClient {
  readonly connecting = Promise.withResolvers<void>();
  readonly replying = Promise.withResolvers<Reply>();
  readonly closing = Promise.withResolvers<void>();
  state: "open" | "closing" | "destroyed" = "open";
  sent = 0;

  connect(): Promise<void> {
    return this.connecting.promise;
  }

  problem(): unknown {
    return undefined;
  }

  send(): Promise<Reply> {
    this.sent += 1;
    return this.replying.promise;
  }

  async transact(): Promise<readonly Reply[]> {
    return [await this.send()];
  }

  close(): Promise<void> {
    this.state = "closing";
    return this.closing.promise;
  }

  destroy(): void {
    this.state = "destroyed";
  }
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function open(t: TestContext, ages: Ages) {
  t.mock.timers.enable({ apis: ["setTimeout", "Date"] });
  const clients: FakeClient[] = [];
  const inner = new RenewableConnection(() => {
    const client = new FakeClient();
    clients.push(client);
    return client;
  });
  clients[0]?.connecting.resolve();
  const pass = async (ms: number): Promise<number> => {
    t.mock.timers.tick(ms);
    await turn();
    return clients.length;
  };
  const client = (index: number): FakeClient => clients[index] ?? assert.fail(`no client ${index}`);
  return { connection: new AgeingConnection(inner, { ...ages, now: Date.now }), pass, client };
}

describe("a connection that becomes old", () => {
  it("gives way to a new one once that is there, and ends when it has its replies", async (t) => {
    const { connection, pass, client } = open(t, { most: 1000 });
    assert.deepEqual([await pass(999), await pass(1)], [1, 2]);
    const reply = connection.send([COMMAND]);
    assert.deepEqual([client(0).sent, client(1).sent, client(0).state], [1, 0, "open"]);
    client(1).connecting.resolve();
    await turn();
    assert.equal(client(0).state, "closing");
    void connection.send([COMMAND]);
    assert.deepEqual([client(0).sent, client(1).sent], [1, 1]);
    client(0).replying.resolve("there");
    assert.deepEqual(await reply, ["there"]);
  });

  it("gives way again and again", async (t) => {
    const { pass, client } = open(t, { most: 1000 });
    for (let age = 1; age <= 3; age++) {
      assert.equal(await pass(1000), age + 1);
      client(age).connecting.resolve();
      client(age - 1).closing.resolve();
      await turn();
    }
  });

  it("is ended where its last replies do not come", async (t) => {
    const { pass, client } = open(t, { most: 5000 });
    await pass(5000);
    client(1).connecting.resolve();
    await turn();
    await pass(1000);
    assert.deepEqual([client(0).state, client(1).state], ["destroyed", "open"]);
  });

  it("stays where there is no new one", async (t) => {
    const { connection, pass, client } = open(t, { most: 1000 });
    await pass(1000);
    client(1).connecting.reject(new Error("refused"));
    await turn();
    void connection.send([COMMAND]);
    assert.deepEqual([client(0).sent, client(0).state, client(1).state], [1, "open", "destroyed"]);
    assert.equal(await pass(1000), 3);
  });

  it("is not replaced twice at a time", async (t) => {
    const { pass } = open(t, { most: 1000 });
    assert.deepEqual([await pass(1000), await pass(1000)], [2, 2]);
  });

  it("is old only so long after it was renewed for another reason", async (t) => {
    const { connection, pass, client } = open(t, { most: 1000 });
    await pass(999);
    connection.renew();
    assert.deepEqual([await pass(999), await pass(1)], [2, 3]);
    connection.renew();
    assert.deepEqual([client(1).state, client(2).state, client(3).state], ["destroyed", "destroyed", "open"]);
    client(2).connecting.resolve();
    await turn();
    void connection.send([COMMAND]);
    assert.deepEqual([client(2).sent, client(3).sent], [0, 1]);
  });
});

describe("a connection that nobody uses", () => {
  it("gives way to a new one, and no sooner than it was left alone for so long", async (t) => {
    const { connection, pass } = open(t, { idle: 1000 });
    for (let i = 0; i < 3; i++) {
      assert.equal(await pass(999), 1);
      void (i % 2 === 0 ? connection.send([COMMAND]) : connection.transact([COMMAND]));
    }
    assert.deepEqual([await pass(999), await pass(1)], [1, 2]);
  });
});

describe("a connection without an age", () => {
  it("stays", async (t) => {
    const { pass } = open(t, {});
    assert.equal(await pass(2 ** 31 - 1), 1);
  });
});

describe("a connection that has ended", () => {
  it("is not replaced, and takes the one with it that should have replaced it", async (t) => {
    const { connection, pass, client } = open(t, { most: 1000, idle: 1000 });
    await pass(1000);
    await connection[Symbol.asyncDispose]();
    assert.deepEqual([client(0).state, client(1).state], ["destroyed", "destroyed"]);
    client(1).connecting.resolve();
    assert.equal(await pass(5000), 2);
  });
});
