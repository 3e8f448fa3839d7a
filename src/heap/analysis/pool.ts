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
    const stride = this.length * 4;
    this.giveBack(
      ...parts.map(({ buffer, byteOffset }) => {
        return new Uint32Array(buffer, byteOffset - (byteOffset % stride), this.length);
      }),
    );
  }

  /** Takes the first `used` words of a large array that was never lent, as so many arrays. */
  cut({ buffer }: Uint32Array<ArrayBuffer>, used: number): void {
    for (let end = this.length; end <= used; end += this.length) {
      this.free.push(new Uint32Array(buffer, (end - this.length) * 4, this.length));
    }
  }

  drop(): void {
    this.free.length = 0;
  }
}
