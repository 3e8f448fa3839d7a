/** A queue that forgets what was taken. */
export class Queue<T> {
  private items: (T | undefined)[] = [];
  private first = 0;

  get size(): number {
    return this.items.length - this.first;
  }

  put(item: T): void {
    this.items.push(item);
  }

  putFirst(item: T): void {
    if (this.first > 0) this.items[--this.first] = item;
    else this.items.unshift(item);
  }

  take(): T | undefined {
    if (this.first >= this.items.length) return undefined;
    const item = this.items[this.first];
    this.items[this.first++] = undefined;
    if (this.first > 8192) {
      this.items = this.items.slice(this.first);
      this.first = 0;
    }
    return item;
  }
}
