import { existsSync } from "node:fs";
import { mkdir, rename } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CreateBucketCommand, S3Client } from "@aws-sdk/client-s3";
import { freePort } from "./free-port.ts";
import { run, tryRun } from "./run.ts";
import { ServerProcess } from "./server-process.ts";
import { temporaryFolder } from "./temporary-folder.ts";

const VERSION = "v1.8.0";
const MODULE = `github.com/versity/versitygw/cmd/versitygw@${VERSION}`;
/** Outside the repository, for all runs on this machine. */
const FOLDER = join(tmpdir(), `wharfinger-versitygw-${VERSION}`);
const PROGRAM = join(FOLDER, "versitygw");

export const BUCKET = "registry";
const KEYS = { accessKeyId: "test", secretAccessKey: "testsecret" };

/** A real S3 server over a folder of its own. Disposal ends it and removes the folder. */
export interface Gateway extends AsyncDisposable {
  readonly port: number;
  /** Parameters of the driver for its bucket. */
  parameters(more?: GatewayParameters): GatewayParameters;
}

export type GatewayParameters = Readonly<Record<string, string | number | boolean>>;

/** Builds it from the Go module proxy, once. Answers why it could not. */
export async function installGateway(): Promise<string | undefined> {
  if (existsSync(PROGRAM)) return undefined;
  if ((await tryRun("go", ["version"]).catch(() => undefined))?.exitCode !== 0) return "Go is not installed";
  const building = join(FOLDER, `building-${process.pid}`);
  await mkdir(building, { recursive: true });
  await run("go", ["install", MODULE], { env: { GOBIN: building } });
  await rename(join(building, "versitygw"), PROGRAM);
  return undefined;
}

/** For a suite's `skip` option. */
export function unlessGateway(): string | false {
  return !existsSync(PROGRAM) && "versitygw is not installed: npm run test:backends does that";
}

export async function startGateway(): Promise<Gateway> {
  await using stack = new AsyncDisposableStack();
  const folder = stack.use(await temporaryFolder("s3"));
  const port = await freePort();
  const env = { ROOT_ACCESS_KEY: KEYS.accessKeyId, ROOT_SECRET_KEY: KEYS.secretAccessKey };
  const address = `127.0.0.1:${port}`;
  const args = ["--port", address, "--keep-alive", "--quiet", "posix", folder.path];
  stack.use(new ServerProcess(PROGRAM, args, env));
  await createBucket(`http://${address}`);
  const owned = stack.move();
  return {
    port,
    parameters: (more = {}) => gatewayParameters(port, more),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** The driver's, for the bucket of a gateway, or of what stands before one. */
export function gatewayParameters(port: number, more: GatewayParameters = {}): GatewayParameters {
  return {
    accesskey: KEYS.accessKeyId,
    secretkey: KEYS.secretAccessKey,
    region: "us-east-1",
    regionendpoint: `http://127.0.0.1:${port}`,
    bucket: BUCKET,
    ...more,
  };
}

/** Tries until it listens. */
async function createBucket(endpoint: string): Promise<void> {
  const options = { region: "us-east-1", endpoint, forcePathStyle: true, credentials: KEYS, maxAttempts: 20 };
  const client = new S3Client(options);
  await client.send(new CreateBucketCommand({ Bucket: BUCKET }));
  client.destroy();
}
