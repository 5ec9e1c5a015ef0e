/**
 * The `_state` of an upload's URL, the same as the peers' where `http.secret` is the same:
 *
 *     base64url( HMAC-SHA256(secret, message) ‖ message ), with padding
 *     message = {"Name":"<repository>","UUID":"<id>","Offset":<bytes>,"StartedAt":"<RFC 3339>"}
 *
 * @see http-api, section 8, "Session token"
 */
import { createHmac, timingSafeEqual } from "node:crypto";
import { UploadInvalid } from "../oci/errors.ts";
import type { RepositoryName } from "../oci/names.ts";
import type { Upload } from "../registry/registry.ts";

const MAC_LENGTH = 32;

export function printToken(secret: string, name: RepositoryName, upload: Upload): string {
  const state = { Name: name, UUID: upload.id, Offset: upload.size, StartedAt: upload.startedAt.toISOString() };
  const message = Buffer.from(JSON.stringify(state));
  const text = Buffer.concat([mac(secret, message), message]).toString("base64url");
  return text.padEnd(Math.ceil(text.length / 4) * 4, "=");
}

/**
 * @returns the offset that the client believes the upload to have, in bytes
 * @throws {UploadInvalid} for a token that this secret did not sign, or signed for another session
 */
export function verifyToken(secret: string, token: string | null, name: string, id: string): number {
  const bytes = Buffer.from(token ?? "", "base64url");
  const message = bytes.subarray(MAC_LENGTH);
  if (bytes.length <= MAC_LENGTH || !timingSafeEqual(mac(secret, message), bytes.subarray(0, MAC_LENGTH))) {
    throw new UploadInvalid("invalid secret");
  }
  const state = JSON.parse(message.toString()) as Partial<Record<string, unknown>>;
  if (state["Name"] !== name || state["UUID"] !== id || typeof state["Offset"] !== "number") {
    throw new UploadInvalid("the _state belongs to another upload");
  }
  return state["Offset"];
}

function mac(secret: string, message: Uint8Array): Buffer {
  return createHmac("sha256", secret).update(message).digest();
}
