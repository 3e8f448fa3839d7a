import type { Arena } from '../arena.js';
import type { Borders } from './borders.js';
import { type EdgeList, EdgeSection, newEdgeColumns } from './edges.js';
import type { EdgeColumns } from './fast-edges.js';
import type { Layout } from './header.js';
import { Kernel } from './kernel.js';

/** Fills the chunk from an offset of the file on; gives the bytes it got. */
export type FillFrom = (chunk: Uint8Array, offset: number) => number;

const CHUNK_BYTES = 256 * 1024;
/** An edge and what is between two, with room to spare. */
const MARGIN = 64;
/** A chunk has no more: the shortest takes six bytes. */
const MOST_IN_CHUNK = Math.ceil(CHUNK_BYTES / 6);
const OPEN = Uint8Array.of(0x5b);
const [NEWLINE, COMMA] = [0x0a, 0x2c];

/** A list of edges, of which one thread reads pieces from the front and another one from the back until all are taken. */
export interface SharedEdges {
  readonly layout: Layout;
  readonly columns: EdgeColumns;
  readonly borders: Borders;
  /** One word of shared memory: how many pieces are taken. */
  readonly taken: Int32Array;
}

/** What one thread has read of it. */
export interface EdgePart extends Omit<EdgeList, 'columns'> {
  /** It has met the end of the list. */
  readonly isEnded: boolean;
}

/** Undefined for what is not as V8 prints it; throws MalformedSnapshot for what is no list of edges. */
export function readFromFront({ layout, columns, borders, taken }: SharedEdges, fill: FillFrom): EdgePart | undefined {
  const kernel = Kernel.make();
  const pieces = new Pieces(kernel?.input ?? new Uint8Array(CHUNK_BYTES), borders, fill);
  const section = new EdgeSection(layout, kernel, columns);
  for (let index = 0; pieces.take(taken); index++) {
    if (!pieces.feed(section, index)) return undefined;
  }
  const { wideNames, count, maxNameIndex, done } = section;
  return { wideNames, count, maxNameIndex, isEnded: done };
}

/** The same; the arena is for columns of one piece, whose place is known when it is read. */
export function readFromBack(shared: SharedEdges, fill: FillFrom, arena: Arena): EdgePart | undefined {
  const { layout, columns, borders, taken } = shared;
  const kernel = Kernel.make();
  const pieces = new Pieces(kernel?.input ?? new Uint8Array(CHUNK_BYTES), borders, fill);
  const scratch = newEdgeColumns({ edgeCount: Math.min(layout.edgeCount, MOST_IN_CHUNK) }, arena);
  const wideNames = new Map<number, number>();
  let [begin, maxNameIndex, isEnded] = [layout.edgeCount, 0, false];
  for (let index = pieces.count - 1; pieces.take(taken); index--) {
    const section = new EdgeSection(layout, kernel, scratch);
    if (index > 0) section.consume(OPEN, 0, 1, 0);
    if (!pieces.feed(section, index) || section.count > begin) return undefined;
    begin -= section.count;
    columns.label.set(scratch.label.subarray(0, section.count), begin);
    columns.target.set(scratch.target.subarray(0, section.count), begin);
    for (const [at, name] of section.wideNames) wideNames.set(begin + at, name);
    maxNameIndex = Math.max(maxNameIndex, section.maxNameIndex);
    isEnded ||= section.done;
  }
  return { wideNames, count: layout.edgeCount - begin, maxNameIndex, isEnded };
}

/** The whole list; undefined unless the parts make one. */
export function joinEdges({ layout, columns }: SharedEdges, ...parts: (EdgePart | undefined)[]): EdgeList | undefined {
  const read = parts.filter(part => part !== undefined);
  const count = read.reduce((sum, part) => sum + part.count, 0);
  const isWhole = read.length === parts.length && read.some(({ isEnded }) => isEnded) && count === layout.edgeCount;
  if (!isWhole) return undefined;
  const wideNames = new Map(read.flatMap(part => [...part.wideNames]));
  return { columns, wideNames, count, maxNameIndex: Math.max(...read.map(part => part.maxNameIndex)) };
}

/** Parts of about a chunk: the records that begin in it. */
class Pieces {
  readonly count: number;
  private readonly size: number;

  constructor(
    private readonly chunk: Uint8Array,
    private readonly borders: Borders,
    private readonly fill: FillFrom,
  ) {
    this.size = chunk.length - 2 * MARGIN;
    this.count = Math.ceil((borders.to - borders.from) / this.size);
  }

  take(taken: Int32Array): boolean {
    return Atomics.add(taken, 0, 1) < this.count;
  }

  /** Whether the section ate all of a piece, and stands between two records behind it. */
  feed(section: EdgeSection, index: number): boolean {
    const { from, to } = this.borders;
    const end = Math.min(to, from + (index + 1) * this.size);
    const start = index === 0 ? from : from + index * this.size - 2;
    const text = this.chunk.subarray(0, Math.min(to, end + MARGIN) - start);
    if (this.fill(text, start) < text.length) return false;
    const first = index === 0 ? 0 : this.lineFrom(text, 0, start);
    const last = end === to ? text.length : this.lineFrom(text, end - start - 2, start);
    if (first < 0 || last < 0) return false;
    const stop = section.consume(text.subarray(0, last), first, last, start);
    return stop === last && section.isBetween;
  }

  /** Where the next record begins; the end of the text for none where the list ends, else -1. */
  private lineFrom(text: Uint8Array, from: number, start: number): number {
    for (let at = from; at < text.length - 1; at++) if (text[at] === NEWLINE && text[at + 1] === COMMA) return at + 2;
    return start + text.length === this.borders.to ? text.length : -1;
  }
}
