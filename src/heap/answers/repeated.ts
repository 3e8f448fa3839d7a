import type { Facts } from '../analysis/facts.js';
import type { Pool } from '../analysis/pool.js';
import { inSlices } from '../graph.js';
import type { HeapFile } from '../heap-file.js';

export interface RepeatedText {
  readonly text: string;
  readonly count: number;
  /** Bytes of all copies but one. */
  readonly wastedBytes: number;
  /** V8 writes at most 1024 characters of a text: longer ones are only known to begin alike. */
  readonly isCut: boolean;
  /** Object id of one copy. */
  readonly sampleId: number;
}

export interface Texts {
  readonly count: number;
  readonly bytes: number;
  readonly wastedBytes: number;
  readonly repeated: readonly RepeatedText[];
}

const V8_TEXT_LIMIT = 1024;
const SHOWN = 120;

/** A file whose own sizes are booked, and working arrays. */
export interface Counted {
  readonly file: HeapFile;
  readonly facts: Facts;
  readonly scratch: Pool;
}

/** Equal strings that exist more than once: the file names equal texts by one number. */
export function repeatedTexts({ file, facts, scratch }: Counted, limit = Number.POSITIVE_INFINITY): Texts {
  const { arena, nodeCount, strings } = file;
  const { loops } = arena;
  const { string } = facts.node;
  const [copies, sample, list] = [scratch.zeros(strings.count), scratch.zeros(strings.count), scratch.dirty()];
  const bytes = arena.doubles(strings.count);
  const columns = [copies, bytes, sample].map(({ byteOffset }) => byteOffset);
  const sums = { count: 0, bytes: 0, wastedBytes: 0 };
  inSlices(0, nodeCount, (from, to) => {
    sums.count += loops.countCopies(from, to, string, copies.byteOffset);
  });
  inSlices(0, nodeCount, (from, to) => {
    sums.bytes += loops.weighCopies(from, to, string, ...columns);
  });
  let length = 0;
  inSlices(0, strings.count, (from, to) => {
    length = loops.listRepeated(from, to, copies.byteOffset, list.byteOffset, length);
  });
  const wasted = (text: number) => bytes[text]! * (1 - 1 / copies[text]!);
  const repeated = [...list.subarray(0, length)];
  for (const text of repeated) sums.wastedBytes += wasted(text);
  repeated.sort((a, b) => wasted(b) - wasted(a));
  const rows = repeated.slice(0, limit).map(
    (text): RepeatedText => ({
      text: file.strings.text(text, SHOWN),
      count: copies[text]!,
      wastedBytes: Math.round(wasted(text)),
      isCut: file.strings.length(text) >= V8_TEXT_LIMIT,
      sampleId: file.id[sample[text]!]!,
    }),
  );
  scratch.giveBack(copies, sample, list);
  return { ...sums, wastedBytes: Math.round(sums.wastedBytes), repeated: rows };
}
