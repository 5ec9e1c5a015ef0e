export interface HealthConfig {
  readonly storagedriver: { readonly enabled: boolean; readonly interval: number; readonly threshold: number };
  readonly file: readonly FileCheck[];
  readonly http: readonly HttpCheck[];
  readonly tcp: readonly TcpCheck[];
}

export interface FileCheck {
  readonly file: string;
  readonly interval: number;
  readonly threshold: number;
}

export interface HttpCheck {
  readonly uri: string;
  readonly headers: Readonly<Record<string, readonly string[]>>;
  readonly statuscode: number;
  readonly timeout?: number | undefined;
  readonly interval: number;
  readonly threshold: number;
}

export interface TcpCheck {
  readonly addr: string;
  readonly timeout?: number | undefined;
  readonly interval: number;
  readonly threshold: number;
}
