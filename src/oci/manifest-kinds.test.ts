import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { KINDS } from "../../test/support/manifest-kinds.ts";
import { ManifestInvalid } from "./errors.ts";
import { MediaType } from "./media-types.ts";

type Fields = Readonly<Record<string, unknown>>;

const { ociManifest, ociIndex, dockerManifest, dockerList, dockerSchema1, dockerSchema1Signed } = MediaType;
const CONFIG = descriptor(1, { mediaType: "application/vnd.example.config+json" });
const LAYER = descriptor(2);

const OCI_MANIFEST: Fields = { schemaVersion: 2, mediaType: ociManifest, config: CONFIG, layers: [LAYER] };
const DOCKER_MANIFEST: Fields = { ...OCI_MANIFEST, mediaType: dockerManifest };
const OCI_INDEX: Fields = { schemaVersion: 2, mediaType: ociIndex, manifests: [descriptor(3), descriptor(4)] };
const DOCKER_LIST: Fields = { ...OCI_INDEX, mediaType: dockerList };
const SCHEMA1: Fields = { schemaVersion: 1, name: "a", tag: "b", fsLayers: [{ blobSum: LAYER.digest }], history: [] };
const PUSHED = [OCI_MANIFEST, DOCKER_MANIFEST, OCI_INDEX, DOCKER_LIST] as const;

describe("a pushed manifest", () => {
  it("of each kind is read with the bytes as they came", () => {
    for (const document of PUSHED) {
      const bytes = toBytes(document);
      const manifest = KINDS.parse(bytes, String(document["mediaType"]));
      assert.equal(manifest.bytes, bytes);
      assert.equal(manifest.mediaType, document["mediaType"]);
      assert.deepEqual(manifest.config, document["config"]);
      assert.deepEqual(manifest.layers, document["layers"] ?? []);
      assert.deepEqual(manifest.manifests, document["manifests"] ?? []);
    }
  });

  it("keeps what its descriptors say", () => {
    const platform = { architecture: "arm64", os: "linux", "os.version": "10", "os.features": ["a"], variant: "v8" };
    const extra = {
      urls: ["https://a.example/b"],
      annotations: { a: "b" },
      data: "e30=",
      artifactType: "a/b",
      platform,
    };
    const layer = { ...LAYER, ...extra };
    assert.deepEqual(push({ ...OCI_MANIFEST, layers: [layer] }).layers, [layer]);
  });

  it("may have fields of which nothing is known", () => {
    const child = { ...LAYER, platform: { architecture: "a", os: "b", "x-z": "10" }, "x-y": null };
    const manifest = push({ ...OCI_INDEX, manifests: [child], "org.example": [{}], __proto: 1 });
    assert.deepEqual(manifest.manifests, [{ ...LAYER, platform: { architecture: "a", os: "b" } }]);
  });

  it("may be empty of layers and children", () => {
    for (const layers of [[], null]) assert.deepEqual(push({ ...OCI_MANIFEST, layers }).layers, []);
    for (const manifests of [[], null]) assert.deepEqual(push({ ...OCI_INDEX, manifests }).manifests, []);
  });

  it("says the same with null as without the field", () => {
    const nothing = { subject: null, annotations: null, artifactType: null, manifests: null };
    const layer = { ...LAYER, urls: null, annotations: null, data: null, artifactType: null, platform: null };
    const { bytes: _, ...manifest } = push({ ...OCI_MANIFEST, ...nothing, layers: [layer] });
    const { bytes: __, ...plain } = push(OCI_MANIFEST);
    assert.deepEqual(manifest, plain);
    assert.deepEqual(push({ ...OCI_INDEX, config: null, layers: null }).manifests.length, 2);
  });

  it("may leave open for which platform a child is", () => {
    assert.deepEqual(push({ ...OCI_INDEX, manifests: [{ ...LAYER, platform: {} }] }).manifests[0]?.platform, {
      architecture: "",
      os: "",
    });
  });

  it("tells subject, annotations and artifactType of OCI's kinds", () => {
    for (const document of [OCI_MANIFEST, OCI_INDEX]) {
      const fields = { subject: LAYER, annotations: { a: "b" }, artifactType: "application/x" };
      const { subject, annotations, artifactType } = push({ ...document, ...fields });
      assert.deepEqual({ subject, annotations, artifactType }, fields);
    }
  });

  it("is no referrer where it is of Docker's kinds, whatever such fields hold", () => {
    for (const document of [DOCKER_MANIFEST, DOCKER_LIST]) {
      const manifest = push({ ...document, subject: 1, annotations: [], artifactType: {} });
      assert.equal(manifest.subject, undefined);
      assert.equal(manifest.annotations, undefined);
    }
  });

  it("has the artifact type of its config where it states none", () => {
    assert.equal(push(OCI_MANIFEST).artifactType, CONFIG.mediaType);
    assert.equal(push(DOCKER_MANIFEST).artifactType, CONFIG.mediaType);
    assert.equal(push({ ...OCI_MANIFEST, artifactType: "" }).artifactType, CONFIG.mediaType);
    assert.ok(!("artifactType" in push(OCI_INDEX)));
    assert.ok(!("artifactType" in push({ ...OCI_INDEX, artifactType: "" })));
  });

  it("means the last of duplicate keys", () => {
    const text = JSON.stringify(OCI_MANIFEST).replace("{", `{"layers":5,`);
    assert.deepEqual(KINDS.parse(Buffer.from(text), ociManifest).layers, [LAYER]);
  });
});

describe("the kind of a pushed manifest", () => {
  it("is that of the Content-Type, without regard to case and parameters", () => {
    assert.equal(push(OCI_MANIFEST, `${ociManifest}; charset=utf-8`).mediaType, ociManifest);
    assert.equal(push(OCI_INDEX, ` ${ociIndex.toUpperCase()} ;x`).mediaType, ociIndex);
  });

  for (const contentType of [undefined, "", "application/json", "Application/JSON; charset=utf-8"]) {
    it(`is what the document states under the Content-Type ${contentType}`, () => {
      for (const document of PUSHED) assert.equal(push(document, contentType).mediaType, document["mediaType"]);
    });

    it(`is what the keys show under the Content-Type ${contentType} where the document states nothing`, () => {
      for (const mediaType of [undefined, null, ""]) {
        assert.equal(push({ ...OCI_MANIFEST, mediaType }, contentType).mediaType, ociManifest);
        assert.equal(push({ ...OCI_INDEX, mediaType }, contentType).mediaType, ociIndex);
      }
    });
  }

  it("may go unstated in the body of OCI's kinds", () => {
    assert.equal(push({ ...OCI_MANIFEST, mediaType: undefined }, ociManifest).mediaType, ociManifest);
    assert.equal(push({ ...OCI_INDEX, mediaType: undefined }, ociIndex).mediaType, ociIndex);
  });
});

/** A fault in the fields of a document, and the sentence that tells it. */
const faults: readonly (readonly [document: Fields, contentType: string | undefined, sentence: RegExp])[] = [
  [
    OCI_MANIFEST,
    "text/plain",
    /^unsupported manifest media type text\/plain: expected one of .*image\.manifest.*index/,
  ],
  [{ ...OCI_MANIFEST, mediaType: "a/b" }, undefined, /^unsupported manifest media type a\/b: expected one of/],
  [{ ...OCI_MANIFEST, mediaType: 5 }, undefined, /^mediaType must be a string, not a number$/],
  [{ schemaVersion: 2 }, undefined, /^the kind of this manifest cannot be told: expected/],
  [{ schemaVersion: 2, "": "a".repeat(5000) }, undefined, /^the kind of this manifest cannot be told: expected/],
  [SCHEMA1, undefined, /^schema 1 manifests are not enabled: push/],
  [SCHEMA1, "application/json", /^schema 1 manifests are not enabled/],
  [SCHEMA1, dockerSchema1, /^schema 1 manifests are not enabled/],
  [SCHEMA1, dockerSchema1Signed, /^schema 1 manifests are not enabled/],
  [
    DOCKER_MANIFEST,
    ociManifest,
    begins(`if present, mediaType in manifest should be '${ociManifest}' not '${dockerManifest}'`),
  ],
  [OCI_MANIFEST, dockerManifest, begins(`mediaType in manifest should be '${dockerManifest}' not '${ociManifest}'`)],
  [DOCKER_LIST, ociIndex, begins(`if present, mediaType in image index should be '${ociIndex}' not`)],
  [OCI_INDEX, dockerList, begins(`mediaType in manifest list should be '${dockerList}' not`)],
  [{ ...DOCKER_MANIFEST, mediaType: undefined }, dockerManifest, /^mediaType in manifest should be '.*' not ''$/],
  [{ ...DOCKER_LIST, mediaType: null }, dockerList, /^mediaType in manifest list should be '.*' not ''$/],
  [{ ...OCI_MANIFEST, manifests: [] }, ociManifest, /^ocimanifest: expected manifest but found index/],
  [{ ...DOCKER_MANIFEST, manifests: [] }, dockerManifest, /^schema2: expected manifest but found index/],
  [{ ...OCI_INDEX, config: CONFIG }, ociIndex, /^index: expected index but found manifest/],
  [{ ...OCI_INDEX, layers: [] }, ociIndex, /^index: expected index but found manifest/],
  [{ ...DOCKER_LIST, layers: [] }, dockerList, /^manifestlist: expected index but found manifest/],
  [{ ...OCI_MANIFEST, schemaVersion: 1 }, ociManifest, /^schemaVersion must be the number 2, not 1$/],
  [{ ...OCI_MANIFEST, schemaVersion: "2" }, ociManifest, /^schemaVersion must be the number 2, not a string$/],
  [{ ...OCI_INDEX, schemaVersion: undefined }, ociIndex, /^schemaVersion must be the number 2, not nothing$/],
  [{ ...OCI_MANIFEST, config: undefined }, ociManifest, /^config must be a descriptor, not nothing$/],
  [{ ...DOCKER_MANIFEST, config: null }, dockerManifest, /^config must be a descriptor, not null$/],
  [{ ...OCI_MANIFEST, config: [] }, ociManifest, /^config must be an object, not an array$/],
  [{ ...OCI_MANIFEST, layers: undefined }, ociManifest, /^layers is missing: expected an array/],
  [{ ...DOCKER_MANIFEST, layers: undefined }, dockerManifest, /^layers is missing: expected an array/],
  [{ ...OCI_INDEX, manifests: undefined }, ociIndex, /^manifests is missing: expected an array/],
  [{ ...DOCKER_LIST, manifests: {} }, dockerList, /^manifests must be an array, not an object$/],
  [{ ...OCI_MANIFEST, layers: [LAYER, null] }, ociManifest, /^layers\[1\] must be a descriptor, not null$/],
  [{ ...OCI_MANIFEST, subject: "x" }, ociManifest, /^subject must be an object, not a string$/],
  [
    { ...OCI_INDEX, subject: { ...LAYER, digest: "sha256:x" } },
    ociIndex,
    /^subject\.digest: invalid checksum digest length/,
  ],
  [
    { ...OCI_MANIFEST, annotations: { a: 1 } },
    ociManifest,
    /^annotations must map strings to strings: .* "a" is a number$/,
  ],
  [{ ...OCI_MANIFEST, annotations: [] }, ociManifest, /^annotations must be an object, not an array$/],
  [{ ...OCI_MANIFEST, artifactType: 1 }, ociManifest, /^artifactType must be a string, not a number$/],
  [{ ...OCI_MANIFEST, Layers: [] }, ociManifest, /^the manifest has the key "Layers": expected "layers"$/],
  [{ ...OCI_MANIFEST, "layer\u017f": [] }, ociManifest, /: expected "layers"$/],
  [{ ...OCI_INDEX, MediaType: ociManifest }, undefined, /^the manifest has the key "MediaType": expected "mediaType"$/],
];

/** A fault in a descriptor, wherever one stands. */
const descriptorFaults: readonly (readonly [fields: Fields, sentence: RegExp])[] = [
  [{ digest: undefined }, /\.digest must be a digest, not nothing$/],
  [{ digest: "md5:abc" }, /\.digest: unsupported digest algorithm: expected one of sha256, sha384, sha512$/],
  [{ digest: "x" }, /\.digest: invalid checksum digest format/],
  [{ mediaType: undefined }, /\.mediaType must be a media type, not nothing$/],
  [{ mediaType: "" }, /\.mediaType must be a media type, not empty$/],
  [{ mediaType: 1 }, /\.mediaType must be a media type, not a number$/],
  [{ size: undefined }, /\.size must be a whole number of bytes, .* not nothing$/],
  [{ size: -1 }, /\.size must be a whole number of bytes, .* not -1$/],
  [{ size: 1.5 }, /\.size must be a whole number of bytes, .* not 1\.5$/],
  [{ size: "1" }, /\.size must be a whole number of bytes, .* not a string$/],
  [{ size: 2 ** 53 }, /\.size must be a whole number of bytes, from 0 to 2\^53 - 1, not 9007199254740992$/],
  [{ urls: "x" }, /\.urls must be an array, not a string$/],
  [{ urls: ["x", 1] }, /\.urls must be an array of strings$/],
  [{ annotations: { a: null } }, /\.annotations must map strings to strings: the value of "a" is null$/],
  [{ data: {} }, /\.data must be a string, not an object$/],
  [{ artifactType: true }, /\.artifactType must be a string, not a boolean$/],
  [{ platform: "linux/amd64" }, /\.platform must be an object, not a string$/],
  [{ platform: { architecture: 1, os: "linux" } }, /\.platform\.architecture must be a string, not a number$/],
  [{ platform: { architecture: "a", OS: "linux" } }, /\.platform has the key "OS": expected "os"$/],
  [{ Digest: LAYER.digest }, / has the key "Digest": expected "digest"$/],
];

describe("a pushed manifest is refused", () => {
  for (const [document, contentType, sentence] of faults) {
    it(`as ${contentType ?? "whatever it is"}: ${sentence.source}`, () => {
      assert.throws(() => push(document, contentType), fault(sentence));
    });
  }

  for (const [fields, sentence] of descriptorFaults) {
    it(`for a descriptor anywhere that is faulty: ${sentence.source}`, () => {
      const faulty = { ...LAYER, ...fields };
      const at = (path: string) => fault(new RegExp(`${begins(path).source}${sentence.source}`));
      assert.throws(() => push({ ...OCI_MANIFEST, config: faulty }), at("config"));
      assert.throws(() => push({ ...DOCKER_MANIFEST, layers: [LAYER, faulty] }), at("layers[1]"));
      assert.throws(() => push({ ...DOCKER_LIST, manifests: [faulty] }), at("manifests[0]"));
      assert.throws(() => push({ ...OCI_INDEX, subject: faulty }), at("subject"));
    });
  }

  const [open, rest] = [Buffer.from('{"a":"'), Buffer.from(JSON.stringify(OCI_MANIFEST).replace("{", '",'))];
  const bodies: readonly (readonly [what: string, bytes: Uint8Array, sentence: RegExp])[] = [
    ["is empty", Buffer.from(""), /^a manifest must be a JSON object, not an empty body$/],
    ["is not JSON", Buffer.from("{]"), /^a manifest must be JSON/],
    ["has something behind it", Buffer.from(`${JSON.stringify(OCI_MANIFEST)}{}`), /^a manifest must be JSON/],
    ["is an array", Buffer.from("[]"), /^a manifest must be a JSON object, not an array$/],
    ["is null", Buffer.from("null"), /^a manifest must be a JSON object, not null$/],
    ["begins with a byte order mark", Buffer.from(`\ufeff${JSON.stringify(OCI_MANIFEST)}`), /byte order mark/],
    ["is not UTF-8", Buffer.concat([open, Buffer.of(0xc3, 0x28), rest]), /^a manifest must be JSON in UTF-8/],
    ["holds half a surrogate pair", Buffer.concat([open, Buffer.of(0xed, 0xa0, 0x80), rest]), /UTF-8/],
    ["holds an overlong encoding", Buffer.concat([open, Buffer.of(0xc0, 0xaf), rest]), /UTF-8/],
  ];
  for (const [what, bytes, sentence] of bodies) {
    it(`where its body ${what}`, () => {
      assert.throws(() => KINDS.parse(bytes, ociManifest), fault(sentence));
    });
  }

  it("for its type before its bytes are looked at", () => {
    assert.throws(
      () => KINDS.parse(Buffer.of(0xff), "text/plain"),
      fault(/^unsupported manifest media type text\/plain/),
    );
  });

  it("in few words, however many the client used", () => {
    const long = "x".repeat(1e6);
    const documents = [
      { ...OCI_MANIFEST, mediaType: long },
      { ...OCI_MANIFEST, annotations: { [long]: 1 } },
    ];
    for (const document of documents) {
      assert.throws(
        () => push(document, ociManifest),
        (error) => error instanceof ManifestInvalid && String(error.detail).length < 500,
      );
    }
  });
});

describe("a stored manifest", () => {
  it("is what it was when it was pushed", () => {
    for (const document of PUSHED) assert.deepEqual(KINDS.read(toBytes(document)), push(document));
  });

  const types: readonly (readonly [document: Fields, mediaType: string])[] = [
    [{ schemaVersion: 2, manifests: [] }, ociIndex],
    [{ schemaVersion: 2, manifests: null, layers: [] }, ociManifest],
    [{ schemaVersion: 2 }, ociManifest],
    [{ schemaVersion: 2, mediaType: "a/b", layers: [] }, ociManifest],
    [{ schemaVersion: 2, mediaType: "a/b", manifests: [] }, ociIndex],
    [{ schemaVersion: 2, mediaType: dockerSchema1 }, ociManifest],
    [{ schemaVersion: 1, mediaType: ociManifest }, dockerSchema1Signed],
    [SCHEMA1, dockerSchema1Signed],
    [{ SchemaVersion: 2, MediaType: dockerList, Manifests: [] }, dockerList],
  ];
  for (const [document, mediaType] of types) {
    it(`is ${mediaType} where it is ${JSON.stringify(document).slice(0, 60)}`, () => {
      assert.equal(KINDS.read(toBytes(document)).mediaType, mediaType);
    });
  }

  it("of schema 1 tells its layers, whose sizes nobody knows", () => {
    assert.deepEqual(KINDS.read(toBytes(SCHEMA1)).layers, [
      { mediaType: MediaType.dockerSchema1Layer, digest: LAYER.digest, size: 0 },
    ]);
  });

  it("of schema 1 with layers of which nothing can be told cannot be read", () => {
    const document = { ...SCHEMA1, fsLayers: [{ blobSum: "tarsum.v1+sha256:abc" }] };
    assert.throws(() => KINDS.read(toBytes(document)), ManifestInvalid);
  });

  it("is read without the faulty fields that a peer did not look at", () => {
    const layer = { digest: LAYER.digest, size: -1, platform: 5, urls: {} };
    const document = {
      ...OCI_MANIFEST,
      layers: [layer, { digest: "x" }, 7],
      subject: "x",
      annotations: 1,
      artifactType: 1,
    };
    const manifest = KINDS.read(toBytes(document));
    assert.deepEqual(manifest.layers, [{ mediaType: "", digest: LAYER.digest, size: 0 }]);
    assert.ok(!("subject" in manifest) && !("annotations" in manifest));
    assert.equal(manifest.artifactType, CONFIG.mediaType);
  });

  it("means by a key in another case what the peers' decoder takes it for", () => {
    const { layers: _, ...document } = OCI_MANIFEST;
    const { digest, ...layer } = LAYER;
    assert.deepEqual(KINDS.read(toBytes({ ...document, LAYERS: [{ ...layer, Digest: digest }] })).layers, [LAYER]);
    assert.deepEqual(KINDS.read(toBytes({ ...OCI_MANIFEST, Layers: [] })).layers, []);
  });

  it("may hold bytes that are not UTF-8", () => {
    const bytes = Buffer.from(JSON.stringify({ ...OCI_MANIFEST, a: "\x7f" }));
    bytes[bytes.indexOf(0x7f)] = 0xff;
    assert.deepEqual(KINDS.read(bytes).layers, [LAYER]);
  });

  for (const text of ["", "x", "[]", "{}", '{"schemaVersion":3}', '{"schemaVersion":"2"}']) {
    it(`cannot be read where it is ${JSON.stringify(text)}`, () => {
      assert.throws(() => KINDS.read(Buffer.from(text)), ManifestInvalid);
    });
  }
});

describe("any document at all", () => {
  const key = fc.constantFrom(
    "mediaType",
    "config",
    "layers",
    "manifests",
    "subject",
    "annotations",
    "fsLayers",
    "Layers",
  );
  const value = fc.oneof(
    fc.jsonValue({ maxDepth: 3 }),
    fc.dictionary(
      fc.constantFrom("digest", "size", "mediaType", "urls", "platform", "Size"),
      fc.jsonValue({ maxDepth: 2 }),
    ),
  );
  const document = fc
    .tuple(
      fc.constantFrom<Fields>(...PUSHED, SCHEMA1),
      fc.array(fc.tuple(key, fc.oneof(value, fc.array(value))), { maxLength: 2 }),
    )
    .map(([base, changes]) => ({ ...base, ...Object.fromEntries(changes) }));
  const contentType = fc.constantFrom(undefined, ociManifest, ociIndex, dockerManifest, dockerList, dockerSchema1);

  it("is taken or refused with a sentence, never anything else", () => {
    fc.assert(
      fc.property(fc.oneof(document, fc.json().map(parseJson)), contentType, (body, type) => {
        const bytes = toBytes(body);
        for (const parse of [() => KINDS.parse(bytes, type), () => KINDS.read(bytes)]) {
          const outcome = attempt(parse);
          assert.ok(
            !(outcome instanceof Error) || (outcome instanceof ManifestInvalid && typeof outcome.detail === "string"),
          );
        }
      }),
      { numRuns: 3000 },
    );
  });

  it("is read from the storage as it was taken from the client", () => {
    fc.assert(
      fc.property(document, contentType, (body, type) => {
        const pushed = attempt(() => push(body, type));
        if (!(pushed instanceof Error)) assert.deepEqual(KINDS.read(toBytes(body)), pushed);
      }),
      { numRuns: 3000 },
    );
  });
});

describe("a document that the peers could not read", () => {
  const cases: readonly (readonly [what: string, from: string, to: string])[] = [
    ["a size with a fraction", '"size":', '"size":2.0,"was":'],
    ["a size with an exponent", '"size":', '"size":2e0,"was":'],
    ["a schemaVersion with a fraction", '"schemaVersion":2', '"schemaVersion":2.0'],
    ["data that is no base64", '"size":', '"data":"e30","size":'],
    ["a platform whose variant is no string", '"size":', '"platform":{"variant":1},"size":'],
    ["a platform whose os.features are no list", '"size":', '"platform":{"os.features":"x"},"size":'],
  ];
  for (const [what, from, to] of cases) {
    it(`is refused: ${what}`, () => {
      const text = JSON.stringify(OCI_MANIFEST).replace(from, to);
      assert.throws(() => KINDS.parse(Buffer.from(text), ociManifest), ManifestInvalid);
      assert.equal(KINDS.read(Buffer.from(text)).mediaType, ociManifest, "but read where it is stored");
    });
  }

  it("may hold such numbers where nobody reads them", () => {
    const text = JSON.stringify(OCI_MANIFEST).replace("{", '{"x":{"size":1.5,"y":[1e3]},');
    assert.equal(KINDS.parse(Buffer.from(text), ociManifest).layers.length, 1);
  });
});

describe("a document made to hurt", () => {
  it("may be nested a thousand levels deep, and a million deep where it is stored already", () => {
    const nestOf = (depth: number): string => `${"[".repeat(depth)}${"]".repeat(depth)}`;
    const withNest = (nested: string): Buffer =>
      Buffer.from(JSON.stringify(OCI_MANIFEST).replace("{", `{"x":${nested},`));
    assert.equal(KINDS.parse(withNest(nestOf(999)), ociManifest).layers.length, 1);
    assert.throws(() => KINDS.parse(withNest(nestOf(1000)), ociManifest), ManifestInvalid);
    const text = `"${"[{".repeat(6000)}\\""`; // brackets in a string are none
    assert.equal(KINDS.parse(withNest(text), ociManifest).layers.length, 1);
    const nest = nestOf(1e6);
    assert.equal(KINDS.read(withNest(nest)).layers.length, 1);
    assert.throws(() => KINDS.parse(Buffer.from("[".repeat(4e6)), ociManifest), ManifestInvalid);
    assert.throws(() => KINDS.parse(Buffer.from(`{"layers":${nest}}`), ociManifest), ManifestInvalid);
    assert.deepEqual(KINDS.read(Buffer.from(`{"schemaVersion":2,"layers":${nest}}`)).layers, []);
  });

  it("may have as many descriptors as 4 MiB hold", () => {
    const layers = Array.from({ length: 24_000 }, (_, index) => descriptor(index));
    const document = { ...OCI_MANIFEST, layers };
    assert.ok(toBytes(document).length < 4 * 1024 * 1024);
    assert.deepEqual(push(document).layers, layers);
    const nulls = { ...OCI_MANIFEST, layers: Array.from({ length: 800_000 }, () => null) };
    assert.deepEqual(KINDS.read(toBytes(nulls)).layers, []);
  });

  it("may have as many keys as 4 MiB hold", () => {
    const keys = Object.fromEntries(Array.from({ length: 300_000 }, (_, index) => [`Key${index}`, 1]));
    assert.equal(push({ ...keys, ...OCI_MANIFEST }).layers.length, 1);
  });

  it("does not touch the prototypes of objects", () => {
    const text = JSON.stringify(OCI_MANIFEST).replace("{", `{"__proto__":{"subject":${JSON.stringify(LAYER)}},`);
    assert.equal(KINDS.parse(Buffer.from(text), ociManifest).subject, undefined);
    assert.equal(KINDS.read(Buffer.from(text.replace('"layers"', '"Layers"'))).subject, undefined);
    assert.equal(Reflect.get({}, "subject"), undefined);
  });
});

/** Under the type that the document states, unless another or none is given. */
function push(document: Fields, ...contentType: [string | undefined] | []): ReturnType<typeof KINDS.parse> {
  return KINDS.parse(toBytes(document), contentType.length > 0 ? contentType[0] : String(document["mediaType"]));
}

function descriptor(
  seed: number,
  fields: Partial<Record<"mediaType", string>> = {},
): {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
} {
  return {
    mediaType: MediaType.ociLayerGzip,
    digest: `sha256:${seed.toString(16).padStart(64, "0")}`,
    size: seed,
    ...fields,
  };
}

function begins(text: string): RegExp {
  return new RegExp(`^${RegExp.escape(text)}`);
}

function fault(sentence: RegExp): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof ManifestInvalid);
    assert.match(String(error.detail), sentence);
    return true;
  };
}

function attempt<T>(action: () => T): T | Error {
  try {
    return action();
  } catch (error) {
    assert.ok(error instanceof Error);
    return error;
  }
}

function parseJson(text: string): unknown {
  return JSON.parse(text);
}

function toBytes(document: unknown): Uint8Array {
  return Buffer.from(JSON.stringify(document));
}

describe("the type of a stored manifest", () => {
  it("is told also where what it points at cannot be read", () => {
    const document = { schemaVersion: 1, fsLayers: [{ blobSum: `tarsum.v1+sha256:${"a".repeat(64)}` }] };
    assert.equal(KINDS.mediaTypeOf(Buffer.from(JSON.stringify(document))), MediaType.dockerSchema1Signed);
    assert.equal(KINDS.mediaTypeOf(Buffer.from(JSON.stringify(OCI_MANIFEST))), ociManifest);
    assert.throws(() => KINDS.mediaTypeOf(Buffer.from('{"schemaVersion":3}')), ManifestInvalid);
  });
});
