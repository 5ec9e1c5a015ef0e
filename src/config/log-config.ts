export type LogLevel = "error" | "warn" | "info" | "debug";
export type LogFormatter = "text" | "json" | "logstash";

export interface LogConfig {
  readonly accesslog: { readonly disabled: boolean };
  readonly level: LogLevel;
  readonly formatter: LogFormatter;
  /** Added to every line. */
  readonly fields: Readonly<Record<string, unknown>>;
  readonly hooks: readonly LogHook[];
  readonly reportcaller: boolean;
}

export interface LogHook {
  readonly type: string;
  readonly disabled: boolean;
  readonly levels: readonly HookLevel[];
  readonly options: MailOptions;
}

export type HookLevel = LogLevel | "warning" | "fatal" | "panic";

/** With an address of a server, a sender and recipients, unless the hook is disabled. */
export interface MailOptions {
  readonly smtp: {
    /** `host:port` */
    readonly addr?: string | undefined;
    readonly username?: string | undefined;
    readonly password?: string | undefined;
    /** The server's certificate is not verified, and a password is sent without encryption where it has none. */
    readonly insecure: boolean;
  };
  readonly from?: string | undefined;
  readonly to: readonly string[];
}
