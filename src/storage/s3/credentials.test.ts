import assert from "node:assert/strict";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, type TestContext, test } from "node:test";
import { startForwardProxy } from "../../../test/support/forward-proxy.ts";
import { startRecordingS3 } from "../../../test/support/recording-s3.ts";
import { temporaryFolder } from "../../../test/support/temporary-folder.ts";
import { openS3, type S3Options } from "../s3.ts";

/** Where the SDK may look for credentials on the machine of the test. */
const SOURCES = /^AWS_/;
const before = Object.fromEntries(Object.entries(process.env).filter(([name]) => SOURCES.test(name)));

function setEnvironment(variables: Readonly<Record<string, string | undefined>>): void {
  for (const name of Object.keys(process.env)) if (SOURCES.test(name)) delete process.env[name];
  const nowhere = { AWS_SHARED_CREDENTIALS_FILE: "/nonexistent", AWS_CONFIG_FILE: "/nonexistent" };
  for (const [name, value] of Object.entries({ ...nowhere, ...variables })) process.env[name] = value ?? "";
}

afterEach(() => {
  setEnvironment({});
  Object.assign(process.env, before);
});

interface Signer {
  readonly key: string | undefined;
  readonly token: string | string[] | undefined;
}

/** By whom a request is signed, with these parameters and this environment. */
async function signer(
  variables: Readonly<Record<string, string | undefined>>,
  parameters: Readonly<Record<string, unknown>> = {},
  options: S3Options = {},
): Promise<Signer> {
  setEnvironment(variables);
  await using s3 = await startRecordingS3();
  await using _driver = await openS3({ bucket: "b", regionendpoint: s3.endpoint, ...parameters }, options);
  const { headers } = s3.sent.at(-1) ?? assert.fail("nothing was sent");
  const key = /Credential=([^/]+)\//.exec(headers.authorization ?? "")?.[1];
  return { key, token: headers["x-amz-security-token"] };
}

/** A server of metadata. @returns its URL */
async function serve(t: TestContext, answer: (request: string, headers: NodeJS.Dict<string | string[]>) => unknown) {
  const server = createServer((request, response) => {
    const found = answer(`${request.method} ${request.url}`, request.headers);
    response.writeHead(found === undefined ? 404 : 200, { "Content-Type": "application/json" });
    response.end(typeof found === "string" ? found : JSON.stringify(found));
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => server.close().closeAllConnections());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const EXPIRATION = new Date(Date.now() + 3_600_000).toISOString();
const OF_ROLE = { AccessKeyId: "ROLE", SecretAccessKey: "secret", Token: "of the role", Expiration: EXPIRATION };

describe("requests are signed with", () => {
  const variables = { AWS_ACCESS_KEY_ID: "ENV", AWS_SECRET_ACCESS_KEY: "secret", AWS_SESSION_TOKEN: "session" };

  test("the keys of the configuration, whatever the environment has", async () => {
    const keys = { accesskey: "CONFIGURED", secretkey: "secret" };
    assert.deepEqual(await signer(variables, keys), { key: "CONFIGURED", token: undefined });
  });

  test("those of the environment where the configuration has one of two or none", async () => {
    assert.deepEqual(await signer(variables), { key: "ENV", token: "session" });
    assert.deepEqual(await signer(variables, { accesskey: "HALF" }), { key: "ENV", token: "session" });
  });

  test("those of a profile in the shared file", async () => {
    await using folder = await temporaryFolder("credentials");
    const file = folder.join("credentials");
    const profile = (name: string, key: string): string =>
      `[${name}]\naws_access_key_id = ${key}\naws_secret_access_key = secret\n`;
    await writeFile(file, profile("default", "DEFAULT") + profile("team", "TEAM"));
    const shared = { AWS_SHARED_CREDENTIALS_FILE: file };
    assert.equal((await signer(shared)).key, "DEFAULT");
    assert.equal((await signer({ ...shared, AWS_PROFILE: "team" })).key, "TEAM");
  });

  test("those of a container's role, which is asked for with its token", async (t) => {
    const url = await serve(t, (request, headers) =>
      request === "GET /role" && headers["authorization"] === "a token" ? OF_ROLE : undefined,
    );
    const container = {
      AWS_CONTAINER_CREDENTIALS_FULL_URI: `${url}/role`,
      AWS_CONTAINER_AUTHORIZATION_TOKEN: "a token",
    };
    assert.deepEqual(await signer(container), { key: "ROLE", token: "of the role" });
  });

  test("those of the machine's role, after a session of the second version", async (t) => {
    const url = await serve(t, (request, headers) => {
      if (request === "PUT /latest/api/token") return "session";
      if (headers["x-aws-ec2-metadata-token"] !== "session") return undefined;
      if (request === "GET /latest/meta-data/iam/security-credentials/") return "role";
      return request.endsWith("/role") ? { Code: "Success", ...OF_ROLE } : undefined;
    });
    assert.deepEqual(await signer({ AWS_EC2_METADATA_SERVICE_ENDPOINT: url }), { key: "ROLE", token: "of the role" });
  });

  test("those of a pod's role, for the token in its file", async (t) => {
    await using folder = await temporaryFolder("credentials");
    const file = folder.join("token");
    await writeFile(file, "a token");
    const url = await serve(t, (request) => (request.startsWith("POST /") ? WEB_IDENTITY : undefined));
    const pod = { AWS_WEB_IDENTITY_TOKEN_FILE: file, AWS_ROLE_ARN: "arn:aws:iam::123456789012:role/r" };
    const found = await signer({ ...pod, AWS_REGION: "us-east-1", AWS_ENDPOINT_URL_STS: url });
    assert.deepEqual(found, { key: "POD", token: "of the pod" });

    await using proxy = await startForwardProxy();
    const sts = url.replace("127.0.0.1", "sts.test");
    const proxies = { http: `http://127.0.0.1:${proxy.port}` };
    await signer({ ...pod, AWS_REGION: "us-east-1", AWS_ENDPOINT_URL_STS: sts }, {}, { proxies });
    assert.deepEqual(proxy.asked, [`POST ${sts}/`], "whose service may be behind a proxy");
  });
});

const WEB_IDENTITY = `<AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
<AssumeRoleWithWebIdentityResult><Credentials><AccessKeyId>POD</AccessKeyId><SecretAccessKey>secret</SecretAccessKey>
<SessionToken>of the pod</SessionToken><Expiration>${EXPIRATION}</Expiration></Credentials>
</AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>`;

test("without credentials anywhere the start ends with a sentence", async () => {
  await assert.rejects(signer({ AWS_EC2_METADATA_DISABLED: "true" }), {
    name: "StorageError",
    message:
      /^s3: cannot use the bucket s3:\/\/b\/: ListObjectsV2 failed: Could not load credentials from any providers/,
  });
});
