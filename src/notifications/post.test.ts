import assert from "node:assert/strict";
import type { ServerResponse } from "node:http";
import { describe, it } from "node:test";
import { type EventReceiver, type Reaction, startReceiver } from "../../test/support/event-receiver.ts";
import { freePort } from "../../test/support/free-port.ts";
import { type Post, type PostOptions, postTo } from "./post.ts";

const BODY = '{"events":[]}';

function postBy(url: string, over: Partial<PostOptions> = {}): Post {
  return postTo({ url, contentType: "application/x", headers: {}, timeout: 5000, proxies: { NO_PROXY: "" }, ...over });
}

function send(post: Post): ReturnType<Post> {
  return post(BODY, new AbortController().signal);
}

function redirection(status: number, location: string): Reaction {
  return (_, response) => response.writeHead(status, { location }).end("moved");
}

/** For each request in turn. */
function inTurn(receiver: EventReceiver, ...reactions: readonly Reaction[]): void {
  receiver.react((count) => reactions[count - 1] ?? 200);
}

describe("sending an event", () => {
  it("POSTs it with the configured headers beside its own", async () => {
    await using receiver = await startReceiver();
    const headers = { "X-A": ["b", "c"], "content-type": ["more"], "User-Agent": ["mine"], Host: ["other"] };
    assert.deepEqual(await send(postBy(receiver.url, { headers })), { status: 200, text: "200 OK" });
    const [request] = receiver.requests;
    assert.deepEqual([request?.method, request?.url, request?.body], ["POST", "/events", BODY]);
    const lines = request?.rawHeaders.join("|") ?? "";
    assert.match(lines, /Content-Type\|application\/x\|Content-Type\|more\|User-Agent\|mine\|X-A\|b\|X-A\|c\|/);
    assert.match(lines, new RegExp(`Content-Length\\|${BODY.length}`));
    assert.equal(request?.headers.host, `127.0.0.1:${receiver.port}`);
  });

  it("gives name and password of the URL", async () => {
    await using receiver = await startReceiver();
    await send(postBy(receiver.url.replace("//", "//al:se%2Fcret@")));
    assert.equal(receiver.requests[0]?.headers.authorization, `Basic ${btoa("al:se/cret")}`);
  });

  for (const [status, method, body] of [
    [301, "GET", ""],
    [302, "GET", ""],
    [303, "GET", ""],
    [307, "POST", BODY],
    [308, "POST", BODY],
  ] as const) {
    it(`follows a redirect of ${status} with ${method}`, async () => {
      await using receiver = await startReceiver();
      inTurn(receiver, redirection(status, "/there?x"), 204);
      assert.equal((await send(postBy(receiver.url, { headers: { "X-A": ["b"] } }))).status, 204);
      const [, second] = receiver.requests;
      assert.deepEqual([second?.method, second?.url, second?.body], [method, "/there?x", body]);
      assert.equal(second?.headers["x-a"], "b");
      assert.equal(second?.headers["content-type"], body === "" ? undefined : "application/x");
    });
  }

  it("SSRF: keeps its headers to itself where it is redirected elsewhere", async () => {
    await using receiver = await startReceiver();
    await using other = await startReceiver();
    inTurn(receiver, redirection(307, other.url));
    const url = receiver.url.replace("//", "//al:secret@");
    assert.equal((await send(postBy(url, { headers: { "X-Token": ["secret"] } }))).status, 200);
    assert.equal(other.requests[0]?.body, BODY);
    assert.doesNotMatch(JSON.stringify(other.requests[0]?.rawHeaders), /secret|Authorization/i);
  });

  it("takes an answer of 3xx without a place to go as it is", async () => {
    await using receiver = await startReceiver();
    inTurn(receiver, 304, 307, 300);
    const post = postBy(receiver.url);
    for (const status of [304, 307, 300]) assert.equal((await send(post)).status, status);
  });

  it("does not run in circles, nor to other protocols", async () => {
    await using receiver = await startReceiver();
    receiver.react(() => redirection(307, "/again"));
    await assert.rejects(send(postBy(receiver.url)), /stopped after 10 redirects/);
    assert.equal(receiver.requests.length, 11);
    receiver.react(() => redirection(307, "file:///etc/passwd"));
    await assert.rejects(send(postBy(receiver.url)), /redirected to file:, which is not followed/);
  });

  it("gives up after its time, and when it is told to", async () => {
    await using receiver = await startReceiver();
    receiver.react(() => () => undefined);
    await assert.rejects(send(postBy(receiver.url, { timeout: 30 })), /no answer within 30 ms/);
    const stop = new AbortController();
    const sending = postBy(receiver.url)(BODY, stop.signal);
    await receiver.has(({ requests }) => requests.length === 2);
    stop.abort();
    await assert.rejects(sending, { name: "AbortError" });
  });

  it("says why no answer came", async () => {
    await assert.rejects(send(postBy(`http://127.0.0.1:${await freePort()}/`)), /ECONNREFUSED/);
    await using receiver = await startReceiver();
    receiver.react(() => (request) => request.socket.destroy());
    await assert.rejects(send(postBy(receiver.url)), /socket hang up|ECONNRESET/);
  });

  it("reads no more of an answer than a little, and believes its status", async () => {
    await using receiver = await startReceiver();
    let written = 0;
    const pour = (response: ServerResponse): void => {
      while (!response.destroyed && response.write(Buffer.alloc(65536))) written += 65536;
      if (!response.destroyed) response.once("drain", () => pour(response));
    };
    inTurn(
      receiver,
      (_, response) => pour(response.writeHead(202)),
      (_, response) => response.writeHead(201).flushHeaders(),
    );
    assert.equal((await send(postBy(receiver.url))).status, 202);
    assert.ok(written < 32 * 1024 * 1024, `${written} bytes`);
    assert.equal((await send(postBy(receiver.url, { timeout: 50 }))).status, 201);
  });
});
