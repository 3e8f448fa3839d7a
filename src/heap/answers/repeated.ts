import type { Facts } from '../analysis/facts.js';
import { sizeOf } from '../analysis/own-sizes.js';
import type { Pool } from '../analysis/pool.js';
import type { HeapFile } from '../heap-file.js';
import { TYPE_BITS } from '../parse/fast-nodes.js';

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
  const { count: texts } = file.strings;
  const copies = scratch.zeros(texts);
  for (let node = 0; node < file.nodeCount; node++) {
    if ((file.kind[node]! & TYPE_BITS) === facts.node.string) copies[file.nameIndex[node]!]!++;
  }
  const bytes = new Float64Array(texts);
  const sample = scratch.zeros(texts);
  const sums = { count: 0, bytes: 0, wastedBytes: 0 };
  for (let node = 0; node < file.nodeCount; node++) {
    if ((file.kind[node]! & TYPE_BITS) !== facts.node.string) continue;
    const text = file.nameIndex[node]!;
    const size = sizeOf(file, node);
    sums.count++;
    sums.bytes += size;
    if (copies[text] === 1) continue; // most texts: two columns that need not be touched
    bytes[text]! += size;
    sample[text] = node;
  }
  const repeated: number[] = [];
  const wasted = (text: number) => bytes[text]! * (1 - 1 / copies[text]!);
  for (let text = 0; text < texts; text++) {
    if (copies[text]! < 2) continue;
    repeated.push(text);
    sums.wastedBytes += wasted(text);
  }
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
  scratch.giveBack(copies, sample);
  return { ...sums, wastedBytes: Math.round(sums.wastedBytes), repeated: rows };
}
