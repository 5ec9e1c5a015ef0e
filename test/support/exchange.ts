import type { IncomingHttpHeaders, OutgoingHttpHeaders } from "node:http";

export interface SendInit {
  readonly headers?: OutgoingHttpHeaders;
  /** An array is sent chunk by chunk without a Content-Length. */
  readonly body?: string | Uint8Array | readonly Uint8Array[];
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** Name, value, name, value, as they came. */
  readonly rawHeaders: readonly string[];
  readonly body: Buffer;
}
