import type { HeapFile } from '../heap-file.js';
import { NAME_BITS } from '../parse/fast-edges.js';
import { TYPE_BITS } from '../parse/fast-nodes.js';
import { type Facts, OWNED } from './facts.js';
import { OrdinalStack } from './stack.js';

/** Marks what the program's globals reach over anything but weak edges. Runs before targets are inverted. */
export function markOwned(file: HeapFile, facts: Facts): void {
  const { firstEdge, label, target, kind } = file;
  const weak = facts.edge.weak;
  const stack = new OrdinalStack();
  for (const root of userRoots(file, facts)) {
    kind[root]! |= OWNED;
    stack.push(root);
  }
  while (stack.length > 0) {
    const node = stack.pop();
    for (let edge = firstEdge[node]!, end = firstEdge[node + 1]!; edge < end; edge++) {
      const child = target[edge]!;
      if (kind[child]! >= OWNED || label[edge]! >>> NAME_BITS === weak) continue;
      kind[child]! |= OWNED;
      stack.push(child);
    }
  }
}

/** The root marks globals by shortcut edges, and lists the DOM's trees (in Electron) among its elements. */
function userRoots({ root, firstEdge, label, target, kind, nameIndex }: HeapFile, facts: Facts): number[] {
  const roots: number[] = [];
  for (let edge = firstEdge[root]!; edge < firstEdge[root + 1]!; edge++) {
    const type = label[edge]! >>> NAME_BITS;
    const node = target[edge]!;
    const isDocuments = (kind[node]! & TYPE_BITS) === facts.node.synthetic && nameIndex[node] === facts.text.documents;
    if (type === facts.edge.shortcut || (type === facts.edge.element && isDocuments)) roots.push(node);
  }
  return roots;
}
