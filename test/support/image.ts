import { readFile, rm } from "node:fs/promises";
import { gzipSync, zstdCompressSync } from "node:zlib";
import type { Descriptor, Platform } from "../../src/oci/descriptor.ts";
import { type Digest, digestOf } from "../../src/oci/digest.ts";
import { MediaType } from "../../src/oci/media-types.ts";
import { run } from "./run.ts";

/**
 * Images made here, byte for byte, without a client and without a network. An {@link Image} is held in memory;
 * `oci-layout.ts` writes it for a client, `registry-client.ts` pushes it.
 */
export interface Image {
  readonly manifest: Content;
  /** Config and layers; empty for an index. */
  readonly blobs: readonly Content[];
  /** Images of an index. */
  readonly children: readonly Image[];
}

export interface Content {
  readonly descriptor: Descriptor;
  readonly bytes: Uint8Array;
}

export interface Layer extends Content {
  /** Digest of the archive before compression. */
  readonly diffId: Digest;
}

export type Compression = "none" | "gzip" | "zstd";
export type ImageFormat = "oci" | "docker";

export interface ImageOptions {
  readonly format?: ImageFormat;
  readonly platform?: Platform;
  readonly annotations?: Readonly<Record<string, string>>;
}

const ZSTD_LAYER = "application/vnd.oci.image.layer.v1.tar+zstd";
const OCI_CONFIG = "application/vnd.oci.image.config.v1+json";
const OCI_EMPTY = "application/vnd.oci.empty.v1+json";
const DOCKER_LAYER = "application/vnd.docker.image.rootfs.diff.tar.gzip";
const HERE: Platform = { architecture: "amd64", os: "linux" };

/**
 * A layer of a folder's files. Same files, same bytes: owners, times and order are set. The time differs by compression,
 * because skopeo and podman put a gzip layer they know in the place of a zstd layer with the same archive.
 */
export async function layerOf(folder: string, compression: Compression = "gzip"): Promise<Layer> {
  const archive = `${folder}.layer.tar`;
  const fixed = [
    "--sort=name",
    `--mtime=@${COMPRESSIONS[compression].time}`,
    "--owner=0",
    "--group=0",
    "--numeric-owner",
  ];
  await run("tar", ["--create", "--file", archive, "--format=gnu", ...fixed, "-C", folder, "."]);
  const bytes = await readFile(archive);
  await rm(archive);
  return layerOfArchive(bytes, compression);
}

/** A layer of an archive's bytes, or of bytes that only claim to be one. */
export function layerOfArchive(archive: Uint8Array, compression: Compression = "gzip"): Layer {
  const { mediaType, pack } = COMPRESSIONS[compression];
  return { ...contentOf(pack(archive), mediaType), diffId: digestOf(archive) };
}

/** An image of these layers; without layers, it is still one. Docker's format takes gzip layers alone. */
export function imageOf(layers: readonly Layer[], options: ImageOptions = {}): Image {
  const format = FORMATS[options.format ?? "oci"];
  const config = contentOf(jsonOf(configOf(layers, options.platform ?? HERE)), format.config);
  const manifest = {
    schemaVersion: 2,
    mediaType: format.manifest,
    config: config.descriptor,
    layers: layers.map((layer) => ({ ...layer.descriptor, ...format.layer })),
    annotations: options.annotations,
  };
  return { manifest: contentOf(jsonOf(manifest), format.manifest), blobs: [config, ...layers], children: [] };
}

/** A list of images, each with its platform. */
export function indexOf(images: readonly (readonly [Image, Platform])[], format: ImageFormat = "oci"): Image {
  const mediaType = FORMATS[format].index;
  const manifests = images.map(([image, platform]) => ({ ...image.manifest.descriptor, platform }));
  return {
    manifest: contentOf(jsonOf({ schemaVersion: 2, mediaType, manifests }), mediaType),
    blobs: [],
    children: images.map(([image]) => image),
  };
}

/** Something that is no image and refers to one: a signature, a bill of materials. */
export function artifactOf(subject: Image, artifactType: string, bytes: Uint8Array): Image {
  const config = contentOf(Buffer.from("{}"), OCI_EMPTY);
  const layer = contentOf(bytes, MediaType.octetStream);
  const manifest = {
    schemaVersion: 2,
    mediaType: MediaType.ociManifest,
    artifactType,
    config: config.descriptor,
    layers: [layer.descriptor],
    subject: subject.manifest.descriptor,
    annotations: { "org.example.made-by": "the tests" },
  };
  return { manifest: contentOf(jsonOf(manifest), MediaType.ociManifest), blobs: [config, layer], children: [] };
}

/** Bytes that no compression shrinks and that are the same in every run, one block for each seed. */
export function noise(size: number, seed: number): Uint8Array {
  const bytes = new Uint32Array(Math.ceil(size / 4));
  let state = 2 * seed + 1;
  for (let i = 0; i < bytes.length; i += 1) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    bytes[i] = state >>> 0;
  }
  return new Uint8Array(bytes.buffer, 0, size);
}

export function contentOf(bytes: Uint8Array, mediaType: string): Content {
  return { bytes, descriptor: { mediaType, digest: digestOf(bytes), size: bytes.length } };
}

const COMPRESSIONS: Readonly<
  Record<Compression, { mediaType: string; time: number; pack(bytes: Uint8Array): Uint8Array }>
> = {
  none: { mediaType: MediaType.ociLayer, time: 1700000000, pack: (bytes) => bytes },
  gzip: { mediaType: MediaType.ociLayerGzip, time: 1710000000, pack: (bytes) => gzipSync(bytes, { level: 1 }) },
  zstd: { mediaType: ZSTD_LAYER, time: 1720000000, pack: (bytes) => zstdCompressSync(bytes) },
};

const FORMATS = {
  oci: { manifest: MediaType.ociManifest, index: MediaType.ociIndex, config: OCI_CONFIG, layer: {} },
  docker: {
    manifest: MediaType.dockerManifest,
    index: MediaType.dockerList,
    config: MediaType.dockerConfig,
    layer: { mediaType: DOCKER_LAYER },
  },
} as const;

function configOf(layers: readonly Layer[], platform: Platform): object {
  return {
    created: "2026-01-01T00:00:00Z",
    ...platform,
    config: { Cmd: ["/bin/true"] },
    rootfs: { type: "layers", diff_ids: layers.map((layer) => layer.diffId) },
    history: layers.map(() => ({ created: "2026-01-01T00:00:00Z", created_by: "the tests" })),
  };
}

function jsonOf(value: object): Uint8Array {
  return Buffer.from(JSON.stringify(value));
}
