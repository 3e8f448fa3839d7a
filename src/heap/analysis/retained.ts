import type { HeapFile } from '../heap-file.js';
import type { Dominators } from './dominators.js';
import { sizeOf } from './own-sizes.js';
import type { Pool } from './pool.js';

/** Bytes by ordinal: words of 32 bits where the whole heap is smaller than 4 GiB. */
export type RetainedSizes = Uint32Array | Float64Array;

/** Bytes that would be free if the node were: its own and those of everything it dominates. */
export function findRetainedSizes(file: HeapFile, { immediate, order }: Dominators, pool: Pool): RetainedSizes {
  const { nodeCount, selfSize } = file;
  const retained = totalSize(file) < 2 ** 32 ? pool.dirty() : pool.doubles(nodeCount);
  if (file.wideSizes.size === 0) retained.set(selfSize);
  else for (let node = 0; node < nodeCount; node++) retained[node] = sizeOf(file, node);
  for (let at = nodeCount - 1; at >= 1; at--) {
    const node = order[at]!;
    retained[immediate[node]!]! += retained[node]!;
  }
  return retained;
}

function totalSize(file: HeapFile): number {
  let total = 0;
  for (let node = 0; node < file.nodeCount; node++) total += sizeOf(file, node);
  return total;
}
