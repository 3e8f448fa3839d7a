import { SLICE } from '../graph.js';
import type { HeapFile } from '../heap-file.js';
import { TYPE_BITS } from '../parse/fast-nodes.js';
import { pointedAt } from './essential.js';
import type { Facts } from './facts.js';
import type { Pool } from './pool.js';

export const NO_DISTANCE = -5;
/** What only V8 itself reaches starts here, so that paths prefer the program's own variables. */
export const SYSTEM_DISTANCE = 100_000_000;

/** Edges from the program's globals to each node, fewest first; the numbers are DevTools'. */
export function findDistances(file: HeapFile, facts: Facts, pool: Pool): Int32Array {
  const { buffer, byteOffset, length: nodes } = pool.dirty();
  const distance = new Int32Array(buffer, byteOffset, nodes).fill(NO_DISTANCE);
  const queue = pool.dirty();
  tellLoop(file, facts);
  const roots = userRoots(file, facts);
  roots.forEach((node, at) => {
    distance[node] = 1;
    queue[at] = node;
  });
  spread(file, distance, queue, roots.length);
  distance[file.root] = roots.length > 0 ? SYSTEM_DISTANCE : 0;
  queue[0] = file.root;
  spread(file, distance, queue, 1);
  pool.giveBack(queue);
  return distance;
}

function userRoots({ root, firstEdge, target, kind, nameIndex }: HeapFile, facts: Facts): number[] {
  const roots = new Set<number>();
  for (let edge = firstEdge[root]!; edge < firstEdge[root + 1]!; edge++) {
    const node = pointedAt(target[edge]!);
    const isSynthetic = (kind[node]! & TYPE_BITS) === facts.node.synthetic;
    if (!isSynthetic || nameIndex[node] === facts.text.documents) roots.add(node);
  }
  return [...roots];
}

function tellLoop({ arena }: HeapFile, { node, edge, text, ephemerons }: Facts): void {
  const { marks, records, count, pairs } = ephemerons;
  const held = arena.bytes(pairs);
  const { loops } = arena;
  loops.setDistanceTypes(edge.weak, edge.internal, edge.element, edge.hidden, node.hidden, node.array);
  const names = [marks.byteOffset, records.byteOffset, count, held.byteOffset];
  loops.setDistanceTexts(text.nativeContext, text.mapDescriptors, text.sloppyFunctionMap, ...names);
}

function spread({ arena: { loops } }: HeapFile, distance: Int32Array, queue: Uint32Array, length: number): void {
  loops.beginSpread(length);
  for (let done = 0; done < loops.queued(); ) {
    done = loops.spread(done, done + SLICE, distance.byteOffset, queue.byteOffset);
  }
}
