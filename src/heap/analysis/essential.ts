import type { HeapFile } from '../heap-file.js';
import { NAME_BITS, NAME_MASK } from '../parse/fast-edges.js';
import { type Facts, OWNED } from './facts.js';

/**
 * Inverts the target of every edge that does not retain what it points at: weak ones, edges to itself, shortcuts below
 * the root, edges from V8's own objects into what the program owns, and a WeakMap's table (its keys retain the values).
 */
export function markEssentialEdges(file: HeapFile, facts: Facts): void {
  const { nodeCount, root, firstEdge, label, target, kind, id } = file;
  const { weak, shortcut, internal } = facts.edge;
  const { marks, names } = facts.ephemerons;
  for (let node = 0; node < nodeCount; node++) {
    const isOwned = kind[node]! >= OWNED;
    const isRoot = node === root;
    for (let edge = firstEdge[node]!, end = firstEdge[node + 1]!; edge < end; edge++) {
      const child = target[edge]!;
      const word = label[edge]!;
      const type = word >>> NAME_BITS;
      const retains =
        type !== weak &&
        child !== node &&
        (isRoot || (type !== shortcut && (isOwned || kind[child]! < OWNED))) &&
        !(type === internal && marks[word & NAME_MASK] === 1 && names.get(word & NAME_MASK)?.tableId === id[node]);
      if (!retains) target[edge] = ~child;
    }
  }
}

/** Where an edge points, whether it retains or not. */
export const pointedAt = (target: number): number => (target < 0 ? ~target : target);
