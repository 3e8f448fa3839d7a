import type { HeapFile } from '../heap-file.js';
import type { Dominators } from './dominators.js';
import { sizeOf } from './own-sizes.js';
import type { Pool } from './pool.js';

/** Bytes by ordinal: words of 32 bits where the whole heap is smaller than 4 GiB. */
export type RetainedSizes = Uint32Array | Float64Array;

/** Bytes that would be free if the node were: its own and those of everything it dominates. */
export function findRetainedSizes(file: HeapFile, { immediate, order }: Dominators, pool: Pool): RetainedSizes {
  const { nodeCount } = file;
  const retained = ownSizes(file, pool);
  for (let at = nodeCount - 1; at >= 1; at--) {
    const node = order[at]!;
    retained[immediate[node]!]! += retained[node]!;
  }
  return retained;
}

function ownSizes(file: HeapFile, pool: Pool): RetainedSizes {
  const { nodeCount, selfSize, wideSizes } = file;
  const words = pool.dirty();
  let total = wideSizes.size === 0 ? 0 : Number.POSITIVE_INFINITY;
  for (let node = 0; node < nodeCount; node++) {
    const size = selfSize[node]!;
    words[node] = size;
    total += size;
  }
  if (total < 2 ** 32) return words;
  pool.giveBack(words);
  return pool.doubles(nodeCount).map((_, node) => sizeOf(file, node));
}
