import { setTimeout as pause } from "node:timers/promises";
import type { Member } from "./member.ts";

/** Beats without an answer after which a worker is ended. */
const SILENT = 6;

/**
 * Asks a worker again and again whether it is there, and ends one that does nothing any more: locks and uploads that it has
 * would hold up the others without end. Resolves when it has ended, or nobody watches any more.
 *
 * @param beat ms between two questions
 */
export async function watchPulse(member: Member, beat: number, signal: AbortSignal): Promise<void> {
  while (!member.isEnded && !signal.aborted) {
    await pause(beat, undefined, { signal, ref: false }).catch(() => undefined);
    if (signal.aborted || (await answers(member, beat))) continue;
    await member.kill(`it did not answer for ${SILENT * beat} ms`);
  }
}

/** Beat by beat, each of which lets answers be read: this process may have been stopped itself. A link that is lost is no silence. */
async function answers(member: Member, beat: number): Promise<boolean> {
  const answer = member.link.ask("ping", null).then(
    () => true,
    () => true,
  );
  for (let beats = 0; beats < SILENT; beats++) {
    if (await Promise.race([answer, pause(beat, false, { ref: false })])) return true;
  }
  return member.isEnded;
}
