import { setTimeout as pause } from "node:timers/promises";
import type { Deletion } from "../cache/deletions.ts";
import { within } from "../lib/deadline.ts";
import type { Report } from "../telemetry/report.ts";
import { Accord, REFUSED_ELSEWHERE } from "./accord.ts";
import type { Begin, Place, ReadFile, Taken, Tally } from "./calls.ts";
import { Desk, type Seat } from "./desk.ts";
import { type Ending, Member, type MemberOptions } from "./member.ts";
import { watchPulse } from "./pulse.ts";
import { RecentDeletions } from "./recent-deletions.ts";
import { Restarts } from "./restarts.ts";

/** A worker that does not forget what was deleted within this time is ended. ms */
const FORGETTING = 5000;

/** Likewise of one that does not serve yet: reading its configuration or its modules keeps it busy. ms */
const FORGETTING_AT_START = 30_000;

/** One that says nothing of itself within this time counts as unwell. ms */
const REPORTING = 3000;

/** All workers have to agree on a configuration within this time. ms */
const AGREEING = 60_000;

/** One that has not answered by then whether it goes on, though it was told that the others do or do not, is ended. ms */
const RELOADING = 2 * AGREEING;

/** ms; one is ended that says nothing for six of them. */
const BEAT = 5000;

/** What workers are given beyond the time in which they drain. ms */
const CLOSING = 5000;

export interface CrewOptions extends MemberOptions {
  readonly size: number;
  readonly begin: Omit<Begin, "number" | "current" | "isStart">;
  /** ms between two questions whether a worker is there; 5 s */
  readonly beat?: number;
  /** Told of each that ended without being asked to, and how long it takes until there is another. ms */
  readonly onDeath: (member: Member, ending: Ending, wait: number) => void;
  /** Told that another one could not even be begun, why, and how long it takes until that is tried again. ms */
  readonly onFailure: (number: number, error: unknown, wait: number) => void;
  /** Told of one that serves again. */
  readonly onReturn: (member: Member) => void;
  /** Told what one said last, when it has ended. */
  readonly onLeave: (member: Member) => void;
}

/** A worker could not begin, and has said why itself. */
export class CannotBegin extends Error {
  readonly code: number;

  constructor({ code }: Ending) {
    super("a worker could not begin");
    this.code = code ?? 1;
  }
}

/** The workers of a supervisor: as many as there are to be, whatever becomes of one of them. */
export class Crew {
  readonly #options: CrewOptions;
  readonly #desk = new Desk();
  readonly #members = new Set<Member>();
  readonly #serving = new Set<Member>();
  readonly #deletions = new RecentDeletions<Member>();
  readonly #tallies = new Map<Member, Tally>();
  readonly #files = new WeakMap<Member, ReadFile | undefined>();
  readonly #stop = new AbortController();
  #current: ReadFile | undefined;
  #accord: Accord | undefined;

  constructor(options: CrewOptions) {
    this.#options = options;
    this.#current = options.begin.first;
  }

  /**
   * Resolves when all serve. The first one alone, so that what keeps the registry from starting is said once.
   * @returns where the first one serves
   * @throws {CannotBegin}
   */
  async start(): Promise<Place> {
    const place = await this.#first(1);
    if (this.#stop.signal.aborted) return place;
    const others = Array.from({ length: this.#options.size - 1 }, (_, index) => this.#first(index + 2));
    await Promise.all(others);
    return place;
  }

  get members(): readonly Member[] {
    return [...this.#members];
  }

  /**
   * Has all go on with another configuration, or none. It counts once all have agreed, whatever becomes of one of them then,
   * but not where none of them could go on.
   * @returns why everything stays as it is; undefined where it counts now
   */
  async reload(file: ReadFile | undefined): Promise<string | undefined> {
    const [members, before] = [this.members, this.#current];
    const accord = new Accord(members.length);
    this.#accord = accord;
    const refusal = accord.made.then(
      () => {
        this.#current = file;
        return undefined;
      },
      (error: Error) => error.message,
    );
    const timer = setTimeout(() => accord.refuse("a worker does not answer"), AGREEING);
    for (const { ended } of members) void ended.then(() => accord.refuse("a worker ended meanwhile"));
    const reasons = await Promise.all(members.map((member) => this.#reload(member, file)));
    const reason = await refusal;
    clearTimeout(timer);
    this.#accord = undefined;
    const isLeft = reason !== undefined || (reasons.length > 0 && !reasons.includes(undefined));
    if (isLeft) this.#current = before;
    await this.#bringUpToDate();
    if (!isLeft) return undefined;
    return reasons.find((one) => one !== undefined && one !== REFUSED_ELSEWHERE) ?? reason;
  }

  renew(): void {
    for (const { link } of this.members) link.tell("renew", null);
  }

  /** What each that serves says of itself; undefined from those that say nothing. */
  async reports(): Promise<ReadonlyMap<Member, Report | undefined>> {
    const asked = [...this.#serving].map(
      async (member) =>
        [member, await within(REPORTING, member.link.ask("report", null)).catch(() => undefined)] as const,
    );
    return new Map(await Promise.all(asked));
  }

  /**
   * Lets requests in flight finish. No worker is there when it resolves.
   * @param patience ms
   * @returns the exit code: not 0 where one of them had to be cut off
   */
  async drain(reason: string, patience: number): Promise<number> {
    this.#stop.abort();
    for (const { link } of this.members) link.tell("drain", reason);
    const cut = setTimeout(() => this.kill(), Math.min(patience + CLOSING, 2 ** 31 - 1));
    const endings = await Promise.all(this.members.map(({ ended }) => ended));
    clearTimeout(cut);
    return Math.max(0, ...endings.map(({ code }) => code ?? 1));
  }

  /** Ends all at once. */
  kill(): void {
    this.#stop.abort();
    for (const member of this.members) void member.kill();
  }

  /** @throws {CannotBegin} */
  async #first(number: number): Promise<Place> {
    const { member, serving } = this.#begin(number, true);
    const place = await Promise.race([serving, member.ended.then((ending) => Promise.reject(new CannotBegin(ending)))]);
    void this.#keep(member, new Restarts());
    return place;
  }

  /** Has another one take the place of `member` whenever it ends. */
  async #keep(member: Member, restarts: Restarts): Promise<void> {
    let current: Member | undefined = member;
    while (current) {
      const begun = performance.now();
      const ending = await current.ended;
      if (this.#stop.signal.aborted) return;
      const wait = restarts.next(performance.now() - begun);
      this.#options.onDeath(current, ending, wait);
      current = await this.#another(member.number, restarts, wait);
    }
  }

  /** @returns undefined where no other one is wanted any more */
  async #another(number: number, restarts: Restarts, firstWait: number): Promise<Member | undefined> {
    let wait = firstWait;
    for (;;) {
      await pause(wait, undefined, { signal: this.#stop.signal }).catch(() => undefined);
      if (this.#stop.signal.aborted) return undefined;
      try {
        const { member, serving } = this.#begin(number, false);
        void serving.then(() => this.#options.onReturn(member));
        return member;
      } catch (error) {
        wait = restarts.next(0); // the system has no room for a process, such as ENOMEM
        this.#options.onFailure(number, error, wait);
      }
    }
  }

  #begin(number: number, isStart: boolean): { readonly member: Member; readonly serving: Promise<Place> } {
    const { promise: serving, resolve } = Promise.withResolvers<Place>();
    const seat: Seat = this.#desk.seat((id) => member.link.tell("stop", id));
    const begin: Begin = { ...this.#options.begin, number, isStart, current: this.#current };
    const member: Member = new Member(begin, this.#options, {
      lock: (lock) => seat.lock(lock),
      turn: (turn) => seat.turn(turn),
      release: (id) => seat.release(id),
      announce: (deletion) => {
        this.#deletions.note(member, deletion);
        return this.#announce(member, deletion);
      },
      publish: ({ key, hash }) => void this.#desk.hashes.set(key, hash),
      find: (key) => this.#desk.hashes.get(key),
      tally: (tally) => this.#count(member, tally, tally.taken),
      agree: (able) => this.#accord?.vote(able) ?? Promise.resolve(),
      serving: (place) => {
        this.#serving.add(member);
        if (this.#tallies.size > 0) this.#tellTallies(undefined, []);
        void watchPulse(member, this.#options.beat ?? BEAT, this.#stop.signal);
        resolve(place);
      },
    });
    this.#members.add(member);
    this.#files.set(member, this.#current);
    void member.ended.then(() => this.#leave(member, seat));
    return { member, serving };
  }

  #leave(member: Member, seat: Seat): void {
    seat[Symbol.dispose]();
    this.#members.delete(member);
    this.#serving.delete(member);
    if (this.#tallies.delete(member)) this.#tellTallies(undefined, []);
    const recent = this.#deletions.leave(member);
    if (!this.#stop.signal.aborted) for (const deletion of recent) void this.#announce(member, deletion);
    this.#options.onLeave(member);
  }

  /** Resolves when all others have answered, or are no more. */
  async #announce(from: Member, deletion: Deletion): Promise<void> {
    const others = this.members.filter((member) => member !== from);
    await Promise.all(
      others.map((member) => {
        const patience = this.#serving.has(member) ? FORGETTING : FORGETTING_AT_START;
        return member.mustAnswer(member.link.ask("forget", deletion), patience);
      }),
    );
  }

  #count(from: Member, { connections, uploads }: Tally, taken: Taken): void {
    this.#tallies.set(from, { connections, uploads });
    this.#tellTallies(from, taken);
  }

  /** @param from knows already */
  #tellTallies(from: Member | undefined, taken: Taken): void {
    for (const member of this.#members) {
      if (member === from) continue;
      const others = [...this.#tallies].filter(([other]) => other !== member).map(([, tally]) => tally);
      const sum = (key: keyof Tally): number => others.reduce((total, tally) => total + tally[key], 0);
      member.link.tell("elsewhere", { connections: sum("connections"), uploads: sum("uploads"), taken });
    }
  }

  /** Those that began while the others changed, and those that failed where the others went on. */
  async #bringUpToDate(): Promise<void> {
    const late = this.members.filter((member) => this.#files.get(member) !== this.#current);
    await Promise.all(
      late.map(async (member) => {
        const reason = await this.#reload(member, this.#current);
        if (reason !== undefined)
          await member.kill(`it does not go on with the configuration of the others: ${reason}`);
      }),
    );
  }

  /** @returns why it stays with the one that it has; JSON has no undefined */
  async #reload(member: Member, file: ReadFile | undefined): Promise<string | undefined> {
    const answer = member.link.ask("reload", { file });
    if (!(await member.mustAnswer(answer, RELOADING))) return "a worker ended meanwhile";
    const reason = (await answer) ?? undefined;
    if (reason === undefined) this.#files.set(member, file);
    return reason;
  }
}
