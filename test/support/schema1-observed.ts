/**
 * What docker-registry 2.8.2 of Debian served on 2026-11-21, with `compatibility.schema1.enabled`, for the image of schema 2
 * below, asked for `application/vnd.docker.distribution.manifest.v1+prettyjws` by its tag.
 */
export const OBSERVED: Observed = {
  repository: "n/one",
  tag: "t",
  config: Buffer.from(
    `{"architecture": "amd64", "os": "linux", "rootfs": {"type": "layers", "diff_ids": ["sha256:${"1".repeat(64)}"]}, "history": [{"created": "2020-01-01T00:00:00Z", "created_by": "x", "empty_layer": true}, {"created": "2020-01-01T00:00:01Z", "created_by": "y"}]}`,
  ),
  layer: Buffer.from("layerdata2"),
  digest: "sha256:675bee76048257b10813a2cb3660e9dfa4a15e739c6f59327110ef66b1f0a6ba",
  payloadLength: 822,
  keyId: "ZTTU:TWGF:DP6K:5KDT:EDI3:2NG6:FT5H:VYQD:LPTP:EHLW:NNC2:QJZP",
  document: Buffer.from(String.raw`{
   "schemaVersion": 1,
   "name": "n/one",
   "tag": "t",
   "architecture": "amd64",
   "fsLayers": [
      {
         "blobSum": "sha256:b226b4c8a5c5d9998e52735f65d5eec08ea9c198e5e057a2dca0476ed71ec1b7"
      },
      {
         "blobSum": "sha256:a3ed95caeb02ffe68cdd9fd84406680ae93d633cb16422d00e8a7c22955b46d4"
      }
   ],
   "history": [
      {
         "v1Compatibility": "{\"architecture\":\"amd64\",\"id\":\"6cb3780fd5832910fc4adf2907b52aacd12668b54dab422d30e808f876e284d0\",\"os\":\"linux\",\"parent\":\"3690474eb5b4b26fdfbd89c6e159e8cc376ca76ef48032a30fa6aafd56337880\"}"
      },
      {
         "v1Compatibility": "{\"id\":\"3690474eb5b4b26fdfbd89c6e159e8cc376ca76ef48032a30fa6aafd56337880\",\"created\":\"2020-01-01T00:00:00Z\",\"container_config\":{\"Cmd\":[\"x\"]},\"throwaway\":true}"
      }
   ],
   "signatures": [
      {
         "header": {
            "jwk": {
               "crv": "P-256",
               "kid": "ZTTU:TWGF:DP6K:5KDT:EDI3:2NG6:FT5H:VYQD:LPTP:EHLW:NNC2:QJZP",
               "kty": "EC",
               "x": "4JMPpUL4F3bOnSjdNfdVIqEwVuF4Bdy8HeYrZKdVAPs",
               "y": "OkTah0DM9XBM15xnP30QaWQivt6b91W2B-ztmKfzFfA"
            },
            "alg": "ES256"
         },
         "signature": "OwgTA7UhPpHz47tBGRfbkFh6A7HeaaEOJH9SHS_2kI6dINAryqJ2WsmKdwjX3uA4IbjvNvkczSuXWgq0jW1I6w",
         "protected": "eyJmb3JtYXRMZW5ndGgiOjgyMCwiZm9ybWF0VGFpbCI6IkNuMCIsInRpbWUiOiIyMDI2LTExLTIxVDEwOjU4OjMyWiJ9"
      }
   ]
}`),
};

export interface Observed {
  readonly repository: string;
  readonly tag: string;
  readonly config: Buffer;
  readonly layer: Buffer;
  /** Header `Docker-Content-Digest`. */
  readonly digest: string;
  /** Bytes, of which the digest is. */
  readonly payloadLength: number;
  /** Of the key that the registry made itself. */
  readonly keyId: string;
  readonly document: Buffer;
}
