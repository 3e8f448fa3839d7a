import { MalformedSnapshot } from '../malformed.js';

/** A part of the file that eats bytes until its end; `done` once its last byte was eaten. */
export interface Section {
  readonly name: string;
  readonly done: boolean;
  /**
   * Eats bytes[position..end) from the file's byte `base + position` on; returns where it stopped. With `mayLeave` that may be
   * in front of a record that the end has cut, which is to be given again.
   */
  consume(bytes: Uint8Array, position: number, end: number, base: number, mayLeave?: boolean): number;
}

const COMMA = 0x2c;
const OPEN = 0x5b;
const CLOSE = 0x5d;

/** Up to this many digits a number fits a signed 32-bit integer, which keeps the fast path in integer registers. */
export const FAST_DIGITS = 9;

/** Bytes of a record of so many such numbers with what is between them. */
export const longestRecord = (fields: number): number => fields * (FAST_DIGITS + 2) + 2;

export const isSpace = (byte: number): boolean => byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;

/** How far a list is read: the next byte, and what its records came to. */
export interface Run {
  position: number;
  count: number;
  /** Edges that the node records claim. */
  sum: number;
  maxName: number;
}

enum Expect {
  Open,
  Value,
  MoreDigits,
  Delimiter,
  Done,
}

/**
 * A list of records of `width` non-negative integers. This class reads byte by byte, wherever a chunk ends and whatever
 * the spacing; subclasses add a fast path over records that lie within a chunk and look as V8 prints them, and fall back
 * to this one for everything else, so that errors are told in one place.
 */
export abstract class RecordSection implements Section {
  /** The record being read; complete when `commit` is called. */
  protected readonly record: Float64Array;
  private expect = Expect.Open as Expect;
  private field = 0;
  private value = 0;
  private digits = 0;
  private empty = true;
  protected readonly run: Run = { position: 0, count: 0, sum: 0, maxName: 0 };

  constructor(
    readonly name: string,
    private readonly fields: readonly string[],
  ) {
    this.record = new Float64Array(fields.length);
  }

  get done(): boolean {
    return this.expect === Expect.Done;
  }

  get count(): number {
    return this.run.count;
  }

  /** The next byte is the first one of a record, or behind the list. */
  get isBetween(): boolean {
    return this.done || (this.expect === Expect.Value && this.field === 0);
  }

  /** Stores `record`; returns what is wrong with it, if anything. */
  protected abstract commit(): string | undefined;

  /** Reads whole records from `run.position` on; stops at the start of the first one it does not like. */
  protected abstract fast(bytes: Uint8Array): void;

  consume(bytes: Uint8Array, start: number, end: number, base: number, mayLeave = false): number {
    const longest = longestRecord(this.fields.length);
    let position = start;
    while (position < end && this.expect !== Expect.Done) {
      if (this.expect === Expect.Value && this.field === 0) {
        this.run.position = position;
        this.fast(bytes);
        position = this.run.position;
        if (mayLeave && end - position <= longest) break;
      }
      position = this.slowRecord(bytes, position, end, base);
    }
    return position;
  }

  private slowRecord(bytes: Uint8Array, start: number, end: number, base: number): number {
    const record = this.run.count;
    let position = start;
    while (position < end && this.expect !== Expect.Done && this.run.count === record) {
      this.step(bytes[position]!, base + position);
      position++;
    }
    return position;
  }

  private step(byte: number, offset: number): void {
    const digit = byte ^ 0x30;
    if (digit < 10) this.takeDigit(digit, offset);
    else if (isSpace(byte)) this.takeSpace();
    else if (byte === COMMA && this.inValue()) this.takeComma(offset);
    else if (byte === CLOSE && (this.inValue() || (this.empty && this.expect === Expect.Value))) this.takeClose(offset);
    else if (byte === OPEN && this.expect === Expect.Open) this.expect = Expect.Value;
    else this.fail(`unexpected ${describeByte(byte)}`, offset);
  }

  private inValue(): boolean {
    return this.expect === Expect.MoreDigits || this.expect === Expect.Delimiter;
  }

  private takeDigit(digit: number, offset: number): void {
    if (this.expect !== Expect.Value && this.expect !== Expect.MoreDigits)
      this.fail('a number where none may be', offset);
    this.expect = Expect.MoreDigits;
    this.empty = false;
    this.value = this.value * 10 + digit;
    if (++this.digits > 15) this.fail('a number of more than 15 digits', offset);
  }

  private takeSpace(): void {
    if (this.expect === Expect.MoreDigits) this.expect = Expect.Delimiter;
  }

  private takeComma(offset: number): void {
    this.endValue(offset);
    this.expect = Expect.Value;
  }

  private takeClose(offset: number): void {
    if (this.inValue()) this.endValue(offset);
    if (this.field !== 0) this.fail('the list ends within a record', offset);
    this.expect = Expect.Done;
  }

  private endValue(offset: number): void {
    this.record[this.field++] = this.value;
    this.value = 0;
    this.digits = 0;
    if (this.field < this.record.length) return;
    this.field = 0;
    const problem = this.commit();
    if (problem) this.fail(problem, offset);
    this.run.count++;
  }

  private fail(problem: string, offset: number): never {
    const field = this.fields[this.field] ?? this.fields[0];
    throw new MalformedSnapshot(`${problem}, record ${this.run.count}, field ${field}`, offset, this.name);
  }
}

export function describeByte(byte: number): string {
  return byte > 0x20 && byte < 0x7f ? `"${String.fromCharCode(byte)}"` : `byte 0x${byte.toString(16).padStart(2, '0')}`;
}
