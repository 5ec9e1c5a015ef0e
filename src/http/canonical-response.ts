import { type IncomingMessage, ServerResponse } from "node:http";

/**
 * Prints header names as Go programs do (`Docker-Content-Digest`). No client has to care, but a good many scripts around
 * the peers look for exactly that spelling.
 */
export class CanonicalResponse<R extends IncomingMessage = IncomingMessage> extends ServerResponse<R> {
  override writeHead(status: number, ...rest: unknown[]): this {
    const headers = rest.at(-1);
    const named = typeof headers === "object" && headers !== null && !Array.isArray(headers);
    const spelled = named ? canonical(headers) : headers;
    return Reflect.apply(super.writeHead, this, [status, ...rest.slice(0, -1), spelled]) as this;
  }
}

function canonical(headers: object): Record<string, unknown> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [canonicalName(name), value]));
}

const names = new Map<string, string>();

function canonicalName(name: string): string {
  const known = names.get(name);
  if (known !== undefined) return known;
  const spelled = name.replaceAll(/(?:^|-)[a-z]/g, (start) => start.toUpperCase()).replace(/^Oci-/, "OCI-");
  if (names.size < 256) names.set(name, spelled);
  return spelled;
}
