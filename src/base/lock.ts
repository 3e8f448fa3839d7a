interface Waiting {
  readonly seconds: number;
  readonly start: () => void;
}

/** From here on a work is long: it lets what follows from the last one go first. */
const LONG_SECONDS = 3;

/** Runs one piece of work at a time: of those that wait the shortest first, among equals in the order of asking. */
export class Lock {
  readonly #breath: () => Promise<void>;
  readonly #waiting: Waiting[] = [];
  #isTaken = false;

  /** `breath` passes before a long work begins after another: who has just read something may have a short question. */
  constructor(breath: () => Promise<void> = () => Promise.resolve()) {
    this.#breath = breath;
  }

  /** `seconds` is how long the work will take, as far as is known. */
  async run<T>(work: () => Promise<T>, seconds = 0): Promise<T> {
    await new Promise<void>(start => {
      this.#waiting.push({ seconds, start });
      if (!this.#isTaken) this.#next();
    });
    try {
      return await work();
    } finally {
      void this.#handOn();
    }
  }

  async #handOn(): Promise<void> {
    if ((this.#shortest()?.seconds ?? 0) >= LONG_SECONDS) await this.#breath().catch(() => undefined); // aborted
    this.#next();
  }

  #next(): void {
    const next = this.#shortest();
    this.#isTaken = next !== undefined;
    if (!next) return;
    this.#waiting.splice(this.#waiting.indexOf(next), 1);
    next.start();
  }

  #shortest(): Waiting | undefined {
    return this.#waiting.reduce<Waiting | undefined>((a, b) => (a && a.seconds <= b.seconds ? a : b), undefined);
  }
}
