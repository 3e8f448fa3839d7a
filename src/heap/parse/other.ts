import { MalformedSnapshot } from '../malformed.js';
import type { Section } from './records.js';

/** The head is a few kilobytes; a "head" beyond this is something else. */
const MAX_HEAD_BYTES = 1 << 20;

/** Any JSON value, eaten by balance alone: fields that lens does not use, or does not know yet. */
export class SkipSection implements Section {
  private depth = 0;
  private inString = false;
  private escaped = false;
  private started = false;
  private finished = false;

  constructor(readonly name: string) {}

  get done(): boolean {
    return this.finished;
  }

  consume(bytes: Uint8Array, start: number, end: number, base: number): number {
    let position = start;
    while (position < end && !this.finished) {
      const byte = bytes[position]!;
      if (this.depth === 0 && this.started && !this.inString && (byte === 0x2c || byte === 0x7d)) {
        this.finished = true; // the delimiter behind a bare number or word belongs to the surrounding object
        return position;
      }
      this.step(byte, base + position);
      position++;
    }
    return position;
  }

  private step(byte: number, offset: number): void {
    if (this.inString) this.stepInString(byte);
    else if (byte === 0x22) this.inString = this.started = true;
    else if (byte === 0x7b || byte === 0x5b) {
      this.depth++;
      this.started = true;
    } else if (byte === 0x7d || byte === 0x5d) this.close(offset);
    else if (byte > 0x20) this.started = true;
  }

  private stepInString(byte: number): void {
    if (this.escaped) this.escaped = false;
    else if (byte === 0x5c) this.escaped = true;
    else if (byte === 0x22) {
      this.inString = false;
      if (this.depth === 0) this.finished = true;
    }
  }

  private close(offset: number): void {
    if (--this.depth < 0) throw new MalformedSnapshot('a bracket closes that never opened', offset, this.name);
    if (this.depth === 0) this.finished = true;
  }
}

/** The `snapshot` object, kept whole because it describes everything else. */
export class HeadSection implements Section {
  readonly name = 'snapshot';
  private readonly inner = new SkipSection('snapshot');
  private bytes = new Uint8Array(4096);
  private length = 0;

  get done(): boolean {
    return this.inner.done;
  }

  get json(): string {
    return new TextDecoder().decode(this.bytes.subarray(0, this.length));
  }

  consume(bytes: Uint8Array, start: number, end: number, base: number): number {
    const stop = this.inner.consume(bytes, start, end, base);
    const size = this.length + stop - start;
    if (size > MAX_HEAD_BYTES) throw new MalformedSnapshot('a head of more than 1 MiB', base + start, this.name);
    if (size > this.bytes.length) this.grow(size);
    this.bytes.set(bytes.subarray(start, stop), this.length);
    this.length = size;
    return stop;
  }

  private grow(size: number): void {
    const larger = new Uint8Array(Math.min(size * 2, MAX_HEAD_BYTES));
    larger.set(this.bytes.subarray(0, this.length));
    this.bytes = larger;
  }
}
