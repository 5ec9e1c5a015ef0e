import type { Section } from "./row.ts";

/** A value that keeps a registry from starting. */
export interface Refusal {
  readonly key: string;
  readonly value: unknown;
  /** What else has to stand there. */
  readonly beside?: Section;
  /** What the old registry says. `starts`: it takes the value, and why we do not. */
  readonly old: RegExp | { readonly starts: string };
  /** Other keys that ours names. */
  readonly names?: string;
  /** Where the old registry does not listen to the key's own: it knows no key of a map in a map, only the whole. */
  readonly variable?: readonly [name: string, value: string];
  /** Why there is no such variable. */
  readonly noVariable?: string;
}

const TYPE = /cannot unmarshal/;
const BUCKET = { storage: { s3: { accesskey: "a", secretkey: "b", region: "us-east-1", bucket: "b" } } };
const PURGING = {
  storage: { maintenance: { uploadpurging: { enabled: true, age: "1h", interval: "1h", dryrun: false } } },
};
/** With one other value. */
const purgingWith = (key: string, value: string): readonly [string, string] => [
  "REGISTRY_STORAGE_MAINTENANCE_UPLOADPURGING",
  JSON.stringify({ ...PURGING.storage.maintenance.uploadpurging, [key]: value }),
];
const OWN_STORAGE = "the driver's section stands in the file, and another one cannot take it out";

export const REFUSALS: readonly Refusal[] = [
  { key: "version", value: "0.2", old: /unsupported version/, noVariable: "the version is a property of the file" },
  { key: "log.level", value: "trace", old: /invalid loglevel trace/, names: "loglevel" },
  { key: "log.formatter", value: "xml", old: /unsupported logging formatter/, names: "formatter" },
  { key: "log.accesslog.disabled", value: "maybe", old: TYPE },
  { key: "loglevel", value: "trace", old: /invalid loglevel trace/ },
  { key: "storage.tape.*", value: {}, old: /StorageDriver not registered/, names: "storage", noVariable: OWN_STORAGE },
  { key: "storage.filesystem.maxthreads", value: "many", old: /maxthreads config error/ },
  {
    key: "storage.maintenance.uploadpurging.age",
    value: "soon",
    variable: purgingWith("age", "soon"),
    beside: PURGING,
    old: /Cannot parse duration/,
  },
  {
    key: "storage.maintenance.uploadpurging.interval",
    value: "soon",
    variable: purgingWith("interval", "soon"),
    beside: PURGING,
    old: /Cannot parse interval/,
  },
  {
    key: "storage.maintenance.uploadpurging.dryrun",
    value: "maybe",
    variable: purgingWith("dryrun", "maybe"),
    beside: PURGING,
    old: /cannot parse dryrun/,
  },
  {
    key: "storage.maintenance.uploadpurging.enabled",
    value: "maybe",
    variable: purgingWith("enabled", "maybe"),
    beside: PURGING,
    old: { starts: "and purges: whatever is not false counts as true" },
  },
  {
    key: "storage.maintenance.readonly.enabled",
    value: "maybe",
    variable: ["REGISTRY_STORAGE_MAINTENANCE_READONLY", "{enabled: maybe}"],
    beside: { storage: { maintenance: { readonly: { enabled: false } } } },
    old: /readonly's enabled config key must have a boolean value/,
  },
  {
    key: "storage.delete.enabled",
    value: "maybe",
    old: { starts: "and deletes nothing: what is no boolean is false" },
  },
  { key: "storage.redirect.disable", value: "maybe", old: /invalid type for redirect config/ },
  { key: "storage.cache.blobdescriptor", value: "redis", old: /redis configuration required/, names: "redis.addrs" },
  { key: "storage.cache.layerinfo", value: "redis", old: /redis configuration required/, names: "redis.addrs" },
  { key: "storage.s3.bucket", value: null, beside: BUCKET, old: /no bucket parameter/ },
  { key: "storage.s3.region", value: "nowhere-1", beside: BUCKET, old: /invalid region/ },
  { key: "storage.s3.encrypt", value: "maybe", beside: BUCKET, old: /encrypt parameter/ },
  { key: "storage.s3.secure", value: "maybe", beside: BUCKET, old: /secure parameter/ },
  { key: "storage.s3.skipverify", value: "maybe", beside: BUCKET, old: /skipVerify parameter/ },
  { key: "storage.s3.v4auth", value: false, beside: BUCKET, old: /v4 authentication/ },
  { key: "storage.s3.chunksize", value: 1, beside: BUCKET, old: /chunksize 1 parameter/ },
  { key: "storage.s3.multipartcopychunksize", value: 1, beside: BUCKET, old: /multipartcopychunksize 1/ },
  { key: "storage.s3.multipartcopymaxconcurrency", value: 0, beside: BUCKET, old: /multipartcopymaxconcurrency 0/ },
  { key: "storage.s3.multipartcopythresholdsize", value: -1, beside: BUCKET, old: /multipartcopythresholdsize -1/ },
  { key: "storage.s3.storageclass", value: "GOLD", beside: BUCKET, old: /storageclass parameter/ },
  { key: "storage.s3.objectacl", value: "nobody", beside: BUCKET, old: /objectacl parameter/ },
  {
    key: "storage.s3aws.*",
    value: { region: "us-east-1" },
    old: /no bucket parameter/,
    names: "bucket",
    noVariable: OWN_STORAGE,
  },
  { key: "middleware.registry[].name", value: [{ name: "nobody" }], old: /no registry middleware registered/ },
  {
    key: "middleware.repository[].name",
    value: [{ name: "nobody" }],
    old: { starts: "and fails each request: it looks no sooner" },
  },
  { key: "middleware.storage[].name", value: [{ name: "nobody" }], old: /no storage middleware registered/ },
  { key: "http.addr", value: "nonsense", old: /missing port in address/ },
  { key: "http.net", value: "udp", old: /unknown address type udp/ },
  { key: "http.prefix", value: "p", old: { starts: "and answers 404 to everything" } },
  { key: "http.host", value: { a: "b" }, old: TYPE },
  { key: "http.secret", value: { a: "b" }, old: TYPE },
  { key: "http.draintimeout", value: "soon", old: TYPE },
  { key: "http.relativeurls", value: "maybe", old: TYPE },
  { key: "http.headers.*[]", value: "b", old: TYPE },
  { key: "redis.db", value: "x", old: TYPE },
  { key: "redis.dialtimeout", value: "soon", old: TYPE },
  { key: "redis.readtimeout", value: "soon", old: TYPE },
  { key: "redis.writetimeout", value: "soon", old: TYPE },
  { key: "redis.pool.maxidle", value: "x", old: TYPE },
  { key: "redis.pool.maxactive", value: "x", old: TYPE },
  { key: "redis.pool.idletimeout", value: "soon", old: TYPE },
  { key: "catalog.maxentries", value: "many", old: TYPE },
  { key: "validation.disabled", value: "maybe", old: TYPE },
  { key: "validation.enabled", value: "maybe", old: TYPE },
  { key: "validation.manifests.urls.allow[]", value: ["("], old: /urls.allow: error parsing regexp/ },
  { key: "validation.manifests.urls.deny[]", value: ["("], old: /urls.deny: error parsing regexp/ },
  { key: "compatibility.schema1.enabled", value: "maybe", old: TYPE },
  {
    key: "compatibility.schema1.signingkeyfile",
    value: "/nowhere",
    beside: { compatibility: { schema1: { enabled: true } } },
    old: /key file does not exist/,
  },
  { key: "reporting.newrelic.verbose", value: "maybe", old: TYPE },
];
