import type {
  CacheConfig,
  Config,
  DriverConfig,
  EndpointConfig,
  FilesystemParameters,
  Parameters,
  StorageConfig,
  ValidationConfig,
} from "./config.ts";
import type { LogConfig, LogLevel } from "./log-config.ts";
import type { RedisConfig } from "./redis-config.ts";

/** What stands in the file, checked and with defaults, older spellings still beside the present ones. */
export interface FileConfig
  extends Omit<Config, "log" | "storage" | "auth" | "notifications" | "redis" | "validation"> {
  readonly log: Omit<LogConfig, "level"> & { readonly level?: LogLevel | undefined };
  readonly loglevel?: LogLevel | undefined;
  readonly storage: StorageSection;
  readonly auth: Config["auth"] & { readonly none?: Parameters | undefined };
  readonly notifications: {
    readonly events: Config["notifications"]["events"];
    readonly endpoints: readonly Endpoint[];
  };
  readonly redis?: RedisSection | undefined;
  readonly validation: ValidationConfig & { readonly enabled?: boolean | undefined };
}

export type StorageSection = Omit<StorageConfig, "driver" | "cache"> & {
  readonly filesystem?: FilesystemParameters | undefined;
  readonly s3?: Parameters | undefined;
  readonly s3aws?: Parameters | undefined;
  readonly inmemory?: DriverConfig["parameters"] | undefined;
  readonly cache: Omit<CacheConfig, "blobdescriptor"> & {
    readonly blobdescriptor?: string | undefined;
    readonly layerinfo?: string | undefined;
  };
};

export type Endpoint = EndpointConfig & { readonly ignoredmediatypes: readonly string[] };

export type RedisSection = RedisConfig & {
  readonly addr?: string | undefined;
  readonly pool: {
    readonly maxidle?: number | undefined;
    readonly maxactive?: number | undefined;
    readonly idletimeout?: number | undefined;
  };
};
