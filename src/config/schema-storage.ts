import * as v from "valibot";
import type { Parameters } from "./config.ts";
import {
  alwaysThere,
  bool,
  duration,
  type Field,
  field,
  int,
  named,
  optionalScalar,
  optionalText,
  parameters,
  section,
  withDefault,
} from "./fields.ts";
import type { StorageSection } from "./file-config.ts";

const MOST_THREADS = 100;
const LEAST_THREADS = 25;

const enabled = (byDefault: boolean): Field<{ enabled: boolean }> =>
  alwaysThere({ enabled: withDefault(bool, byDefault) });

/** A number, or one written as text; too small ones are raised. */
const threads: Field<number> = field("a whole number", ({ text }) =>
  /^[+-]?\d+$/.test(text) ? Math.max(LEAST_THREADS, Number(text)) : undefined,
);

const filesystem = section({
  rootdirectory: withDefault(named("the path of a directory"), "/var/lib/registry"),
  maxthreads: withDefault(threads, MOST_THREADS),
});

const uploadpurging = alwaysThere({
  enabled: withDefault(bool, true),
  age: withDefault(duration, 168 * 3_600_000),
  interval: withDefault(duration, 24 * 3_600_000),
  dryrun: withDefault(bool, false),
});

/** The driver says what is wrong with one of them. */
const s3 = section({
  accesskey: optionalText,
  secretkey: optionalText,
  region: optionalText,
  regionendpoint: optionalText,
  forcepathstyle: optionalScalar,
  bucket: optionalText,
  rootdirectory: optionalText,
  encrypt: optionalScalar,
  keyid: optionalText,
  secure: optionalScalar,
  skipverify: optionalScalar,
  v4auth: optionalScalar,
  chunksize: optionalScalar,
  multipartcopychunksize: optionalScalar,
  multipartcopymaxconcurrency: optionalScalar,
  multipartcopythresholdsize: optionalScalar,
  storageclass: optionalText,
  objectacl: optionalText,
  useragent: optionalText,
  usedualstack: optionalScalar,
  accelerate: optionalScalar,
  usefipsendpoint: optionalScalar,
  loglevel: optionalScalar,
  redirectendpoint: optionalText,
});

const driver = v.optional(parameters);

export const storage: Field<StorageSection> = section({
  filesystem: v.optional(filesystem),
  inmemory: driver,
  s3: v.optional(s3),
  s3aws: driver,
  azure: driver,
  gcs: driver,
  swift: driver,
  oss: driver,
  rados: driver,
  maintenance: alwaysThere({ uploadpurging, readonly: enabled(false) }),
  delete: enabled(false),
  redirect: alwaysThere({ disable: withDefault(bool, false) }),
  cache: alwaysThere({
    blobdescriptor: optionalText,
    layerinfo: optionalText,
    blobdescriptorsize: withDefault(int(), 10_000),
  }),
  tag: alwaysThere({ concurrencylimit: withDefault(int(0), 0) }),
});

/** The section of a driver that is named by its module, which alone knows what its parameters mean. */
export function ownDriver(specifier: string): Field<Parameters> {
  return v.pipe(
    section({ storage: section({ [specifier]: parameters }) }),
    v.transform(({ storage }) => storage[specifier] ?? {}),
  );
}
