/**
 * Which IP addresses are Amazon's, from the list it publishes:
 *
 *     {"prefixes": [{"ip_prefix": "3.5.140.0/22", "region": "ap-northeast-2"}, …],
 *      "ipv6_prefixes": [{"ipv6_prefix": "2a05:d07a:a000::/40", "region": "eu-south-1"}, …]}
 *
 * @see https://docs.aws.amazon.com/vpc/latest/userguide/aws-ip-ranges.html
 */
import { BlockList, isIP } from "node:net";
import { waited } from "../../lib/waited.ts";

export interface AwsRangesOptions {
  readonly url: URL;
  /** ms between two readings; a minute at least */
  readonly frequency: number;
  /** Those that count, in any case; all of them where undefined. */
  readonly regions: readonly string[] | undefined;
  readonly warn: (message: string, fields: Readonly<Record<string, unknown>>) => void;
  /** Resolves after so many ms, with false where the signal came first. */
  readonly wait?: (ms: number, signal: AbortSignal) => Promise<boolean>;
}

const LEAST_FREQUENCY = 60_000;

/** How soon a reading that failed is repeated, where the next one is not due sooner. ms */
const RETRY_AFTER = 5 * 60_000;

/** ms for one reading. */
const TIME_LIMIT = 30_000;

/** Bytes of a list; Amazon's has less than three million. */
const SIZE_LIMIT = 16 * 1024 * 1024;

/**
 * Reads the list at once, without making anybody wait, and again and again until disposed of. Until the first reading
 * succeeds no address is Amazon's; where a later one fails, the list before it counts.
 */
export class AwsRanges implements AsyncDisposable {
  readonly #options: AwsRangesOptions;
  readonly #stop: AbortController = new AbortController();
  readonly #running: Promise<void>;
  #blocks: BlockList = new BlockList();

  constructor(options: AwsRangesOptions) {
    this.#options = options;
    this.#running = this.#run();
  }

  /** @param address anything; what is no IP address lies nowhere */
  contains(address: string | undefined): boolean {
    const family = isIP(address ?? "");
    return address !== undefined && family !== 0 && this.#blocks.check(address, family === 4 ? "ipv4" : "ipv6");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { wait = waited } = this.#options;
    const { signal } = this.#stop;
    let pause: number;
    do {
      const frequency = Math.max(this.#options.frequency, LEAST_FREQUENCY);
      pause = (await this.#read(signal)) ? frequency : Math.min(RETRY_AFTER, frequency);
    } while (await wait(pause, signal));
  }

  /** @returns whether it could be read */
  async #read(signal: AbortSignal): Promise<boolean> {
    const { url, regions, warn } = this.#options;
    try {
      const list = await fetchList(url, AbortSignal.any([signal, AbortSignal.timeout(TIME_LIMIT)]));
      this.#blocks = toBlocks(list, regions);
      return true;
    } catch (error) {
      if (!signal.aborted) {
        warn("the list of Amazon's addresses cannot be read, the one before counts", {
          url: url.href,
          reason: String(error),
        });
      }
      return false;
    }
  }
}

async function fetchList(url: URL, signal: AbortSignal): Promise<unknown> {
  const answer = await fetch(url, { signal });
  if (answer.status !== 200 || answer.body === null) {
    await answer.body?.cancel();
    throw new Error(`it is answered with status ${answer.status}`);
  }
  return JSON.parse(await readText(answer.body));
}

async function readText(body: AsyncIterable<Uint8Array>): Promise<string> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of body) {
    size += part.length;
    if (size > SIZE_LIMIT) throw new Error(`it has more than ${SIZE_LIMIT} bytes`);
    parts.push(part);
  }
  return Buffer.concat(parts).toString();
}

/** Some 50 ms for Amazon's list of 11,000, twice a day. */
function toBlocks(list: unknown, regions: readonly string[] | undefined): BlockList {
  const blocks = new BlockList();
  const wanted = regions && new Set(regions.map((region) => region.toLowerCase()));
  for (const { prefix, region } of [
    ...entriesOf(list, "prefixes", "ip_prefix"),
    ...entriesOf(list, "ipv6_prefixes", "ipv6_prefix"),
  ]) {
    if (wanted === undefined || wanted.has(region.toLowerCase())) addPrefix(blocks, prefix);
  }
  return blocks;
}

interface Entry {
  readonly prefix: string;
  readonly region: string;
}

/** @throws {Error} where the list has another form as a whole; single entries may */
function entriesOf(list: unknown, key: string, prefixKey: string): readonly Entry[] {
  const entries: unknown = Object(list)[key];
  if (!Array.isArray(entries)) throw new Error(`it has no list ${key}`);
  return entries.map((entry) => ({
    prefix: String(Object(entry)[prefixKey]),
    region: String(Object(entry)["region"]),
  }));
}

/** What is no prefix is passed over. */
function addPrefix(blocks: BlockList, prefix: string): void {
  const [, address = "", length] = /^([\d.]+|[\da-f:]+)\/(\d{1,3})$/i.exec(prefix) ?? [];
  const family = isIP(address);
  if (family === 0 || Number(length) > (family === 4 ? 32 : 128)) return;
  blocks.addSubnet(address, Number(length), family === 4 ? "ipv4" : "ipv6");
}
