/** Builds the container image: `npm run image -- --help`. */
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { ARCHITECTURES, stage } from "./stage.ts";

const BUILDERS = ["buildah", "podman", "docker"] as const;

const HELP = `npm run image -- [options]

  --tag <name>       the image's name; localhost/wharfinger:<version> when not given
  --base <image>     what it stands on: glibc and a shell; Debian's bookworm-slim when not given
  --user <user>      who it runs as, a number or number:group; 0 when not given
  --arch <name>      ${ARCHITECTURES.join(" or ")}; this machine's when not given
  --with <program>   ${BUILDERS.join(", ")}; the first of them that is there when not given
  --stage <folder>   only lay out the folder to build from, with its Containerfile
  --help             print this
`;

const { values } = parseArgs({
  options: {
    tag: { type: "string" },
    base: { type: "string" },
    user: { type: "string" },
    arch: { type: "string", default: process.arch },
    with: { type: "string" },
    stage: { type: "string" },
    help: { type: "boolean", default: false },
  },
});
const { version } = JSON.parse(readFileSync(join(import.meta.dirname, "..", "package.json"), "utf8")) as {
  readonly version: string;
};

if (values.help) process.stdout.write(HELP);
else if (values.stage !== undefined) stage(values.stage, oneOf(ARCHITECTURES, values.arch, "--arch"));
else buildImage();

function buildImage(): void {
  const builder = values.with === undefined ? findBuilder() : oneOf(BUILDERS, values.with, "--with");
  const architecture = oneOf(ARCHITECTURES, values.arch, "--arch");
  const folder = mkdtempSync(join(tmpdir(), "wharfinger-image-"));
  try {
    stage(folder, architecture);
    const platform = `linux/${architecture === "x64" ? "amd64" : architecture}`;
    const args = ["build", "--file", join(folder, "Containerfile"), "--platform", platform, ...buildArgs()];
    execFileSync(builder, [...args, "--tag", values.tag ?? `localhost/wharfinger:${version}`, folder], {
      stdio: "inherit",
      env: { BUILDAH_LAYERS: "true", ...process.env }, // as the others do it: Node in a layer of its own
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function buildArgs(): readonly string[] {
  const given = { BASE: values.base, USER: values.user, VERSION: version, REVISION: revision() };
  return Object.entries(given).flatMap(([name, value]) => (value ? ["--build-arg", `${name}=${value}`] : []));
}

/** The commit, where this is a working tree of Git. */
function revision(): string | undefined {
  const { status, stdout } = spawnSync("git", ["rev-parse", "HEAD"], { cwd: import.meta.dirname, encoding: "utf8" });
  return status === 0 ? stdout.trim() : undefined;
}

function findBuilder(): string {
  const found = BUILDERS.find((name) => spawnSync(name, ["--version"]).status === 0);
  return found ?? refuse(`none of these is installed: ${BUILDERS.join(", ")}; --stage <folder> needs none of them`);
}

function oneOf<Name extends string>(names: readonly Name[], value: string, option: string): Name {
  return names.find((name) => name === value) ?? refuse(`${option} is ${value}, but must be ${names.join(" or ")}`);
}

function refuse(sentence: string): never {
  process.stderr.write(`${sentence}\n`);
  process.exit(1);
}
