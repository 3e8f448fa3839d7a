import { inSlices } from '../graph.js';
import type { HeapFile } from '../heap-file.js';
import type { Facts } from './facts.js';

/**
 * Inverts the target of every edge that does not retain what it points at: weak ones, edges to itself, shortcuts below
 * the root, edges from V8's own objects into what the program owns, and a WeakMap's table (its keys retain the values).
 */
export function markEssentialEdges({ nodeCount, id, arena }: HeapFile, facts: Facts): void {
  const { weak, shortcut, internal } = facts.edge;
  const { marks, records, count } = facts.ephemerons;
  inSlices(0, nodeCount, (from, to) => {
    const names = [marks.byteOffset, records.byteOffset, count];
    arena.loops.markEssential(from, to, weak, shortcut, internal, id.byteOffset, ...names);
  });
}

/** Where an edge points, whether it retains or not. */
export const pointedAt = (target: number): number => (target < 0 ? ~target : target);
