import type { S3Client } from "@aws-sdk/client-s3";
import type { Patience } from "./client.ts";
import { toStorageError } from "./failures.ts";
import type { S3Parameters } from "./parameters.ts";

/** What objects get when they are made. */
interface Attributes {
  readonly ContentType: "application/octet-stream";
  readonly ACL?: "private";
  readonly StorageClass?: "STANDARD";
  readonly ServerSideEncryption?: "AES256" | "aws:kms";
  readonly SSEKMSKeyId?: string;
}

interface Limits {
  /** ms for one try. */
  readonly requestTimeout: number;
  readonly abortSignal: AbortSignal;
}

/** A client with what all its calls share: the bucket, times, errors and a line for each where somebody wants to read it. */
export class Calls {
  readonly client: S3Client;
  readonly bucket: string;
  readonly attributes: Attributes;
  readonly #patience: Patience;
  readonly #note: ((line: string) => void) | undefined;

  constructor(client: S3Client, parameters: S3Parameters, patience: Patience, note?: (line: string) => void) {
    this.client = client;
    this.bucket = parameters.bucket;
    this.attributes = attributesOf(parameters);
    this.#patience = patience;
    this.#note = note;
  }

  /** ms for which a body may say nothing. */
  get silence(): number {
    return this.#patience.silence;
  }

  /** For what S3 answers at once: three times the patience for one answer, with all tries. */
  soon(): Limits {
    const { answer } = this.#patience;
    return { requestTimeout: answer, abortSignal: AbortSignal.timeout(3 * answer) };
  }

  /** For what takes S3 its time. */
  later(): Limits {
    const { work } = this.#patience;
    return { requestTimeout: work, abortSignal: AbortSignal.timeout(2 * work) };
  }

  /**
   * @param name as in S3's API
   * @param expected failures that the caller tells apart; anything else is thrown as a `StorageError`
   */
  async run<T>(name: string, key: string, work: () => Promise<T>, expected?: (error: unknown) => boolean): Promise<T> {
    const start = performance.now();
    let result = "done";
    try {
      return await work();
    } catch (error) {
      const known = expected?.(error) ? error : toStorageError(name, error);
      result = String(known);
      throw known;
    } finally {
      this.#note?.(`${name} ${key}: ${result} in ${Math.round(performance.now() - start)} ms`);
    }
  }
}

/** The defaults of S3 are not sent: not every server knows them, nor every bucket allows them. */
function attributesOf({ acl, storageClass, encrypt, keyId }: S3Parameters): Attributes {
  return {
    ContentType: "application/octet-stream",
    ...(acl !== "private" && { ACL: acl as "private" }),
    ...(storageClass !== undefined && storageClass !== "STANDARD" && { StorageClass: storageClass as "STANDARD" }),
    ...(encrypt && { ServerSideEncryption: keyId ? ("aws:kms" as const) : ("AES256" as const) }),
    ...(encrypt && keyId !== undefined && { SSEKMSKeyId: keyId }),
  };
}
