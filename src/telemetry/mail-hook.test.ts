import assert from "node:assert/strict";
import { test } from "node:test";
import { freePort } from "../../test/support/free-port.ts";
import { startMailServer } from "../../test/support/mail-server.ts";
import { selfSigned } from "../../test/support/self-signed.ts";
import { createMailHook, type MailHookOptions } from "./mail-hook.ts";

const LINE = { time: "2026-11-21T02:50:40.123Z", level: "error", msg: "a request failed", service: "registry", n: [1] };

test("a line is a mail with its level, the server's name and its message, and its fields below", async () => {
  await using server = await startMailServer();
  {
    await using hook = createMailHook(options(server.port));
    hook.send(LINE);
  }
  const [mail] = server.mails;
  assert.deepEqual([mail?.from, mail?.to], ["registry@example.com", ["ops@example.com", "more@example.com"]]);
  assert.match(mail?.text ?? "", /^Subject: \[error\] 127\.0\.0\.1: a request failed\r$/m);
  assert.match(mail?.text ?? "", /^Content-Type: text\/plain/m);
  assert.match(
    mail?.text ?? "",
    /\r\n\r\na request failed\r\ntime: 2026-11-21T02:50:40\.123Z\r\nservice: registry\r\nn: \[1\]\r\n/,
  );
});

test("a message cannot add a header", async () => {
  await using server = await startMailServer();
  {
    await using hook = createMailHook(options(server.port));
    hook.send({ ...LINE, msg: "x\r\nBcc: eve@example.com" });
  }
  const [head = ""] = server.mails[0]?.text.split("\r\n\r\n") ?? [];
  assert.doesNotMatch(head, /^Bcc/m);
  assert.deepEqual(server.mails[0]?.to, ["ops@example.com", "more@example.com"]);
});

test("a user logs in with PLAIN", async () => {
  await using server = await startMailServer({ users: true });
  {
    await using hook = createMailHook({ ...options(server.port), username: "me", password: "secret" });
    hook.send(LINE);
  }
  assert.deepEqual(server.logins, ["\0me\0secret"]);
  assert.equal(server.mails.length, 1);
});

test("lines that come faster than mails go are left out, and told of by number", async () => {
  await using server = await startMailServer();
  {
    await using hook = createMailHook(options(server.port));
    for (let i = 0; i < 50; i++) hook.send({ ...LINE, msg: `line ${i}` });
    while (server.mails.length < 20) await server.next();
    hook.send({ ...LINE, msg: "the last" });
  }
  const last = server.mails.at(-1)?.text ?? "";
  assert.match(last, /the last/);
  assert.match(last, /30 lines before this one were not mailed/);
});

test("a server that is not there is complained of, and nobody waits for it", async () => {
  const told: string[] = [];
  {
    await using hook = createMailHook({ ...options(await freePort()), complain: (problem) => told.push(problem) });
    hook.send(LINE);
  }
  assert.match(told.join("\n"), /^a line of the log could not be mailed: .*ECONNREFUSED/);
});

test("a server with a certificate that nobody trusts gets no mail, unless the operator says insecure", async () => {
  await using server = await startMailServer({ users: true, pair: await selfSigned() });
  const user = { username: "me", password: "secret" };
  const told: string[] = [];
  {
    await using hook = createMailHook({ ...options(server.port), ...user, complain: (problem) => told.push(problem) });
    hook.send(LINE);
  }
  assert.match(told.join("\n"), /^a line of the log could not be mailed: .*self-signed certificate/);
  assert.deepEqual([server.mails.length, server.logins.length], [0, 0]);
  {
    await using hook = createMailHook({ ...options(server.port), ...user, insecure: true });
    hook.send(LINE);
  }
  assert.deepEqual(server.logins, ["\0me\0secret"]);
  assert.deepEqual(
    server.mails.map(({ encrypted }) => encrypted),
    [true],
  );
});

function options(port: number): MailHookOptions {
  return {
    ...{ host: "127.0.0.1", port, insecure: false, from: "registry@example.com" },
    to: ["ops@example.com", "more@example.com"],
    complain: (problem) => assert.fail(problem),
  };
}
