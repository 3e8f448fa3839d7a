import type { HeapFile } from '../heap-file.js';
import { NAME_BITS, NAME_MASK } from '../parse/fast-edges.js';
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
  const held = new Set<number>();
  let length = 0;
  for (const node of userRoots(file, facts)) {
    distance[node] = 1;
    queue[length++] = node;
  }
  const hasRoots = length > 0;
  spread(file, facts, distance, queue, length, held);
  distance[file.root] = hasRoots ? SYSTEM_DISTANCE : 0;
  queue[0] = file.root;
  spread(file, facts, distance, queue, 1, held);
  pool.giveBack(queue);
  return distance;
}

function userRoots({ root, firstEdge, target, kind, nameIndex }: HeapFile, facts: Facts): number[] {
  const roots: number[] = [];
  for (let edge = firstEdge[root]!; edge < firstEdge[root + 1]!; edge++) {
    const node = pointedAt(target[edge]!);
    const isSynthetic = (kind[node]! & TYPE_BITS) === facts.node.synthetic;
    if (!isSynthetic || nameIndex[node] === facts.text.documents) roots.push(node);
  }
  return roots;
}

function spread(
  file: HeapFile,
  facts: Facts,
  distance: Int32Array,
  queue: Uint32Array,
  start: number,
  held: Set<number>,
): void {
  const { firstEdge, label, target, kind } = file;
  const { weak, internal } = facts.edge;
  const { hidden, array } = facts.node;
  const { marks } = facts.ephemerons;
  let length = start;
  for (let next = 0; next < length; next++) {
    const node = queue[next]!;
    const type = kind[node]! & TYPE_BITS;
    const isPicky = type === hidden || type === array ? pickiness(file, facts, node, type) : Picky.No;
    const away = distance[node]! + 1;
    for (let edge = firstEdge[node]!, end = firstEdge[node + 1]!; edge < end; edge++) {
      const to = target[edge]!;
      const child = to < 0 ? ~to : to;
      if (distance[child] !== NO_DISTANCE) continue;
      const word = label[edge]!;
      const edgeType = word >>> NAME_BITS;
      if (edgeType === weak) continue;
      if (isPicky !== Picky.No && skips(file, facts, isPicky, word)) continue;
      if (edgeType === internal && marks[word & NAME_MASK] === 1 && isFirstOfPair(facts, word & NAME_MASK, held))
        continue;
      distance[child] = away;
      queue[length++] = child;
    }
  }
}

enum Picky {
  No,
  Context,
  Descriptors,
}

function pickiness({ nameIndex }: HeapFile, facts: Facts, node: number, type: number): Picky {
  if (type === facts.node.hidden) return nameIndex[node] === facts.text.nativeContext ? Picky.Context : Picky.No;
  return nameIndex[node] === facts.text.mapDescriptors ? Picky.Descriptors : Picky.No;
}

/** Shortcuts through V8's own tables that would make everything look near (DevTools skips the same). */
function skips(file: HeapFile, facts: Facts, picky: Picky, word: number): boolean {
  const type = word >>> NAME_BITS;
  const isIndex = type === facts.edge.element || type === facts.edge.hidden;
  if (picky === Picky.Context) return !isIndex && (word & NAME_MASK) === facts.text.sloppyFunctionMap;
  // Keys and types of hidden classes share one array; links to its descriptors are not valid for every class.
  const index = isIndex ? word & NAME_MASK : Number.parseInt(file.strings.text(word & NAME_MASK), 10);
  return index >= 2 && index % 3 === 1;
}

/** A WeakMap's value is as far as the farther of its map and its key: the first of the two edges does not count. */
function isFirstOfPair(facts: Facts, name: number, held: Set<number>): boolean {
  const pair = facts.ephemerons.names.get(name)?.pair ?? -1;
  if (held.delete(pair)) return false;
  held.add(pair);
  return true;
}
