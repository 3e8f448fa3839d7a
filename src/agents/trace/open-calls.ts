import type { RawValues } from './raw.js';

/** Calls that never return (they throw) must not fill memory. */
const MAX_OPEN = 200;

export interface OpenCall {
  readonly identity: readonly unknown[];
  readonly at: number;
  readonly values: () => RawValues;
  readonly point: number;
}

/** The calls that have begun and not ended, and which of them an end belongs to. */
export class OpenCalls {
  #open: OpenCall[] = [];

  enter(call: OpenCall): void {
    if (this.#open.length >= MAX_OPEN) this.#open.shift();
    this.#open.push(call);
  }

  /**
   * The call with the same arguments; where several have them the last on a stack, the first where calls interleave.
   * `all`: every call is here, so that an end that fits none belongs to one whose parameter was assigned meanwhile.
   */
  leave(
    identity: readonly unknown[],
    interleaves: boolean,
    all: boolean,
  ): { call: OpenCall; approximate: boolean } | undefined {
    const same = this.#open.filter(call => isSame(call.identity, identity));
    const among = same.length > 0 || !all ? same : this.#open;
    const call = interleaves ? among[0] : among.at(-1);
    if (call === undefined) return undefined;
    this.#open = this.#open.filter(other => other !== call);
    return { call, approximate: interleaves && among.length > 1 };
  }

  clear(): void {
    this.#open = [];
  }
}

const isSame = (a: readonly unknown[], b: readonly unknown[]): boolean =>
  a.length === b.length && a.every((value, at) => Object.is(value, b[at]));
