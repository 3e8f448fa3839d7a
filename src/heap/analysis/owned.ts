import { SLICE } from '../graph.js';
import type { HeapFile } from '../heap-file.js';
import { NAME_BITS } from '../parse/fast-edges.js';
import { TYPE_BITS } from '../parse/fast-nodes.js';
import { type Facts, OWNED } from './facts.js';
import type { Pool } from './pool.js';

/** Marks what the program's globals reach over anything but weak edges. Runs before targets are inverted. */
export function markOwned(file: HeapFile, facts: Facts, pool: Pool): void {
  const stack = pool.dirty();
  let depth = 0;
  for (const root of userRoots(file, facts)) {
    file.kind[root]! |= OWNED;
    stack[depth++] = root;
  }
  while (depth > 0) depth = file.arena.loops.markOwned(stack.byteOffset, depth, facts.edge.weak, SLICE);
  pool.giveBack(stack);
}

/** The root marks globals by shortcut edges, and lists the DOM's trees (in Electron) among its elements. */
function userRoots({ root, firstEdge, label, target, kind, nameIndex }: HeapFile, facts: Facts): Set<number> {
  const roots = new Set<number>();
  for (let edge = firstEdge[root]!; edge < firstEdge[root + 1]!; edge++) {
    const type = label[edge]! >>> NAME_BITS;
    const node = target[edge]!;
    const isDocuments = (kind[node]! & TYPE_BITS) === facts.node.synthetic && nameIndex[node] === facts.text.documents;
    if (type === facts.edge.shortcut || (type === facts.edge.element && isDocuments)) roots.add(node);
  }
  return roots;
}
