/** The newest `capacity` items, oldest first, and how many had to go. */
export class Ring<T> {
  readonly #items: (T | undefined)[];
  #next = 0;
  #size = 0;
  #dropped = 0;

  constructor(readonly capacity: number) {
    this.#items = new Array(capacity);
  }

  get size(): number {
    return this.#size;
  }

  get dropped(): number {
    return this.#dropped;
  }

  push(item: T): void {
    if (this.#size === this.capacity) this.#dropped++;
    else this.#size++;
    this.#items[this.#next] = item;
    this.#next = (this.#next + 1) % this.capacity;
  }

  *[Symbol.iterator](): IterableIterator<T> {
    const first = (this.#next - this.#size + this.capacity) % this.capacity;
    // Within `size` every slot has been written.
    for (let i = 0; i < this.#size; i++) yield this.#items[(first + i) % this.capacity] as T;
  }

  /** Takes out everything, oldest first. */
  drain(): T[] {
    const all = [...this];
    this.#size = 0;
    this.#next = 0;
    this.#items.fill(undefined);
    return all;
  }
}
