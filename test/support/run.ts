import { spawn } from "node:child_process";

export interface RunOptions {
  readonly cwd?: string;
  /** Added to this process's environment. */
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string;
}

export interface Output {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Runs a command to its end and answers what it wrote to standard output.
 * @throws {Error} with everything the command said, when it exits with another code than 0
 */
export async function run(command: string, args: readonly string[], options: RunOptions = {}): Promise<string> {
  const output = await tryRun(command, args, options);
  if (output.exitCode === 0) return output.stdout;
  throw new Error(
    `${command} ${args.join(" ")}: exit code ${output.exitCode}\n${output.stderr.trim()}\n${output.stdout.trim()}`,
  );
}

/** Runs a command to its end, whatever its exit code. Killed by a signal counts as exit code -1. */
export function tryRun(command: string, args: readonly string[], options: RunOptions = {}): Promise<Output> {
  const { promise, resolve, reject } = Promise.withResolvers<Output>();
  const child = spawn(command, args, {
    cwd: options.cwd,
    env: { ...process.env, ...options.env },
  });
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  child.stdout.on("data", (bytes: Buffer) => stdout.push(bytes));
  child.stderr.on("data", (bytes: Buffer) => stderr.push(bytes));
  child.on("error", reject);
  child.on("close", (code) => {
    resolve({
      exitCode: code ?? -1,
      stdout: Buffer.concat(stdout).toString(),
      stderr: Buffer.concat(stderr).toString(),
    });
  });
  child.stdin.on("error", () => {});
  child.stdin.end(options.input ?? "");
  return promise;
}
