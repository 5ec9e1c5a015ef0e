import { z } from "zod";
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
} from "./fields.ts";
import type { StorageSection } from "./file-config.ts";

const MOST_THREADS = 100;
const LEAST_THREADS = 25;

const enabled = (byDefault: boolean): z.ZodType<{ enabled: boolean }> =>
  alwaysThere({ enabled: bool.default(byDefault) });

/** A number, or one written as text; too small ones are raised. */
const threads: Field<number> = field("a whole number", ({ text }) =>
  /^[+-]?\d+$/.test(text) ? Math.max(LEAST_THREADS, Number(text)) : undefined,
);

const filesystem = section({
  rootdirectory: named("the path of a directory").default("/var/lib/registry"),
  maxthreads: threads.default(MOST_THREADS),
});

const uploadpurging = alwaysThere({
  enabled: bool.default(true),
  age: duration.default(168 * 3_600_000),
  interval: duration.default(24 * 3_600_000),
  dryrun: bool.default(false),
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

const driver = parameters.unwrap().optional();

export const storage: z.ZodType<StorageSection> = section({
  filesystem: filesystem.optional(),
  inmemory: driver,
  s3: s3.optional(),
  s3aws: driver,
  azure: driver,
  gcs: driver,
  swift: driver,
  oss: driver,
  rados: driver,
  maintenance: alwaysThere({ uploadpurging, readonly: enabled(false) }),
  delete: enabled(false),
  redirect: alwaysThere({ disable: bool.default(false) }),
  cache: alwaysThere({
    blobdescriptor: optionalText,
    layerinfo: optionalText,
    blobdescriptorsize: int().default(10_000),
  }),
  tag: alwaysThere({ concurrencylimit: int(0).default(0) }),
});

/** The section of a driver that is named by its module, which alone knows what its parameters mean. */
export function ownDriver(specifier: string): z.ZodType<Parameters> {
  const document = z.object({ storage: z.object({ [specifier]: parameters }) });
  return document.transform(({ storage }) => storage[specifier] ?? {});
}
