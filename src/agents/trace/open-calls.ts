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

  /** The call with the same arguments; where several have them the last on a stack, the first where calls interleave. */
  leave(identity: readonly unknown[], interleaves: boolean): { call: OpenCall; approximate: boolean } | undefined {
    const among = this.#open.filter(call => isSame(call.identity, identity));
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
