import { MalformedSnapshot } from '../malformed.js';
import type { Kernel } from './kernel.js';
import type { NewBuffer } from './new-buffer.js';
import { describeByte, isSpace, type Section } from './records.js';

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const NEWLINE = 0x0a;
/** What V8 prints between two texts; where a file has something else there, this is kept in its place. */
const BETWEEN = Uint8Array.of(QUOTE, COMMA, NEWLINE, QUOTE);
const GAP = BETWEEN.length;
const PAGE_BITS = 20;
const PAGE_BYTES = 1 << PAGE_BITS;
const PAGE_MASK = PAGE_BYTES - 1;
const MAX_BYTES = 2 ** 32 - 1;
const FIRST_ROOM = 4096;
/** Hardly a file has shorter texts on average: room for as many is taken at once, which costs nothing before it is used. */
const USUAL_BYTES = 12;

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
  /** Start of each text; it ends GAP bytes before the next one. */
  private starts: Uint32Array;
  private total = 0;

  /** The chunk in which the kernel found what it does not like. */
  private leftTo = -1;
  /** Texts that may be special, as far as the kernel read them. */
  private readonly special: number[] = [];

  constructor(
    private readonly newBuffer: NewBuffer,
    private readonly kernel?: Kernel | undefined,
    bytes = 0,
  ) {
    this.starts = new Uint32Array(newBuffer(Math.max(FIRST_ROOM, Math.ceil(bytes / USUAL_BYTES)) * 4));
  }

  get done(): boolean {
    return this.at === At.Done;
  }

  get count(): number {
    return this.total;
  }

  consume(bytes: Uint8Array, start: number, end: number, base: number): number {
    let position = start;
    while (position < end && this.at !== At.Done) {
      position = this.at === At.Inside ? this.texts(bytes, position, end, base) : this.step(bytes, position, base);
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
    this.begin(this.used, offset);
    this.at = At.Inside;
  }

  private begin(at: number, offset: number): void {
    if (this.total + 1 >= this.starts.length) this.grow(offset);
    this.special.push(this.total);
    this.starts[this.total++] = at;
  }

  private grow(offset: number): void {
    if (this.starts.length >= 2 ** 30) this.fail('more than 2^30 texts', offset);
    const larger = new Uint32Array(this.newBuffer(this.starts.length * 8));
    larger.set(this.starts);
    this.starts = larger;
  }

  /** Reads texts as long as they follow one another as V8 prints them; they and what is between them are kept in one go. */
  private texts(bytes: Uint8Array, start: number, end: number, base: number): number {
    let position = this.kernel && this.leftTo !== base ? this.fastTexts(this.kernel, bytes, start, base) : start;
    for (;;) {
      while (position < end && bytes[position] !== QUOTE && bytes[position] !== BACKSLASH) position++;
      if (position + GAP >= end) return this.lastTexts(bytes, start, position, end, base);
      if (bytes[position] === BACKSLASH) position += 2;
      else if (bytes[position + 1] === COMMA && bytes[position + 2] === NEWLINE && bytes[position + 3] === QUOTE) {
        position += GAP;
        this.begin(this.used + (position - start), base + position);
      } else return this.close(bytes, start, position, base);
    }
  }

  /** The same by the kernel, as far as it likes them; gives where it stopped. */
  private fastTexts(kernel: Kernel, bytes: Uint8Array, start: number, base: number): number {
    let position = start;
    for (;;) {
      const read = kernel.texts(bytes, position, this.used + (position - start));
      position = read.position;
      const { length } = read.starts;
      if (length === 0) {
        this.leftTo = base;
        return position;
      }
      while (this.total + length >= this.starts.length) this.grow(base + position);
      this.starts.set(read.starts, this.total);
      // The first of them was open before, and is marked; the last one ends elsewhere.
      for (const marked of read.marked) if (marked > 0) this.special.push(this.total + marked - 1);
      this.total += length;
      this.special.push(this.total - 1);
    }
  }

  /** Near a chunk's end: what comes next may be in another one. */
  private lastTexts(bytes: Uint8Array, start: number, position: number, end: number, base: number): number {
    if (position === end) this.keep(bytes, start, end, base);
    else if (bytes[position] === QUOTE) return this.close(bytes, start, position, base);
    else {
      this.keep(bytes, start, position + 1, base);
      this.at = At.Escape;
      return position + 1;
    }
    return end;
  }

  private close(bytes: Uint8Array, start: number, quote: number, base: number): number {
    this.keep(bytes, start, quote, base);
    this.keep(BETWEEN, 0, GAP, base + quote);
    this.starts[this.total] = this.used;
    this.at = At.Delimiter;
    return quote + 1;
  }

  private keep(bytes: Uint8Array, start: number, end: number, base: number): void {
    let from = start;
    if (this.used + (end - start) > MAX_BYTES) this.fail('more than 4 GiB of texts', base + start);
    while (from < end) {
      const within = this.used & PAGE_MASK;
      if (within === 0) this.pages.push(new Uint8Array(this.newBuffer(PAGE_BYTES)));
      const length = Math.min(end - from, PAGE_BYTES - within);
      const page = this.pages[this.used >>> PAGE_BITS]!;
      page.set(bytes.subarray(from, from + length), within);
      this.used += length;
      from += length;
    }
  }

  finish(): Strings {
    return new Strings(this.pages, this.starts, this.total, this.kernel && Uint32Array.from(this.special));
  }

  private fail(problem: string, offset: number): never {
    throw new MalformedSnapshot(`${problem}, text ${this.total}`, offset, this.name);
  }
}

const decoder = new TextDecoder();
const encoder = new TextEncoder();

/** The file's table of texts, decoded on demand. */
export class Strings {
  constructor(
    private readonly pages: readonly Uint8Array[],
    private readonly starts: Uint32Array,
    readonly count: number,
    /** Indexes of all texts that may be special (special-texts.ts, names of WeakMap entries), where it is known. */
    readonly special?: Uint32Array | undefined,
  ) {}

  /** The same table in another thread, from what arrives of it there. */
  static arrived({ pages, starts, count }: Strings): Strings {
    return new Strings(pages, starts, count);
  }

  /** Memory that the texts take. */
  get byteLength(): number {
    return this.pages.length * PAGE_BYTES + this.count * this.starts.BYTES_PER_ELEMENT;
  }

  /** The text of an index, at most `limit` bytes of it; '' for an index the file does not have. */
  text(index: number, limit = Number.POSITIVE_INFINITY): string {
    if (index >= this.count) return '';
    const raw = decoder.decode(this.bytes(index, limit));
    return raw.includes('\\') ? resolveEscapes(raw) : raw;
  }

  /** Length of the text as the file has it, in bytes (escapes counted as written). */
  length(index: number): number {
    return index < this.count ? this.starts[index + 1]! - GAP - this.starts[index]! : 0;
  }

  byteAt(index: number, position: number): number {
    const at = this.starts[index]! + position;
    return this.pages[at >>> PAGE_BITS]![at & PAGE_MASK]!;
  }

  /** Every index (of some) whose text is one of these. */
  find(wanted: Iterable<string>, among?: Uint32Array): Map<number, string> {
    const match = this.matcher(wanted);
    const found = new Map<number, string>();
    for (let i = 0; i < (among?.length ?? this.count); i++) {
      const index = among ? among[i]! : i;
      const text = match(index);
      if (text !== undefined) found.set(index, text);
    }
    return found;
  }

  /** Gives a text if it is one of these. Length and last byte tell most texts apart before they are decoded. */
  matcher(wanted: Iterable<string>): (index: number) => string | undefined {
    const texts = new Set(wanted);
    const ends = new Uint8Array((LONGEST_KEY + 1) << 8);
    for (const text of texts) for (const end of endsOf(text)) ends[end] = 1;
    return index => {
      const length = this.length(index);
      if (ends[endKey(length, length === 0 ? 0 : this.byteAt(index, length - 1))] === 0) return undefined;
      const text = this.text(index);
      return texts.has(text) ? text : undefined;
    };
  }

  private bytes(index: number, limit: number): Uint8Array {
    const start = this.starts[index]!;
    const end = Math.min(this.starts[index + 1]! - GAP, start + limit);
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

/** Longer texts share their key with others of the same last byte. */
const LONGEST_KEY = 1023;

const endKey = (length: number, lastByte: number): number => (Math.min(length, LONGEST_KEY) << 8) | lastByte;

/** Length and last byte of a text as files have it: characters beyond ASCII are bytes of UTF-8, or escapes (V8). */
function endsOf(text: string): number[] {
  const json = JSON.stringify(text).slice(1, -1);
  const escaped = (char: string) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`;
  const escapes = json.replace(/[^\x20-\x7e]/g, escaped);
  return [json, escapes, escapes.replace(/[a-f]$/, last => last.toUpperCase())].map(form => {
    const bytes = encoder.encode(form);
    return endKey(bytes.length, bytes.at(-1) ?? 0);
  });
}

/** A text may be cut in an escape, or hold one that JSON does not know: then it is shown as written. */
function resolveEscapes(raw: string): string {
  try {
    return JSON.parse(`"${raw}"`) as string;
  } catch {
    return raw;
  }
}
