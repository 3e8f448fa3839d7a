import { MalformedSnapshot } from '../malformed.js';
import { describeByte, isSpace, type Section } from './records.js';

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const PAGE_BITS = 20;
const PAGE_BYTES = 1 << PAGE_BITS;
const PAGE_MASK = PAGE_BYTES - 1;
const MAX_BYTES = 2 ** 32 - 1;

enum At {
  Open,
  Value,
  Inside,
  Escape,
  Delimiter,
  Done,
}

/**
 * The texts of the file, kept as the bytes they came as and decoded one by one when somebody asks: a million JavaScript
 * strings would cost several times the file.
 */
export class StringSection implements Section {
  readonly name = 'strings';
  private at = At.Open as At;
  private readonly pages: Uint8Array[] = [];
  private used = 0;
  /** Start of each text, behind its quote; the text ends before `starts[i + 1] - 1` at the latest. */
  private starts = new Uint32Array(4096);
  private total = 0;

  get done(): boolean {
    return this.at === At.Done;
  }

  get count(): number {
    return this.total;
  }

  consume(bytes: Uint8Array, start: number, end: number, base: number): number {
    let position = start;
    while (position < end && this.at !== At.Done) {
      position = this.at === At.Inside ? this.text(bytes, position, end, base) : this.step(bytes, position, base);
    }
    return position;
  }

  private step(bytes: Uint8Array, position: number, base: number): number {
    const byte = bytes[position]!;
    if (this.at === At.Escape) {
      this.keep(bytes, position, position + 1, base);
      this.at = At.Inside;
    } else if (byte === QUOTE && this.at === At.Value) this.open(base + position);
    else if (byte === 0x2c && this.at === At.Delimiter) this.at = At.Value;
    else if (byte === 0x5d && (this.at === At.Delimiter || (this.at === At.Value && this.total === 0)))
      this.at = At.Done;
    else if (byte === 0x5b && this.at === At.Open) this.at = At.Value;
    else if (!isSpace(byte)) this.fail(`unexpected ${describeByte(byte)}`, base + position);
    return position + 1;
  }

  private open(offset: number): void {
    if (this.total + 1 >= this.starts.length) {
      if (this.starts.length >= 2 ** 30) this.fail('more than 2^30 texts', offset);
      const larger = new Uint32Array(this.starts.length * 2);
      larger.set(this.starts);
      this.starts = larger;
    }
    this.starts[this.total++] = this.used;
    this.starts[this.total] = this.used;
    this.at = At.Inside;
  }

  private text(bytes: Uint8Array, start: number, end: number, base: number): number {
    let position = start;
    while (position < end && bytes[position] !== QUOTE && bytes[position] !== BACKSLASH) position++;
    const isEscape = position < end && bytes[position] === BACKSLASH;
    this.keep(bytes, start, isEscape ? position + 1 : position, base);
    if (position === end) return position;
    if (isEscape) this.at = At.Escape;
    else {
      this.starts[this.total] = this.used;
      this.at = At.Delimiter;
    }
    return position + 1;
  }

  private keep(bytes: Uint8Array, start: number, end: number, base: number): void {
    let from = start;
    if (this.used + (end - start) > MAX_BYTES) this.fail('more than 4 GiB of texts', base + start);
    while (from < end) {
      const within = this.used & PAGE_MASK;
      if (within === 0) this.pages.push(new Uint8Array(PAGE_BYTES));
      const length = Math.min(end - from, PAGE_BYTES - within);
      const page = this.pages[this.used >>> PAGE_BITS]!;
      // A call to set() costs more than copying the few bytes of a usual text.
      if (length < 48) for (let i = 0; i < length; i++) page[within + i] = bytes[from + i]!;
      else page.set(bytes.subarray(from, from + length), within);
      this.used += length;
      from += length;
    }
  }

  finish(): Strings {
    return new Strings(this.pages, this.starts, this.total);
  }

  private fail(problem: string, offset: number): never {
    throw new MalformedSnapshot(`${problem}, text ${this.total}`, offset, this.name);
  }
}

const decoder = new TextDecoder();

/** The file's table of texts, decoded on demand. */
export class Strings {
  constructor(
    private readonly pages: readonly Uint8Array[],
    private readonly starts: Uint32Array,
    readonly count: number,
  ) {}

  /** The text of an index, at most `limit` bytes of it; '' for an index the file does not have. */
  text(index: number, limit = Number.POSITIVE_INFINITY): string {
    if (index >= this.count) return '';
    const raw = decoder.decode(this.bytes(index, limit));
    return raw.includes('\\') ? resolveEscapes(raw) : raw;
  }

  /** Length of the text as the file has it, in bytes (escapes counted as written). */
  length(index: number): number {
    return index < this.count ? this.starts[index + 1]! - this.starts[index]! : 0;
  }

  byteAt(index: number, position: number): number {
    const at = this.starts[index]! + position;
    return this.pages[at >>> PAGE_BITS]![at & PAGE_MASK]!;
  }

  /** First index whose text is `wanted` (plain ASCII), or -1. */
  indexOf(wanted: string): number {
    for (let index = 0; index < this.count; index++) if (this.equals(index, wanted)) return index;
    return -1;
  }

  equals(index: number, wanted: string): boolean {
    if (this.length(index) !== wanted.length) return false;
    for (let i = 0; i < wanted.length; i++) if (this.byteAt(index, i) !== wanted.charCodeAt(i)) return false;
    return true;
  }

  startsWith(index: number, wanted: string): boolean {
    if (this.length(index) < wanted.length) return false;
    for (let i = 0; i < wanted.length; i++) if (this.byteAt(index, i) !== wanted.charCodeAt(i)) return false;
    return true;
  }

  private bytes(index: number, limit: number): Uint8Array {
    const start = this.starts[index]!;
    const end = Math.min(this.starts[index + 1]!, start + limit);
    const first = start >>> PAGE_BITS;
    if ((end - 1) >>> PAGE_BITS === first || end === start) return this.within(first, start, end);
    const whole = new Uint8Array(end - start);
    for (let at = start; at < end; ) {
      const stop = Math.min(end, ((at >>> PAGE_BITS) + 1) * PAGE_BYTES);
      whole.set(this.within(at >>> PAGE_BITS, at, stop), at - start);
      at = stop;
    }
    return whole;
  }

  private within(page: number, start: number, end: number): Uint8Array {
    const origin = page * PAGE_BYTES;
    return this.pages[page]?.subarray(start - origin, end - origin) ?? new Uint8Array();
  }
}

/** A text may be cut in an escape, or hold one that JSON does not know: then it is shown as written. */
function resolveEscapes(raw: string): string {
  try {
    return JSON.parse(`"${raw}"`) as string;
  } catch {
    return raw;
  }
}
