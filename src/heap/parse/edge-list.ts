import type { Borders } from './borders.js';
import { type EdgeList, EdgeSection } from './edges.js';
import type { EdgeColumns } from './fast-edges.js';
import type { Layout } from './header.js';
import { Kernel } from './kernel.js';

/** Fills the chunk from an offset of the file on; gives the bytes it got. */
export type FillFrom = (chunk: Uint8Array, offset: number) => number;

const CHUNK_BYTES = 256 * 1024;

/**
 * Reads a list of edges by itself. Undefined unless it ends at that very byte; throws MalformedSnapshot for what is no list
 * of edges.
 */
export function readEdgeList(
  layout: Layout,
  columns: EdgeColumns,
  { from, to }: Borders,
  fill: FillFrom,
): EdgeList | undefined {
  const kernel = Kernel.make();
  const chunk = kernel?.input ?? new Uint8Array(CHUNK_BYTES);
  const section = new EdgeSection(layout, kernel, columns);
  let offset = from;
  while (offset < to && !section.done) {
    const length = fill(chunk.subarray(0, to - offset), offset);
    if (length === 0) return undefined;
    offset += section.consume(
      chunk.subarray(0, length),
      0,
      length,
      offset,
      offset + length < to && length === chunk.length,
    );
  }
  const { wideNames, count, maxNameIndex } = section;
  return section.done && offset === to ? { columns, wideNames, count, maxNameIndex } : undefined;
}
