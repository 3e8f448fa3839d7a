/** A stack of numbers below 2^32 that grows by doubling and pops in place: depth follows the heap, not the call stack. */
export class OrdinalStack {
  private items = new Uint32Array(1024);
  length = 0;

  push(item: number): void {
    if (this.length === this.items.length) {
      const larger = new Uint32Array(this.length * 2);
      larger.set(this.items);
      this.items = larger;
    }
    this.items[this.length++] = item;
  }

  /** Everything on it, first pushed first. */
  taken(): Uint32Array {
    return this.items.subarray(0, this.length);
  }

  pop(): number {
    return this.items[--this.length]!;
  }
}
