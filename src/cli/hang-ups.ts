/** SIGHUP, which ends no process from when this is made: what it asks for is done once somebody knows how. */
export class HangUps {
  #work: (() => Promise<void>) | undefined;
  #asked = false;
  #running: Promise<void> | undefined;

  constructor() {
    process.on("SIGHUP", () => this.ask());
  }

  ask(): void {
    this.#asked = true;
    this.#look();
  }

  /** @param work done for each signal, but once for all that came while it ran; must not reject */
  heed(work: () => Promise<void>): void {
    this.#work = work;
    this.#look();
  }

  /** From now on signals do nothing. Resolves when what runs has ended. */
  async ignore(): Promise<void> {
    this.#work = undefined;
    await this.#running;
  }

  #look(): void {
    if (this.#work && this.#asked) this.#running ??= this.#run();
  }

  async #run(): Promise<void> {
    while (this.#work && this.#asked) {
      this.#asked = false;
      await this.#work();
    }
    this.#running = undefined;
  }
}
