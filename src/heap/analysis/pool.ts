import type { Arena } from '../arena.js';

/** Working arrays of one length, used again by the next phase: an arena only grows. */
export class Pool {
  private readonly free: Uint32Array[] = [];
  private readonly whole: Uint32Array[] = [];

  constructor(
    private readonly length: number,
    private readonly arena: Arena,
  ) {}

  /** An array whose first `length` words are zeros; a longer one than usual is no part of the pool. */
  zeros(length = this.length): Uint32Array {
    if (length > this.length) return this.arena.words(length);
    return this.free.pop()?.fill(0, 0, length) ?? this.counted(this.arena.words(this.length));
  }

  /** An array with anything in it. */
  dirty(): Uint32Array {
    return this.free.pop() ?? this.counted(this.arena.dirtyWords(this.length));
  }

  /** One array of another length, to be cut when it is done with. */
  large(length: number): Uint32Array {
    return this.arena.dirtyWords(length);
  }

  /** Numbers beyond 32 bits, not to be given back. */
  doubles(length: number): Float64Array {
    return this.arena.doubles(length);
  }

  giveBack(...arrays: Uint32Array[]): void {
    this.free.push(...arrays.filter(({ length }) => length === this.length));
  }

  /** Takes parts of lent arrays for the arrays that they are of. */
  giveBackWhole(...parts: Uint32Array[]): void {
    for (const { byteOffset: at } of parts) {
      const whole = this.whole.find(({ byteOffset, byteLength }) => at >= byteOffset && at < byteOffset + byteLength);
      if (whole) this.free.push(whole);
    }
  }

  /** Takes the first `used` words of a large array, as so many arrays. */
  cut(large: Uint32Array, used: number): void {
    for (let end = this.length; end <= used; end += this.length) {
      this.free.push(this.counted(large.subarray(end - this.length, end)));
    }
  }

  /** The same for one that was hardly written to, and should be the last to be used: what is written takes memory. */
  cutUnused(large: Uint32Array): void {
    for (let end = this.length; end <= large.length; end += this.length) {
      this.free.unshift(this.counted(large.subarray(end - this.length, end)));
    }
  }

  drop(): void {
    this.free.length = 0;
  }

  private counted(array: Uint32Array): Uint32Array {
    this.whole.push(array);
    return array;
  }
}
