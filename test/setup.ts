import { accessSync, constants, existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { run, tryRun } from "./support/run.ts";

/** Programs of the suites and the Debian package that brings each. */
const PACKAGES = {
  skopeo: "skopeo",
  podman: "podman",
  buildah: "buildah",
  umoci: "umoci",
  "docker-registry": "docker-registry",
  "redis-server": "redis-server",
  containerd: "containerd",
  ctr: "containerd",
  nginx: "nginx",
  mmdebstrap: "mmdebstrap",
  curl: "curl",
  wrk: "wrk",
  ab: "apache2-utils",
  htpasswd: "apache2-utils",
} as const;

export type DebianProgram = keyof typeof PACKAGES;

/** Packages whose installation starts a service that the tests do not want, such as one on port 5000 or 80. */
const SERVICES: readonly string[] = ["docker-registry", "containerd", "redis-server", "nginx"];

/**
 * Brings the real clients and the peer: as root on a Debian machine it installs what is missing, else it says what
 * is missing. The suites decide with {@link requireDebian} what that means.
 */
export async function setUp(): Promise<void> {
  const missing = missingPackages();
  if (missing.length === 0) return;
  if (!canInstall()) {
    console.log(
      `not installed: ${missing.join(" ")}; the suites that need them are skipped (as root they get installed)`,
    );
    return;
  }
  console.log(`installing from Debian: ${missing.join(" ")}`);
  await install(missing).catch((error: Error) => console.log(`the installation failed: ${error.message}`));
}

/**
 * The programs of these that are not installed.
 * @throws {Error} when there are any and the environment says `CI=true`
 */
export function requireDebian(...programs: readonly DebianProgram[]): readonly DebianProgram[] {
  const missing = programs.filter((program) => !isInstalled(program));
  if (missing.length > 0) refuseInCi(`not installed: ${missing.join(" ")}`);
  return missing;
}

/** For a suite's `skip` option: false, or why the suite cannot run here. */
export function unlessDebian(...programs: readonly DebianProgram[]): string | false {
  const missing = requireDebian(...programs);
  return missing.length > 0 && `not installed: ${missing.join(" ")}`;
}

/** As {@link unlessDebian}, for programs that make file systems or namespaces and so need root. */
export function unlessDebianRoot(...programs: readonly DebianProgram[]): string | false {
  const reason = unlessDebian(...programs);
  if (reason !== false || isRoot()) return reason;
  refuseInCi(`${programs.join(", ")}: not run by root`);
  return `${programs.join(", ")} only as root`;
}

function refuseInCi(reason: string): void {
  if (process.env["CI"] === "true") throw new Error(`${reason}; with CI=true every client must run`);
}

function missingPackages(): readonly string[] {
  const programs = Object.keys(PACKAGES) as DebianProgram[];
  return [...new Set(programs.filter((program) => !isInstalled(program)).map((program) => PACKAGES[program]))];
}

function isInstalled(program: DebianProgram): boolean {
  return (process.env["PATH"] ?? "").split(delimiter).some((folder) => isExecutable(join(folder, program)));
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function canInstall(): boolean {
  return isRoot() && existsSync("/usr/bin/apt-get");
}

function isRoot(): boolean {
  return process.getuid?.() === 0;
}

async function install(packages: readonly string[]): Promise<void> {
  const env = { DEBIAN_FRONTEND: "noninteractive" };
  await run("apt-get", ["update", "-qq"], { env });
  await run("apt-get", ["install", "-qq", "-y", "--no-install-recommends", ...packages], { env });
  if (!existsSync("/run/systemd/system")) return;
  const started = SERVICES.filter((service) => packages.includes(service));
  if (started.length > 0) await tryRun("systemctl", ["disable", "--now", ...started]);
}
