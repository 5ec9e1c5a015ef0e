import { within } from "../lib/deadline.ts";

/** As much of Redis as the cache needs, whether it is one server, one behind sentinels, or a cluster. */
export interface RedisConnection extends AsyncDisposable {
  /** Resolves at the first connection; rejects, or stays, where there is none. */
  readonly ready: Promise<void>;

  /**
   * Sends them in one go; the replies have their order. A command that the server refuses has its `RefusedCommand` there.
   * @throws {Error} where there is no connection
   */
  send(commands: readonly Command[]): Promise<readonly Reply[]>;

  /** The same, all at once or nothing where one server has all keys. */
  transact(commands: readonly Command[]): Promise<readonly Reply[]>;

  /** Why there is no connection now, as far as that is known. It holds no secret. */
  problem(): unknown;

  /** Leaves the connection, which does not answer, for a new one. */
  renew(): void;
}

export interface Command {
  /** Where in a cluster it goes. */
  readonly key: string;
  /** From its name on. */
  readonly args: readonly string[];
}

export type Reply = string | number | null | RefusedCommand | readonly Reply[];

/** The server's own words. */
export class RefusedCommand extends Error {
  override readonly name = "RefusedCommand";

  /** Whether the key holds something else than our commands expect. */
  get isWrongType(): boolean {
    return this.message.startsWith("WRONGTYPE");
  }
}

/** A client of whatever library, not connected yet. */
export interface RedisClient {
  /** Goes on trying as long as that makes sense. */
  connect(): Promise<void>;
  /** What kept it from connecting last; undefined while it is connected. */
  problem(): unknown;
  send(command: Command): Promise<Reply>;
  transact(commands: readonly Command[]): Promise<readonly Reply[]>;
  /** Takes no more commands, and ends when it has the replies to those that were sent. */
  close(): Promise<void>;
  destroy(): void;
}

/** ms that a client may wait for its last replies: nobody else waits for them so long. */
const LAST_REPLIES = 1000;

/** One client at a time. */
export class RenewableConnection implements RedisConnection {
  readonly ready: Promise<void>;
  readonly #open: () => RedisClient;
  #client: RedisClient;
  /** Connects to take the place of the present one. */
  #next: RedisClient | undefined;
  #ended = false;

  constructor(open: () => RedisClient) {
    this.#open = open;
    this.#client = open();
    this.ready = this.#client.connect();
    this.ready.catch(() => undefined); // for who asks for nothing but what is sent
  }

  async send(commands: readonly Command[]): Promise<readonly Reply[]> {
    return await Promise.all(commands.map((command) => this.#client.send(command)));
  }

  async transact(commands: readonly Command[]): Promise<readonly Reply[]> {
    return await this.#client.transact(commands);
  }

  problem(): unknown {
    return this.#client.problem();
  }

  /** Goes over to a new connection once there is one, and lets the old one end. */
  async replace(): Promise<void> {
    if (this.#ended || this.#next) return;
    const [old, next] = [this.#client, this.#open()];
    this.#next = next;
    try {
      await next.connect();
      if (this.#next !== next) return; // it was given up meanwhile
      this.#client = next;
      this.#next = undefined;
      await within(LAST_REPLIES, old.close());
    } catch {
      this.#giveUp(this.#next === next ? next : old);
    }
  }

  renew(): void {
    if (this.#ended) return;
    this.#giveUpNext();
    this.#client.destroy();
    this.#client = this.#open();
    this.#client.connect().catch(() => undefined); // then what is sent to it fails too
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#ended) return;
    this.#ended = true;
    this.#giveUpNext();
    this.#client.destroy();
  }

  #giveUpNext(): void {
    if (this.#next) this.#giveUp(this.#next);
  }

  #giveUp(client: RedisClient): void {
    if (this.#next === client) this.#next = undefined;
    client.destroy();
  }
}
