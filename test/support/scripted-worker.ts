/**
 * A worker that serves nothing and does what its `path` says: a crew's member in tests. Its report is a {@link ScriptedReport}.
 *
 * - `dies agreed`: the second one of the start kills itself once all have agreed to a reload.
 * - `fails agreed`: the second one of the start refuses whatever it had agreed to.
 * - `all fail`: each refuses another configuration that it had agreed to.
 * - `dies deleting`: the first one of the start announces a deletion at `renew`, and kills itself when the others know.
 * - `hangs`: the second one of the start answers nothing when it is asked whether it is there.
 * - `hangs starting`: the second one that comes later serves and forgets nothing; the first announces a deletion at `renew`.
 */
import type { Begin, ReadFile } from "../../src/workers/calls.ts";
import { Link } from "../../src/workers/link.ts";

export interface ScriptedReport {
  readonly text: string | undefined;
  /** Digests, in the order in which it was told to forget them. */
  readonly forgotten: readonly string[];
}

type Out = {
  readonly serving: (place: { readonly location: string; readonly address: string }) => void;
  readonly agree: (able: boolean) => Promise<void>;
  readonly announce: (deletion: { kind: "blob"; repository: string; digest: string }) => Promise<void>;
};

let begun: Begin | undefined;
let current: ReadFile | undefined;
const forgotten: string[] = [];

function isThe(number: number, script: string): boolean {
  return begun?.isStart === true && begun.number === number && begun.path === script;
}

function isHanging(): boolean {
  return begun?.isStart === false && begun.number === 2 && begun.path === "hangs starting";
}

function die(): void {
  process.kill(process.pid, "SIGKILL");
}

const link = new Link<Out, Record<string, (body: never) => unknown>>(process, {
  begin: (begin: Begin) => {
    begun = begin;
    current = begin.current;
    if (!isHanging()) link.tell("serving", { location: "", address: "" });
  },
  reload: async ({ file }: { file: ReadFile | undefined }) => {
    await link.ask("agree", true);
    if (isThe(2, "dies agreed")) die();
    if (isThe(2, "fails agreed")) return "it fails";
    if (begun?.path === "all fail" && file?.text !== begun.current?.text) return "it fails";
    current = file;
    return undefined;
  },
  ping: async () => {
    if (isThe(2, "hangs")) await new Promise(() => undefined);
  },
  renew: async () => {
    if (begun?.number !== 1) return;
    await link.ask("announce", { kind: "blob", repository: "a", digest: "d" });
    if (isThe(1, "dies deleting")) die();
  },
  forget: ({ digest }: { digest: string }) => {
    forgotten.push(digest);
    return isHanging() ? new Promise(() => undefined) : undefined;
  },
  report: (): ScriptedReport => ({ text: current?.text, forgotten }),
});
process.once("disconnect", () => process.exit());
