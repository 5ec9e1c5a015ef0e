import { hash } from "node:crypto";
import { Agent as HttpsAgent } from "node:https";
import { S3Client } from "@aws-sdk/client-s3";
import { NodeHttpHandler } from "@smithy/node-http-handler";
import { http } from "../../lib/node-http.ts";
import type { Proxies } from "../../lib/proxy-variables.ts";
import type { S3Parameters } from "./parameters.ts";
import { checkedProxies } from "./proxies.ts";

/** How long is waited for S3, in ms, and how often it is asked. */
export interface Patience {
  /** Tries of one request. Between them lie random times that double: up to 0.1 s, 0.2 s …, after `SlowDown` from 0.5 s. */
  readonly attempts: number;
  /** For a connection. */
  readonly connect: number;
  /** For the next bytes of an object that is read. */
  readonly silence: number;
  /** For the head of an answer to what S3 does at once. */
  readonly answer: number;
  /** For the head of an answer to a part's bytes, a copy or a completion. */
  readonly work: number;
}

export const PATIENCE: Patience = { attempts: 6, connect: 5_000, silence: 60_000, answer: 20_000, work: 600_000 };

/** For what S3 is done with soon. */
const CONNECTIONS = 256;

/** The SDK warns on the console otherwise. */
const SILENT = { debug: silent, info: silent, warn: silent, error: silent };

/**
 * Checksums beyond those of the signature are only sent where S3 demands one: other servers refuse them, and peers cannot go
 * on with an upload that was begun with one. Over HTTP and HTTPS alike the signature covers the SHA-256 of the bytes.
 */
export function createClient(parameters: S3Parameters, patience: Patience, proxies: Proxies = {}): S3Client {
  const client = new S3Client({
    region: parameters.region,
    ...(parameters.credentials && { credentials: parameters.credentials }),
    ...endpointOf(parameters),
    forcePathStyle: parameters.forcePathStyle,
    useAccelerateEndpoint: parameters.accelerate,
    useDualstackEndpoint: parameters.dualStack,
    useFipsEndpoint: parameters.fips,
    tls: parameters.secure,
    customUserAgent: parameters.userAgent,
    requestChecksumCalculation: "WHEN_REQUIRED",
    responseChecksumValidation: "WHEN_REQUIRED",
    expectContinueHeader: false,
    retryMode: "standard",
    maxAttempts: patience.attempts,
    logger: SILENT,
    requestHandler: new ReadingApart({ patience, proxies, skipVerify: parameters.skipVerify }),
  });
  addContentMd5(client);
  if (!parameters.secure && parameters.endpoint === undefined) goWithoutTls(client);
  return client;
}

/** The SDK's own switch counts for endpoints without a scheme alone, and those of Amazon have one. */
function goWithoutTls(client: S3Client): void {
  client.middlewareStack.add(
    (next) => (args) => {
      Object.assign(args.request as { protocol: string }, { protocol: "http:" });
      return next(args);
    },
    { step: "build", name: "goWithoutTls" },
  );
}

/** What servers older than the newer checksums demand of a batch of deletes. */
function addContentMd5(client: S3Client): void {
  client.middlewareStack.add(
    (next, { commandName }) =>
      (args) => {
        const request = args.request as { readonly body?: unknown; readonly headers: Record<string, string> };
        if (commandName === "DeleteObjectsCommand" && typeof request.body === "string") {
          request.headers["content-md5"] = hash("md5", request.body, "base64");
        }
        return next(args);
      },
    { step: "build", name: "contentMd5" },
  );
}

function endpointOf({ endpoint }: S3Parameters): { readonly endpoint?: string } {
  return endpoint === undefined ? {} : { endpoint: endpoint.href };
}

/**
 * What is read has connections of its own, as many as there are readers: a body holds one for as long as a client takes to
 * read it, and 256 slow clients would keep everybody else from S3.
 */
class ReadingApart extends NodeHttpHandler {
  readonly #reads: NodeHttpHandler;

  constructor(options: HandlerOptions) {
    super(withAgents(options, CONNECTIONS));
    this.#reads = new NodeHttpHandler(withAgents(options, Number.POSITIVE_INFINITY));
  }

  override handle(...call: Parameters<NodeHttpHandler["handle"]>): ReturnType<NodeHttpHandler["handle"]> {
    return call[0].method === "GET" ? this.#reads.handle(...call) : super.handle(...call);
  }

  override destroy(): void {
    super.destroy();
    this.#reads.destroy();
  }
}

interface HandlerOptions {
  readonly patience: Patience;
  readonly proxies: Proxies;
  readonly skipVerify: boolean;
}

function withAgents(
  { patience, proxies, skipVerify }: HandlerOptions,
  maxSockets: number,
): ConstructorParameters<typeof NodeHttpHandler>[0] {
  const options = { keepAlive: true, maxSockets, proxyEnv: { ...checkedProxies(proxies) } };
  return {
    connectionTimeout: patience.connect,
    socketTimeout: patience.work,
    requestTimeout: patience.answer,
    throwOnRequestTimeout: true,
    httpAgent: new http.Agent(options),
    httpsAgent: new HttpsAgent({ ...options, rejectUnauthorized: !skipVerify }),
    logger: SILENT,
  };
}

function silent(): void {}
