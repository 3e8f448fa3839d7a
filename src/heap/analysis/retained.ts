import type { HeapFile } from '../heap-file.js';
import type { Dominators } from './dominators.js';
import { sizeOf } from './own-sizes.js';

/** Bytes that would be free if the node were: its own and those of everything it dominates. */
export function findRetainedSizes(file: HeapFile, { immediate, order, spare }: Dominators): Float64Array<ArrayBuffer> {
  const { nodeCount } = file;
  const retained = new Float64Array(spare, 0, nodeCount);
  for (let node = 0; node < nodeCount; node++) retained[node] = sizeOf(file, node);
  for (let at = nodeCount - 1; at >= 1; at--) {
    const node = order[at]!;
    retained[immediate[node]!]! += retained[node]!;
  }
  return retained;
}
