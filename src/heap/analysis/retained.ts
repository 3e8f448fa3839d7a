import { inSlices, inSlicesDown } from '../graph.js';
import type { HeapFile } from '../heap-file.js';
import type { Dominators } from './dominators.js';
import { sizeOf } from './own-sizes.js';
import type { Pool } from './pool.js';

/** Bytes by ordinal: words of 32 bits where the whole heap is smaller than 4 GiB. */
export type RetainedSizes = Uint32Array | Float64Array;

/** Bytes that would be free if the node were: its own and those of everything it dominates. */
export function findRetainedSizes(file: HeapFile, { immediate, order }: Dominators, pool: Pool): RetainedSizes {
  const { nodeCount, arena } = file;
  const retained = ownSizes(file, pool);
  const loop = retained instanceof Float64Array ? arena.loops.retainDoubles : arena.loops.retainWords;
  inSlicesDown(1, nodeCount - 1, (first, last) => {
    loop(first, last, order.byteOffset, immediate.byteOffset, retained.byteOffset);
  });
  return retained;
}

function ownSizes(file: HeapFile, pool: Pool): RetainedSizes {
  const { nodeCount, selfSize, wideSizes, arena } = file;
  let total = wideSizes.size === 0 ? 0 : Number.POSITIVE_INFINITY;
  inSlices(0, nodeCount, (from, to) => {
    total += arena.loops.sumSizes(from, to);
  });
  if (total >= 2 ** 32) {
    const doubles = pool.doubles(nodeCount);
    for (let node = 0; node < nodeCount; node++) doubles[node] = sizeOf(file, node);
    return doubles;
  }
  const words = pool.dirty();
  words.set(selfSize);
  return words;
}
