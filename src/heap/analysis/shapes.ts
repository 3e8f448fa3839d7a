import { inSlices } from '../graph.js';
import type { HeapFile } from '../heap-file.js';
import { NAME_BITS, NAME_MASK } from '../parse/fast-edges.js';
import type { Facts } from './facts.js';
import type { Pool } from './pool.js';

/** The plain objects of a heap and which of the distinct shapes (property names in order) each has. */
export interface Shapes {
  readonly objects: Uint32Array;
  readonly shapeOf: Uint32Array;
  /** One object of each shape, and how many have it. */
  readonly sample: readonly number[];
  readonly counts: readonly number[];
}

/** Groups plain objects by their properties without building a text for each: names are numbers in the file. */
export function findShapes(file: HeapFile, facts: Facts, pool: Pool): Shapes {
  const { nodeCount, arena } = file;
  const { loops } = arena;
  const [found, shapeOf, samples, counts] = [pool.dirty(), pool.dirty(), pool.dirty(), pool.dirty()];
  let length = 0;
  inSlices(0, nodeCount, (from, to) => {
    length = loops.nodesNamed(from, to, facts.node.object, facts.text.object, found.byteOffset, length);
  });
  const slots = arena.dirtyWords(Math.max(FIRST_SLOTS, 4 * length));
  loops.beginShapes(slots.byteOffset, FIRST_SLOTS);
  const columns = [found, shapeOf, samples, counts, slots].map(({ byteOffset }) => byteOffset);
  let shapes = 0;
  inSlices(0, length, (from, to) => {
    shapes = loops.findShapes(from, to, facts.edge.property, ...columns);
  });
  const [sample, count] = [[...samples.subarray(0, shapes)], [...counts.subarray(0, shapes)]];
  pool.giveBack(samples, counts);
  return { objects: found.subarray(0, length), shapeOf: shapeOf.subarray(0, length), sample, counts: count };
}

/** The table grows from this while it is more than half full. */
const FIRST_SLOTS = 4096;

/** Indexes of the names of an object's properties, in the file's order. */
export function propertyNames({ firstEdge, label }: HeapFile, facts: Facts, node: number): number[] {
  const names: number[] = [];
  for (let edge = firstEdge[node]!; edge < firstEdge[node + 1]!; edge++) {
    const word = label[edge]!;
    if (word >>> NAME_BITS === facts.edge.property) names.push(word & NAME_MASK);
  }
  return names;
}
