import { GetObjectCommand, HeadObjectCommand, type S3Client } from "@aws-sdk/client-s3";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";
import { createClient, type Patience } from "./client.ts";
import type { S3Parameters } from "./parameters.ts";

/** Gives a URL that reads one object without credentials, for a while and with this method alone. */
export type Presign = (method: "GET" | "HEAD", key: string) => Promise<URL>;

/** Seconds, as the peers'. */
const LIFETIME = 1200;

/** Signing asks nobody but the credentials' source. */
export function presigner(parameters: S3Parameters, patience: Patience): Presign {
  const client = createClient(parameters, patience);
  if (parameters.redirectEndpoint) replaceHost(client, parameters.redirectEndpoint);
  return async (method, key) => {
    const input = { Bucket: parameters.bucket, Key: key };
    const command = method === "GET" ? new GetObjectCommand(input) : new HeadObjectCommand(input);
    return new URL(await getSignedUrl(client, command as GetObjectCommand, { expiresIn: LIFETIME }));
  };
}

/** Before it is signed: the signature is for this host. */
function replaceHost(client: S3Client, { protocol, hostname, port, host }: URL): void {
  client.middlewareStack.add(
    (next) => (args) => {
      const request = args.request as {
        protocol: string;
        hostname: string;
        port?: number;
        headers: Record<string, string>;
      };
      Object.assign(request, { protocol, hostname, port: port === "" ? undefined : Number(port) });
      request.headers["host"] = host;
      return next(args);
    },
    { step: "build", priority: "low", name: "redirectEndpoint" },
  );
}
