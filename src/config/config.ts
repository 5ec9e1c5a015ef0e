import type { HealthConfig } from "./health-config.ts";
import type { LogConfig } from "./log-config.ts";
import type { MiddlewareLists } from "./middleware-config.ts";
import type { RedisConfig } from "./redis-config.ts";
import type { TlsConfig } from "./tls-config.ts";

/**
 * What the rest of the program knows of its configuration: every key of the schema, named as in the file, with defaults
 * filled in and older spellings merged into the present ones. Durations are milliseconds; times a peer keeps in
 * nanoseconds may have fractions.
 *
 * Sections that are absent when the file does not have them are optional here; all others are always there.
 */
export interface Config {
  readonly version: "0.1";
  readonly log: LogConfig;
  readonly storage: StorageConfig;
  /** At most one of them. Empty: everybody may do everything. */
  readonly auth: AuthConfig;
  /** Wrapped around their subject in list order. Disabled entries are left out. */
  readonly middleware: MiddlewareLists;
  readonly http: HttpConfig;
  readonly notifications: NotificationsConfig;
  readonly redis?: RedisConfig | undefined;
  readonly health: HealthConfig;
  readonly catalog: { readonly maxentries: number };
  readonly tags: { readonly maxtags: number };
  readonly proxy?: ProxyConfig | undefined;
  readonly validation: ValidationConfig;
  readonly policy: { readonly repository: { readonly classes: readonly string[] } };
  readonly compatibility: { readonly schema1: Schema1Config };
  readonly reporting: ReportingConfig;
  readonly wharfinger: WharfingerConfig;
}

/** Whatever stands in the file, as YAML reads it. The part that uses it checks it. */
export type Parameters = Readonly<Record<string, unknown>>;

/** Header name, as written, to its values. */
export type Headers = Readonly<Record<string, readonly string[]>>;

export interface StorageConfig {
  readonly driver: DriverConfig;
  readonly maintenance: {
    readonly uploadpurging: UploadPurgingConfig;
    readonly readonly: { readonly enabled: boolean };
  };
  readonly delete: { readonly enabled: boolean };
  readonly redirect: { readonly disable: boolean };
  readonly cache: CacheConfig;
  /** Tag lookups at a time while a manifest is deleted; 0: as many as there are processors. */
  readonly tag: { readonly concurrencylimit: number };
}

/**
 * For `filesystem` the parameters are {@link FilesystemParameters}; `inmemory` has none; those of a driver of the operator's
 * own are as YAML has them.
 */
export interface DriverConfig {
  /** Of a driver of the operator's own: the specifier of its module, which has a slash in it or begins with `file:`. */
  readonly name: string;
  readonly parameters: Parameters;
}

export interface FilesystemParameters extends Parameters {
  readonly rootdirectory: string;
  /** Driver calls at a time, at least 25. */
  readonly maxthreads: number;
}

export interface UploadPurgingConfig {
  readonly enabled: boolean;
  readonly age: number;
  readonly interval: number;
  readonly dryrun: boolean;
}

export interface CacheConfig {
  /** Not set: none. */
  readonly blobdescriptor?: CacheName | undefined;
  /** Entries; 0 or less: as many as fit. */
  readonly blobdescriptorsize: number;
}

export const CACHES = ["inmemory", "redis"] as const;

export type CacheName = (typeof CACHES)[number];

export interface AuthConfig {
  readonly silly?: SillyConfig | undefined;
  readonly htpasswd?: HtpasswdConfig | undefined;
  readonly token?: TokenConfig | undefined;
  /** A controller of the operator's own: the specifier of its module, and what stands there, as YAML has it. */
  readonly own?: { readonly name: string; readonly parameters: Parameters } | undefined;
}

export type ControllerName = Exclude<keyof AuthConfig, "own">;

export interface SillyConfig {
  readonly realm: string;
  readonly service: string;
}

export interface HtpasswdConfig {
  readonly realm: string;
  readonly path: string;
}

export interface TokenConfig {
  readonly realm: string;
  readonly service: string;
  readonly issuer: string;
  readonly rootcertbundle?: string | undefined;
  readonly jwks?: string | undefined;
  readonly autoredirect: boolean;
  readonly autoredirectpath?: string | undefined;
  readonly signingalgorithms: readonly string[];
}

export interface HttpConfig {
  /** `host:port`, or the path of a socket. Empty: a port the system chooses. */
  readonly addr: string;
  readonly net: "tcp" | "unix";
  /** Empty, or begins and ends with a slash. */
  readonly prefix: string;
  readonly host: string;
  readonly secret?: string | undefined;
  readonly relativeurls: boolean;
  /** 0: stop at once. */
  readonly draintimeout: number;
  readonly tls: TlsConfig;
  readonly headers: Headers;
  readonly debug: {
    readonly addr: string;
    readonly prometheus: { readonly enabled: boolean; readonly path: string };
  };
  readonly http2: { readonly disabled: boolean };
  readonly h2c: { readonly enabled: boolean };
}

export interface NotificationsConfig {
  readonly events: { readonly includereferences: boolean };
  readonly endpoints: readonly EndpointConfig[];
}

export interface EndpointConfig {
  readonly name: string;
  readonly disabled: boolean;
  readonly url: string;
  readonly headers: Headers;
  readonly timeout: number;
  readonly threshold: number;
  readonly backoff: number;
  readonly ignore: { readonly mediatypes: readonly string[]; readonly actions: readonly string[] };
}

export interface ProxyConfig {
  /** Its presence turns the cache on. */
  readonly remoteurl?: string | undefined;
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  readonly exec?: { readonly command: string; readonly lifetime?: number | undefined } | undefined;
  /** 0: nothing expires. */
  readonly ttl: number;
  readonly cachewritetimeout: number;
}

export interface ValidationConfig {
  readonly disabled: boolean;
  readonly manifests: {
    readonly urls: { readonly allow: readonly UrlPattern[]; readonly deny: readonly UrlPattern[] };
    readonly indexes: IndexValidation;
  };
}

export interface UrlPattern {
  readonly source: string;
  /** Whether it matches anywhere in `url`. */
  test(url: string): boolean;
}

export interface IndexValidation {
  readonly platforms: "all" | "none" | "list";
  readonly platformlist: readonly { readonly architecture: string; readonly os: string }[];
}

export interface Schema1Config {
  readonly enabled: boolean;
  readonly signingkeyfile?: string | undefined;
}

export interface ReportingConfig {
  readonly bugsnag: {
    readonly apikey?: string | undefined;
    readonly releasestage?: string | undefined;
    readonly endpoint?: string | undefined;
  };
  readonly newrelic: {
    readonly licensekey?: string | undefined;
    readonly name?: string | undefined;
    readonly verbose: boolean;
  };
}

/** Keys of our own. */
export interface WharfingerConfig {
  /** Where our own files live. Not set: beside the storage. */
  readonly datadir?: string | undefined;
  /**
   * Nobody writes to the storage but this registry: one process or, with the descriptor cache in Redis, all that share
   * that Redis.
   */
  readonly exclusive: boolean;
  /** Processes that serve; `auto`: as many as there are cores that can be used. */
  readonly workers: Workers;
  /** Specifiers of modules with kinds of manifests of the operator's own. */
  readonly manifestkinds: readonly string[];
  /** Bytes of events that wait for their endpoints. */
  readonly notifications: { readonly queuesize: number };
  readonly audit: {
    /** A path, or `-` for stdout. Not set: no audit log. */
    readonly file?: string | undefined;
    /** Whether what only reads is in it. */
    readonly pulls: boolean;
  };
  /** IP addresses and networks of the proxies that are believed what they tell of clients. Not set: all are. */
  readonly trustedproxies?: readonly string[] | undefined;
  readonly limits: {
    /** At a time; 0: no limit. */
    readonly connections: number;
    /** Requests with bytes of uploads at a time; 0: no limit. */
    readonly uploads: number;
    readonly address: RateConfig;
    readonly user: RateConfig;
  };
  readonly timeouts: {
    /** From the connection to the end of the request's head. */
    readonly header: number;
    /** Between two requests of a connection. */
    readonly idle: number;
    /** Without a byte of a body. */
    readonly body: number;
  };
}

export type Workers = number | "auto";

export interface RateConfig {
  /** Requests a second; 0: no limit. */
  readonly rate: number;
  /** Requests that may come at once, at least 1. */
  readonly burst: number;
}
