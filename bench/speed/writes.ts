import { randomBytes } from "node:crypto";
import { open } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { run } from "../../test/support/run.ts";
import { REPOSITORY } from "./content.ts";
import { SERVER_CORE } from "./pinned.ts";

const MIB = 2 ** 20;
export const BIG = 256;
const PUSHER = fileURLToPath(new URL("pusher.ts", import.meta.url));
const LAYOUT = fileURLToPath(new URL("layout.ts", import.meta.url));
const IMAGES = 200;

/** A file of 256 MiB whose first bytes change from push to push. */
export class BigFile {
  readonly path: string;

  private constructor(path: string) {
    this.path = path;
  }

  static async make(path: string): Promise<BigFile> {
    await run("dd", ["if=/dev/urandom", `of=${path}`, "bs=1M", `count=${BIG}`, "status=none"]);
    return new BigFile(path);
  }

  /** @returns the digest of the new bytes */
  async change(): Promise<string> {
    await using file = await open(this.path, "r+");
    await file.write(randomBytes(32), 0, 32, 0);
    return `sha256:${(await run("sha256sum", [this.path])).split(" ")[0]}`;
  }
}

/** @returns MiB a second, from the first request to the end of the last */
export async function pushBig(url: string, file: BigFile): Promise<{ readonly rate: number; readonly digest: string }> {
  const digest = await file.change();
  const begun = await curl(["-X", "POST", `${url}/v2/${REPOSITORY}/blobs/uploads/`], 202);
  const type = ["-H", "Content-Type: application/octet-stream", "-H", "Expect:"];
  const sent = await curl(["-X", "PATCH", ...type, "-T", file.path, begun.location], 202);
  const end = `${sent.location}${sent.location.includes("?") ? "&" : "?"}digest=${digest}`;
  const done = await curl(["-X", "PUT", "-H", "Content-Length: 0", end], 201);
  return { rate: BIG / (begun.seconds + sent.seconds + done.seconds), digest };
}

/** @returns MiB a second */
export async function pullBig(url: string, mebibytes: number = BIG): Promise<number> {
  const { seconds, size } = await curl([url], 200);
  if (size !== mebibytes * MIB) throw new Error(`${url}: ${size} bytes came`);
  return mebibytes / seconds;
}

/** One pull is over in a tenth of a second, so several in a row. @returns the median, MiB a second */
export async function pullBigs(url: string): Promise<number> {
  const rates: number[] = [];
  for (let pull = 0; pull < 5; pull++) rates.push(await pullBig(url));
  return rates.sort((one, other) => one - other)[2] ?? 0;
}

/** In one request, to a server that is no registry. @returns MiB a second */
export async function putBig(url: string, file: BigFile): Promise<number> {
  return BIG / (await curl(["-X", "PUT", "-H", "Expect:", "-T", file.path, url], 201)).seconds;
}

/** Two layers of 4 KiB, a configuration and a manifest, by eight at once. @returns images a second */
export async function pushSmallImages(url: string): Promise<number> {
  return Number(await run(process.execPath, [PUSHER, url, String(IMAGES)]));
}

/** The folders, files and syncs of as many, without a server. @returns images a second */
export async function writeLayouts(folder: string): Promise<number> {
  const command = ["--cpu-list", SERVER_CORE, process.execPath, LAYOUT, folder, String(IMAGES)];
  return Number(await run("taskset", command));
}

interface Done {
  readonly seconds: number;
  readonly size: number;
  readonly location: string;
}

async function curl(args: readonly string[], status: number): Promise<Done> {
  const figures = "%{http_code} %{time_total} %{size_download} %header{location}";
  const output = await run("curl", ["--silent", "--show-error", "--output", "/dev/null", "-w", figures, ...args]);
  const [code, seconds, size, location = ""] = output.trim().split(" ");
  if (Number(code) !== status) throw new Error(`curl ${args.join(" ")}: ${output}`);
  return { seconds: Number(seconds), size: Number(size), location: absolute(location, args.at(-1) ?? "") };
}

function absolute(location: string, base: string): string {
  return location === "" ? "" : new URL(location, base).href;
}
