/** @see http-api, section 8, "Uploads" */
import { type BlobDigest, isBlobDigest, isOfNothing } from "../oci/blob-digest.ts";
import type { Descriptor } from "../oci/descriptor.ts";
import { type DigestAlgorithm, isDigestAlgorithm } from "../oci/digest.ts";
import { BlobUnknown, DigestInvalid, NameInvalid, RangeInvalid, UploadUnknown } from "../oci/errors.ts";
import { parseStoredName } from "../oci/names.ts";
import type { Repository, Upload } from "../registry/registry.ts";
import { parseUploadId } from "../registry/upload-id.ts";
import { hasBody, receiveBlocks } from "./body.ts";
import { checkChunk } from "./chunk.ts";
import { blobUrl, creatableRepositoryOf, type Edge, type Handler, repositoryOf, uploadUrl } from "./edge.ts";
import type { Exchange } from "./exchange.ts";
import type { Reply } from "./reply.ts";
import { parseAnnouncedDigest, parseFinalDigest } from "./upload-digest.ts";
import { printToken, verifyToken } from "./upload-token.ts";

/** Starts a session, unless a mount or a body with its digest makes one unnecessary. */
export const postUploads: Handler = async (edge, exchange) => {
  const { target, request } = exchange;
  const repository = creatableRepositoryOf(edge, exchange);
  const mounted = await mount(edge, exchange, repository);
  if (mounted) return sendCreated(edge, exchange, repository, mounted);
  const algorithm = parseAlgorithm(target.query.get("digest-algorithm"));
  const digestText = target.query.get("digest");
  if (digestText !== null) {
    const digest = parseAnnouncedDigest(digestText);
    if (hasBody(request) || isOfNothing(digest)) {
      const blob = await repository.uploads.put(bodyOf(edge, exchange, 0), digest);
      return sendCreated(edge, exchange, repository, blob.digest);
    }
  }
  return sendState(edge, exchange.reply.code(202), exchange, repository, await repository.uploads.start({ algorithm }));
};

/** Where an upload stands: its state is what the storage says, whatever the client's `_state`. */
export const getUpload: Handler = async (edge, exchange) => {
  const repository = repositoryOf(edge, exchange);
  return sendState(edge, exchange.reply.code(204), exchange, repository, await resume(exchange, repository));
};

export const patchUpload: Handler = async (edge, exchange) => {
  const repository = creatableRepositoryOf(edge, exchange);
  return await atOffset(edge, exchange, repository, async (upload) => {
    const last = exchange.request.headers["content-range"] === undefined; // who sends ranges sends more of them
    const appended = await upload.append(bodyOf(edge, exchange, upload.size), { last });
    return sendState(edge, exchange.reply.code(202), exchange, repository, appended);
  });
};

/** Takes the last bytes, if any, and makes all of them a blob. */
export const putUpload: Handler = async (edge, exchange) => {
  const repository = creatableRepositoryOf(edge, exchange);
  const digest = parseFinalDigest(exchange.target.query.get("digest"));
  const finish = (upload: Upload): Promise<Descriptor> =>
    hasBody(exchange.request) ? upload.finish(bodyOf(edge, exchange, upload.size), digest) : upload.commit(digest);
  try {
    return await atOffset(edge, exchange, repository, async (upload) =>
      sendCreated(edge, exchange, repository, (await finish(upload)).digest),
    );
  } catch (error) {
    if (!(error instanceof UploadUnknown) || hasBody(exchange.request)) throw error;
    const ended = await findEnded(edge, exchange, repository, digest);
    if (ended === undefined) throw error;
    return sendCreated(edge, exchange, repository, ended);
  }
};

/** Where a commit's answer was lost, with a node or on the way, the client or a proxy sends it again. */
async function findEnded(
  edge: Edge,
  exchange: Exchange,
  repository: Repository,
  digest: BlobDigest,
): Promise<BlobDigest | undefined> {
  try {
    const size = verifyState(edge, exchange);
    const { blobs, name } = edge.registry.repository(repository.name); // of which nobody is told
    if ((await blobs.mount(digest, name)).size !== size) return undefined; // asks no cache
    return (await repository.blobs.mount(digest, name)).digest;
  } catch (error) {
    if (error instanceof BlobUnknown) return undefined;
    throw error;
  }
}

export const deleteUpload: Handler = async (edge, exchange) => {
  const repository = repositoryOf(edge, exchange);
  verifyState(edge, exchange);
  const upload = await resume(exchange, repository);
  await upload.cancel();
  exchange.reply.code(204).header("docker-upload-uuid", upload.id).send();
};

/** As the peers do, a session's URL starts another one for who holds its `_state`. */
export const postUpload: Handler = (edge, exchange) => {
  verifyState(edge, exchange);
  return postUploads(edge, exchange);
};

/** The folder of uploads is no upload. */
export const noUpload: Handler = () => {
  throw new UploadUnknown();
};

/** What cannot be mounted is uploaded: nothing a client says here is an error. */
async function mount(edge: Edge, { target, grant }: Exchange, repository: Repository): Promise<BlobDigest | undefined> {
  const digest = target.query.get("mount");
  const from = target.query.get("from");
  if (digest === null || !isBlobDigest(digest)) return undefined;
  if (!from && grant && !grant.mayPull) return undefined;
  try {
    const source = from ? edge.registry.repository(parseStoredName(from)).name : grant?.mayPull;
    return (await repository.blobs.mount(digest, source)).digest;
  } catch (error) {
    if (error instanceof BlobUnknown || error instanceof NameInvalid) return undefined;
    throw error;
  }
}

/** Runs `work` where the client's view of the upload is the true one, and shows it the true one where it is not. */
async function atOffset(
  edge: Edge,
  exchange: Exchange,
  repository: Repository,
  work: (upload: Upload) => Promise<void>,
): Promise<void> {
  const offset = verifyState(edge, exchange);
  const upload = await resume(exchange, repository);
  try {
    if (offset !== upload.size) {
      throw new RangeInvalid(`the upload has ${upload.size} bytes and the request's _state is for ${offset}`);
    }
    return await work(upload);
  } catch (error) {
    if (error instanceof RangeInvalid) await setState(edge, exchange, repository); // or says that it is gone
    throw error;
  }
}

/** @param size bytes of the upload before it */
function bodyOf(edge: Edge, { request }: Exchange, size: number): AsyncIterable<Uint8Array> {
  return checkChunk(request.headers, size)(receiveBlocks(request, edge.stall));
}

function verifyState(edge: Edge, { target }: Exchange): number {
  return verifyToken(edge.secret, target.query.get("_state"), target.name, target.reference);
}

async function resume({ target }: Exchange, repository: Repository): Promise<Upload> {
  const id = parseUploadId(target.reference);
  if (id === undefined) throw new UploadUnknown();
  return await repository.uploads.resume(id);
}

function parseAlgorithm(text: string | null): DigestAlgorithm | undefined {
  if (text === null) return undefined;
  if (!isDigestAlgorithm(text))
    throw new DigestInvalid("unsupported digest algorithm: expected sha256, sha384, sha512");
  return text;
}

/**
 * Headers of an upload's true state, on an answer that is an error.
 * @throws {UploadUnknown} which then is the better answer
 */
async function setState(edge: Edge, exchange: Exchange, repository: Repository): Promise<void> {
  exchange.reply.headers(stateHeaders(edge, exchange, repository, await resume(exchange, repository)));
}

function sendState(edge: Edge, reply: Reply, exchange: Exchange, repository: Repository, upload: Upload): void {
  reply.headers(stateHeaders(edge, exchange, repository, upload)).send();
}

/** `Range` is inclusive and has no unit; an upload without bytes says `0-0` too. */
function stateHeaders(
  edge: Edge,
  exchange: Exchange,
  { name }: Repository,
  upload: Upload,
): Readonly<Record<string, string>> {
  return {
    location: uploadUrl(edge, exchange, name, upload.id, printToken(edge.secret, name, upload)),
    range: `0-${Math.max(upload.size - 1, 0)}`,
    "docker-upload-uuid": upload.id,
  };
}

function sendCreated(edge: Edge, exchange: Exchange, { name }: Repository, digest: BlobDigest): void {
  exchange.reply
    .code(201)
    .headers({
      location: blobUrl(edge, exchange, name, digest),
      "docker-content-digest": digest,
      "content-length": "0",
    })
    .send();
}
