/** Where the registry listens: sockets of the file system with TLS, and sockets that systemd opened. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { type AddressInfo, connect as connectPlain, createServer } from "node:net";
import { test } from "node:test";
import { connect } from "node:tls";
import { fileURLToPath } from "node:url";
import { stringify } from "yaml";
import { Authority } from "../support/authority.ts";
import { registryConfiguration, startRegistry } from "../support/registry-process.ts";
import { ServerProcess } from "../support/server-process.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const MAIN = fileURLToPath(new URL("../../src/main.ts", import.meta.url));

test("a socket of the file system is served over TLS", async () => {
  await using folder = await temporaryFolder("sockets");
  const { certPath, keyPath } = await (await Authority.make(folder, "ca")).sign("server");
  const http = { net: "unix", addr: folder.join("socket"), tls: { certificate: certPath, key: keyPath } };
  await writeFile(folder.join("config.yml"), stringify(registryConfiguration(folder.join("data"), 0, { http })));
  await using server = new ServerProcess(process.execPath, [MAIN, "serve", folder.join("config.yml")]);
  await server.says(/listening on/);
  const socket = connect({ path: folder.join("socket"), rejectUnauthorized: false, servername: "localhost" });
  socket.write("GET /v2/ HTTP/1.1\r\nHost: a\r\n\r\n");
  const [bytes] = await once(socket, "data");
  assert.match(String(bytes), /^HTTP\/1\.1 200 OK/);
  socket.destroy();
});

for (const workers of [1, 2]) {
  test(`a socket of the file system that somebody serves stays theirs, and one that was left is taken, by ${workers}`, async () => {
    await using folder = await temporaryFolder("sockets");
    const [path, config] = [folder.join("socket"), folder.join("config.yml")];
    const http = { net: "unix", addr: path };
    await writeFile(
      config,
      stringify(registryConfiguration(folder.join("data"), 0, { http, wharfinger: { workers } })),
    );
    await using first = new ServerProcess(process.execPath, [MAIN, "serve", config]);
    await first.says(/listening on/);
    await using second = new ServerProcess(process.execPath, [MAIN, "serve", config]);
    assert.equal(await second.ended(), 1);
    assert.match(second.log, /cannot listen on .*socket: another program does; stop it first, or /);
    assert.match(await answerAt(path), /^HTTP\/1\.1 200 OK/);
    await first.kill();
    await using third = new ServerProcess(process.execPath, [MAIN, "serve", config]);
    await third.says(/listening on/);
    assert.match(await answerAt(path), /^HTTP\/1\.1 200 OK/);
  });
}

async function answerAt(path: string): Promise<string> {
  const socket = connectPlain(path);
  socket.write("GET /v2/ HTTP/1.1\r\nHost: a\r\n\r\n");
  const [bytes] = await once(socket, "data");
  socket.destroy();
  return String(bytes);
}

for (const [count, workers, expected] of [
  [1, 1, /listening on the socket that systemd passed/],
  [1, 2, /listening on the socket that systemd passed with 2 workers/],
  [2, 1, /systemd passed 2 sockets, but exactly one must be/],
  [2, 2, /systemd passed 2 sockets, but exactly one must be/],
] as const) {
  test(`of ${count} sockets that systemd passes, ${count === 1 ? "one is" : "none is"} served by ${workers}`, async () => {
    await using folder = await temporaryFolder("sockets");
    await writeFile(
      folder.join("config.yml"),
      stringify(registryConfiguration(folder.join("data"), 1, { wharfinger: { workers } })),
    );
    const listener = createServer().listen(0, "127.0.0.1");
    await once(listener, "listening");
    const { port } = listener.address() as AddressInfo;
    const handle = (listener as unknown as { readonly _handle: { readonly fd: number } })._handle;
    const script = `export LISTEN_PID=$$ LISTEN_FDS=${count}; exec "$0" "$@"`;
    const args = ["-c", script, process.execPath, MAIN, "serve", folder.join("config.yml")];
    const child = spawn("sh", args, { stdio: ["ignore", "pipe", "pipe", handle.fd, handle.fd] });
    let said = "";
    for (const stream of [child.stdout, child.stderr]) stream?.on("data", (text) => (said += text));
    const ended = once(child, "close");
    await new Promise<void>((resolve) => {
      for (const stream of [child.stdout, child.stderr]) stream?.on("data", () => expected.test(said) && resolve());
      void ended.then(() => resolve());
    });
    assert.match(said, expected);
    listener.close();
    if (count === 1) assert.equal((await fetch(`http://127.0.0.1:${port}/v2/`)).status, 200);
    child.kill();
    await ended;
  });
}

/** Longer than a test waits for the process before it kills it. */
const NEVER = "720h";

test("who hangs up before the handshake holds no connection, whichever socket of the port let them in", async () => {
  await using folder = await temporaryFolder("sockets");
  const { certPath, keyPath } = await (await Authority.make(folder, "ca")).sign("server");
  const configuration = {
    http: { tls: { certificate: certPath, key: keyPath } },
    wharfinger: { timeouts: { header: NEVER } },
  };
  await using registry = await startRegistry("wharfinger", { rootDirectory: folder.join("data"), configuration });
  const sockets = Array.from({ length: 100 }, () =>
    connectPlain({ port: registry.port, host: "127.0.0.1", allowHalfOpen: true }),
  );
  await Promise.all(sockets.map((socket) => once(socket.resume().end(), "end")));
});

for (const idle of ["h2", "http/1.1", "before its handshake", "within its handshake"]) {
  test(`a registry ends at once where the only connection is idle, ${idle}`, async () => {
    await using folder = await temporaryFolder("sockets");
    const { certPath, keyPath } = await (await Authority.make(folder, "ca")).sign("server");
    const http = { tls: { certificate: certPath, key: keyPath }, draintimeout: NEVER };
    const configuration = { http, wharfinger: { timeouts: { header: NEVER } } };
    await using registry = await startRegistry("wharfinger", { rootDirectory: folder.join("data"), configuration });
    const to = { port: registry.port, host: "127.0.0.1", rejectUnauthorized: false };
    const isOpen = idle.includes("handshake");
    const socket = isOpen ? connectPlain(to) : connect({ ...to, ALPNProtocols: [idle] });
    socket.on("error", () => undefined);
    await once(socket, isOpen ? "connect" : "secureConnect");
    if (idle === "within its handshake") socket.write(HALF_A_HELLO);
    if (idle === "http/1.1") {
      socket.write("GET /v2/ HTTP/1.1\r\nHost: a\r\n\r\n");
      await once(socket, "data");
    }
    assert.equal(await registry.stop(), 0);
    socket.destroy();
  });
}

/** What a client says first, up to the middle of it. @see RFC 8446, section 4.1.2 */
const HALF_A_HELLO: Buffer = Buffer.from("16030100c8010000c40303", "hex");
