const FIRST_CAPACITY = 64;

/** The newest `capacity` numbers with their times, 16 bytes each; grows only as far as it is used. */
export class TimeRing {
  #at = new Float64Array(FIRST_CAPACITY);
  #value = new Float64Array(FIRST_CAPACITY);
  #first = 0;
  #size = 0;
  #dropped = 0;

  constructor(readonly capacity: number) {}

  get dropped(): number {
    return this.#dropped;
  }

  push(at: number, value: number): void {
    if (this.#size === this.#at.length && this.#size < this.capacity) this.#grow();
    const length = Math.min(this.#at.length, this.capacity);
    if (this.#size === length) {
      this.#first = (this.#first + 1) % length;
      this.#size--;
      this.#dropped++;
    }
    const slot = (this.#first + this.#size) % length;
    this.#at[slot] = at;
    this.#value[slot] = value;
    this.#size++;
  }

  /** Points with from ≤ at ≤ to, oldest first. */
  range(from: number, to: number): { readonly at: number; readonly value: number }[] {
    const length = Math.min(this.#at.length, this.capacity);
    const found: { at: number; value: number }[] = [];
    for (let i = this.#size - 1; i >= 0; i--) {
      const slot = (this.#first + i) % length;
      const at = this.#at[slot] ?? 0;
      if (at < from) break; // times only rise
      if (at <= to) found.push({ at, value: this.#value[slot] ?? 0 });
    }
    return found.reverse();
  }

  /** Only a ring that has never dropped grows, so the oldest lies in slot 0. */
  #grow(): void {
    const length = Math.min(this.capacity, this.#at.length * 2);
    const [at, value] = [new Float64Array(length), new Float64Array(length)];
    at.set(this.#at);
    value.set(this.#value);
    this.#at = at;
    this.#value = value;
  }
}
