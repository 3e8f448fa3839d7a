import { type NewBuffer, ownBuffer } from '../parse/new-buffer.js';

/** Working arrays of one length, used again by the next phase: freed typed arrays wait for a collection, lent ones don't. */
export class Pool {
  private readonly free: Uint32Array[] = [];

  constructor(
    private readonly length: number,
    private readonly newBuffer: NewBuffer = ownBuffer,
  ) {}

  private make(length = this.length): Uint32Array {
    return new Uint32Array(this.newBuffer(length * 4));
  }

  /** An array filled with zeros; a longer one than usual is no part of the pool. */
  zeros(length = this.length): Uint32Array {
    if (length > this.length) return this.make(length);
    return this.free.pop()?.fill(0) ?? this.make();
  }

  /** An array with anything in it. */
  dirty(): Uint32Array {
    return this.free.pop() ?? this.make();
  }

  /** One array of another length, to be cut when it is done with. */
  large(length: number): Uint32Array {
    return this.make(length);
  }

  /** Numbers beyond 32 bits, not to be given back. */
  doubles(length: number): Float64Array {
    return new Float64Array(this.newBuffer(length * 8));
  }

  giveBack(...arrays: Uint32Array[]): void {
    this.free.push(...arrays.filter(({ length }) => length === this.length));
  }

  /** Takes parts of lent arrays for the arrays that they are of. */
  giveBackWhole(...parts: Uint32Array[]): void {
    const stride = this.length * 4;
    this.giveBack(
      ...parts.map(({ buffer, byteOffset }) => {
        return new Uint32Array(buffer, byteOffset - (byteOffset % stride), this.length);
      }),
    );
  }

  /** Takes the first `used` words of a large array, as so many arrays. */
  cut({ buffer }: Uint32Array, used: number): void {
    for (let end = this.length; end <= used; end += this.length) {
      this.free.push(new Uint32Array(buffer, (end - this.length) * 4, this.length));
    }
  }

  drop(): void {
    this.free.length = 0;
  }
}
