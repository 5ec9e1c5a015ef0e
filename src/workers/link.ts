/**
 * Questions, answers and news between the supervisor and a worker, over the channel that Node gives a child process.
 *
 *     {ask, id, body}  ->  {answer: id, body} or {refusal: id, body: <reason>}
 *     {tell, body}
 */

/** What one end may ask of the other, by name. All of it is plain data. */
export type Calls = Readonly<Record<string, (body: never) => unknown>>;

type Body<C> = C extends (body: infer B) => unknown ? B : never;
type Answer<C> = C extends (body: never) => infer A ? Awaited<A> : never;

/** A child, or the process that has a parent. */
export interface Port {
  readonly connected: boolean;
  send?(message: object, callback: (error: Error | null) => void): boolean;
  on(event: "message", heed: (message: unknown) => void): unknown;
  on(event: "disconnect", heed: () => void): unknown;
}

/** The other end is gone, or goes. */
class LinkLost extends Error {}

/** What the other end made of a question, in its words. */
class Refused extends Error {}

interface Message {
  readonly ask?: string;
  readonly tell?: string;
  readonly id?: number;
  readonly answer?: number;
  readonly refusal?: number;
  readonly body?: unknown;
}

interface Question {
  readonly resolve: (answer: never) => void;
  readonly reject: (error: Error) => void;
}

/** @typeParam Out what is asked here @typeParam In what the other end asks */
export class Link<Out extends Calls, In extends Calls> {
  readonly #port: Port;
  readonly #calls: In;
  readonly #questions = new Map<number, Question>();
  #count = 0;
  #lost = false;

  constructor(port: Port, calls: In) {
    this.#port = port;
    this.#calls = calls;
    port.on("message", (message) => this.#hear(message as Message));
    port.on("disconnect", () => this.#lose());
  }

  /** @throws {Error} with the reason where the other end refuses, or is gone */
  ask<K extends keyof Out & string>(name: K, body: Body<Out[K]>): Promise<Answer<Out[K]>> {
    if (this.#lost) return Promise.reject(new LinkLost(LOST));
    this.#count += 1;
    const id = this.#count;
    const { promise, resolve, reject } = Promise.withResolvers<Answer<Out[K]>>();
    this.#questions.set(id, { resolve, reject });
    this.#send({ ask: name, id, body });
    return promise;
  }

  /** News that nobody answers; lost where the other end is gone. */
  tell<K extends keyof Out & string>(name: K, body: Body<Out[K]>): void {
    this.#send({ tell: name, body });
  }

  #send(message: Message): void {
    if (this.#lost || !this.#port.connected) this.#lose();
    else this.#port.send?.(message, (error) => error && this.#lose());
  }

  #lose(): void {
    this.#lost = true;
    for (const { reject } of this.#questions.values()) reject(new LinkLost(LOST));
    this.#questions.clear();
  }

  #hear({ ask, tell, id = 0, answer, refusal, body }: Message): void {
    if (ask !== undefined) void this.#answer(ask, id, body);
    else if (tell !== undefined) void this.#call(tell, body);
    else if (answer !== undefined) this.#take(answer)?.resolve(body as never);
    else if (refusal !== undefined) this.#take(refusal)?.reject(new Refused(String(body)));
  }

  #take(id: number): Question | undefined {
    const question = this.#questions.get(id);
    this.#questions.delete(id);
    return question;
  }

  async #answer(name: string, id: number, body: unknown): Promise<void> {
    try {
      const answer = await this.#call(name, body);
      if (!this.#lost) this.#send({ answer: id, body: answer });
    } catch (error) {
      if (!this.#lost) this.#send({ refusal: id, body: error instanceof Error ? error.message : String(error) });
    }
  }

  #call(name: string, body: unknown): unknown {
    return this.#calls[name]?.(body as never);
  }
}

const LOST = "the other process is gone";
