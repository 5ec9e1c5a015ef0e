import type { UploadId } from "./upload-id.ts";

/** What the storage said of a session. */
export interface UploadState {
  readonly id: UploadId;
  readonly startedAt: Date;
  readonly size: number;
  /** When its data was last written, where the storage tells. ms */
  readonly modified: number | undefined;
  /** Another one for other bytes, where the storage tells. */
  readonly version?: string | undefined;
}
