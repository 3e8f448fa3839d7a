import type { Layout } from './header.js';

/** Bytes of the file from an offset on; fewer at its end. */
export type ReadAt = (offset: number, length: number) => Uint8Array;

export interface Borders {
  /** Offset of the bracket that opens the list of edges. */
  readonly from: number;
  /** Offset behind the one that closes it. */
  readonly to: number;
}

const SAMPLE_BYTES = 1024;
const WINDOW_BYTES = 8192;

/**
 * Where the list of edges lies, found by halving: V8 prints a record a line, and a node has more fields than an edge. It
 * is a guess from a few samples; who reads there must meet the borders at these very bytes, or read the file in order.
 */
export function findEdges(readAt: ReadAt, bytes: number, { node, edge }: Layout): Borders | undefined {
  if (node.width === edge.width) return undefined;
  const from = find(readAt, 0, bytes, node.width, '"edges":[');
  const to = from === undefined ? undefined : find(readAt, from, bytes, edge.width, ']');
  return from === undefined || to === undefined ? undefined : { from: from - 1, to };
}

/** Offset behind the first such text near the end of the lines of so many fields. */
function find(readAt: ReadAt, start: number, end: number, fields: number, text: string): number | undefined {
  let [low, high] = [start, end];
  while (high - low > WINDOW_BYTES) {
    const middle = Math.floor((low + high) / 2);
    if (fieldsOf(readAt(middle, SAMPLE_BYTES)) === fields) low = middle;
    else high = middle;
  }
  const at = asText(readAt(low, high - low + SAMPLE_BYTES)).indexOf(text);
  return at < 0 ? undefined : low + at + text.length;
}

/** Numbers in the first whole line of a sample; 0 where it is no line of numbers. */
function fieldsOf(sample: Uint8Array): number {
  const begin = sample.indexOf(0x0a) + 1;
  const line = begin === 0 ? '' : asText(sample.subarray(begin, sample.indexOf(0x0a, begin)));
  return /^(?:,\d+)+$/.test(line) ? line.split(',').length - 1 : 0;
}

const asText = (bytes: Uint8Array): string => String.fromCharCode(...bytes);
