/** Working arrays of one length, used again by the next phase: freed typed arrays wait for a collection, lent ones don't. */
export class Pool {
  private readonly free: Uint32Array<ArrayBuffer>[] = [];

  constructor(private readonly length: number) {}

  /** An array filled with zeros; a longer one than usual is no part of the pool. */
  zeros(length = this.length): Uint32Array<ArrayBuffer> {
    if (length > this.length) return new Uint32Array(length);
    return this.free.pop()?.fill(0) ?? new Uint32Array(this.length);
  }

  /** An array with anything in it. */
  dirty(): Uint32Array<ArrayBuffer> {
    return this.free.pop() ?? new Uint32Array(this.length);
  }

  giveBack(...arrays: Uint32Array<ArrayBuffer>[]): void {
    this.free.push(...arrays.filter(({ length }) => length === this.length));
  }

  /** Takes parts of lent arrays for the arrays that they are of. */
  giveBackWhole(...parts: Uint32Array<ArrayBuffer>[]): void {
    this.giveBack(...parts.map(({ buffer }) => new Uint32Array(buffer)));
  }

  drop(): void {
    this.free.length = 0;
  }
}
