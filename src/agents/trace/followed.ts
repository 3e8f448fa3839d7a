import type { RawHit, RawLine, RawSlot, RawValues } from './raw.js';

/** A loop reaches its lines again and again: the first passages tell what it does. */
const MAX_LINES = 200;
const MAX_PER_LINE = 6;

/** One call that is followed line by line. */
export class FollowedCall {
  readonly #lines: RawLine[] = [];
  readonly #passages = new Map<number, number>();
  /** Calls of the function within itself. */
  #inner = 0;
  #mixed = false;

  constructor(
    readonly identity: readonly unknown[],
    private readonly depth: number,
    private readonly startedAt: number,
    private readonly interleaves: boolean,
  ) {}

  /** True when the call has been left without its return: by an exception. Only calls on one stack can tell. */
  isGone(depth: number): boolean {
    return !this.interleaves && depth <= this.depth;
  }

  /** Another call began: within this one, or beside it. */
  enterAgain(): void {
    if (this.interleaves) this.#mixed = true;
    else this.#inner += 1;
  }

  add({ line, column }: RawSlot, at: number, values: () => RawValues): void {
    const passages = (this.#passages.get(line) ?? 0) + 1;
    this.#passages.set(line, passages);
    if (this.#inner > 0 || passages > MAX_PER_LINE || this.#lines.length >= MAX_LINES) return;
    this.#lines.push({ line, column, atMs: at - this.startedAt, values: values() });
  }

  /** True when this return ends the call itself. */
  leave(): boolean {
    if (this.#inner === 0) return true;
    this.#inner -= 1;
    return false;
  }

  end(point: number, startedAtMs: number, now: number, threw: boolean): RawHit {
    return {
      atMs: startedAtMs,
      point,
      values: {},
      lines: this.#lines,
      ...(threw ? { threw } : { durationMs: now - this.startedAt }),
      ...(this.#mixed && { approximate: true }),
    };
  }
}
