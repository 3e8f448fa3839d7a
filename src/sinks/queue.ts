import type { WatchEvent } from '../model/watch-event.js';
import type { Journal } from './journal.js';
import { isAlert, Refused, type Sink } from './sink.js';

export interface QueueEnv {
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  /** 0 to 1. */
  readonly random: () => number;
  /** Told once when the sink goes away, once when it takes events again, and of each refusal. */
  readonly onFailure: (sink: string, message: string) => void;
}

const FIRST_RETRY_MS = 1_000;
const LONGEST_RETRY_MS = 30_000;
/** A receiver that takes longer than this to answer is away. */
const DELIVERY_TIMEOUT_MS = 10_000;

/**
 * The way out to one sink: in order, at least once, and nobody waits for it. A receiver that is away gets everything
 * in order when it comes back, as far as its journal reaches.
 */
export class SinkQueue {
  #refused = 0;
  #running: Promise<void> | undefined;
  #failures = 0;
  readonly #closing = new AbortController();

  constructor(
    readonly sink: Sink,
    private readonly journal: Journal,
    private readonly env: QueueEnv,
  ) {
    this.#run(); // what an earlier lens left
  }

  /** Lost for good: no room, or refused by the receiver. */
  get dropped(): number {
    return this.journal.dropped + this.#refused;
  }

  get waiting(): number {
    return this.journal.waiting;
  }

  push(event: WatchEvent): void {
    if (!this.sink.wants(event)) return;
    this.journal.add(event);
    this.#run();
  }

  /** As `push`, for an alert that an earlier lens may have put here before it died. */
  pushAgain(event: WatchEvent): void {
    if (!this.journal.holds(other => isSameAlert(other, event))) this.push(event);
  }

  /** Delivers what waits for at most `graceMs`; what then remains stays in the journal. */
  async close(graceMs: number): Promise<void> {
    const timer = setTimeout(() => this.#closing.abort(new Error('lens is leaving')), graceMs);
    while (this.#running) await this.#running;
    clearTimeout(timer);
    this.#closing.abort();
    await this.sink.close?.();
  }

  #run(): void {
    if (this.#running || this.#closing.signal.aborted) return;
    // Begins in the next turn: events of one moment travel together.
    this.#running = Promise.resolve()
      .then(() => this.#drain())
      .then(() => {
        this.#running = undefined;
        if (this.journal.waiting > 0) this.#run(); // came between the last look and now
      });
  }

  async #drain(): Promise<void> {
    while (this.journal.waiting > 0 && !this.#closing.signal.aborted) {
      if (!(await this.#handOver())) await this.#pause();
    }
  }

  /** One batch further. False when it has to be tried again, because the receiver or the journal failed. */
  async #handOver(): Promise<boolean> {
    try {
      const { events, end } = this.journal.peek(this.sink.batch);
      if (events.length > 0) await this.#deliver(events);
      this.journal.commit(end);
      if (this.#failures > 0) this.env.onFailure(this.sink.name, 'takes events again');
      this.#failures = 0;
      return true;
    } catch (error) {
      if (this.#failures++ === 0) this.env.onFailure(this.sink.name, messageOf(error));
      return false;
    }
  }

  async #deliver(events: readonly WatchEvent[]): Promise<void> {
    const signal = AbortSignal.any([AbortSignal.timeout(DELIVERY_TIMEOUT_MS), this.#closing.signal]);
    try {
      await Promise.race([this.sink.deliver(events, signal), rejectWhenAborted(signal)]);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      this.#refused += events.length;
      this.env.onFailure(this.sink.name, messageOf(error));
    }
  }

  /** Exponential, with jitter between half and all of it. */
  async #pause(): Promise<void> {
    const wait = Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** (this.#failures - 1));
    await this.env.sleep(wait * (0.5 + this.env.random() / 2), this.#closing.signal).catch(() => undefined);
  }
}

/** A sink that does not heed the signal must not keep the others, or lens, from ending. */
function rejectWhenAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}

function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : error.message;
}

/** The same word about the same trouble, whichever lens put it down. */
function isSameAlert(one: WatchEvent, other: WatchEvent): boolean {
  if (!isAlert(one) || !isAlert(other) || one.type !== other.type) return false;
  return one.alert.fingerprint === other.alert.fingerprint && one.alert.firedAt === other.alert.firedAt;
}
