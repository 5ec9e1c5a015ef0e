import { parseAddress } from "./address.ts";
import { CACHES, type CacheName } from "./config.ts";
import type { Finding } from "./finding.ts";
import { find, isNull, type Mapping, Scalar, Sequence, type Tree } from "./tree.ts";

/** What the schema cannot say of `storage.cache` and of the Redis it names. */
export function cacheFindings(root: Mapping): Finding[] {
  const cache = given(root, "storage.cache.blobdescriptor") ?? given(root, "storage.cache.layerinfo");
  if (cache === undefined) return [];
  if (!isCacheName(cache.text)) {
    return [warning(cache, `${JSON.stringify(cache.text)} is no descriptor cache, so there is none, use ${ACCEPTED}`)];
  }
  return cache.text === "redis" ? [...addressFindings(root, cache), ...tlsFindings(root)] : [];
}

function isCacheName(text: string): text is CacheName {
  return CACHES.some((name) => name === text);
}

const ACCEPTED = CACHES.join(" or ");

function addressFindings(root: Mapping, { where }: Scalar): Finding[] {
  const addresses = addressesOf(root);
  if (addresses.length > 0) return addresses.flatMap(addressFinding);
  const sentence = "the descriptor cache is in redis, but redis.addrs names no server, such as [localhost:6379]";
  return [{ about: "redis.addrs", where, sentence, fatal: true }];
}

function addressesOf(root: Mapping): Scalar[] {
  const list = find(root, ["redis", "addrs"]);
  const items = list instanceof Sequence ? list.items.filter(isGiven) : [];
  const older = given(root, "redis.addr");
  return items.length === 0 && older ? [older] : items;
}

/** What was found is not quoted: somebody may have written a URL with a password. */
function addressFinding({ text, where }: Scalar): Finding[] {
  if (isAddress(text)) return [];
  const sentence = "redis.addrs has what is no address of a server, must be <host>:<port>, such as localhost:6379";
  return [{ about: `${where} redis.addrs`, where, sentence, fatal: true }];
}

function isAddress(text: string): boolean {
  try {
    return parseAddress(text).port > 0;
  } catch {
    return false;
  }
}

/** As in the peers, who then show no certificate. */
function tlsFindings(root: Mapping): Finding[] {
  const [certificate, key] = [given(root, "redis.tls.certificate"), given(root, "redis.tls.key")];
  const alone = certificate && key ? undefined : (certificate ?? key);
  return alone ? [warning(alone, "redis.tls.certificate and redis.tls.key count only together, and are ignored")] : [];
}

function given(root: Mapping, path: string): Scalar | undefined {
  const tree = find(root, path.split("."));
  return isGiven(tree) ? tree : undefined;
}

function isGiven(tree: Tree | undefined): tree is Scalar {
  return tree instanceof Scalar && !isNull(tree) && tree.text !== "";
}

function warning({ where }: Scalar, sentence: string): Finding {
  return { about: sentence, where, sentence, fatal: false };
}
