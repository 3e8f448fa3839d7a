// Immediate dominators by the semi-NCA method; src/heap/analysis/dominators.ts says how memory is laid out. Every loop takes
// a range or a number of steps: what V8 has compiled better meanwhile is used from the next call on.
import { at, firstEdge, nodeCount, put, root, target } from './columns';

/** Ordinal to preorder number; 0 was not reached. */
let number: usize = 0;
/** Preorder number to the one it was found from. */
let parent: usize = 0;
/** How many edges beside the one it was found by enter a node, by preorder number. */
let extra: usize = 0;
/** Preorder number to ordinal, as long as the search goes on. */
let order: usize = 0;
let cursor: usize = 0;
let reached: u32 = 0;
// Where the search stands.
let current: u32 = 0;
let node: u32 = 0;
let depth: u32 = 0;
let edge: u32 = 0;

export function beginSearch(numbers: usize, parents: usize, extras: usize, large: usize): void {
  number = numbers;
  parent = parents;
  extra = extras;
  order = large;
  cursor = large + ((<usize>nodeCount + 1) << 2);
  reached = 0;
}

export function searchFrom(start: u32, above: u32): void {
  node = start;
  current = ++reached;
  depth = 0;
  put(number, node, current);
  put(order, current, node);
  put(parent, current, above);
  edge = at(firstEdge, node);
}

/** Goes on with the depth-first search; true after so many steps, false at its end. */
export function search(steps: u32): bool {
  const targets = target;
  const numbers = number;
  let count = reached;
  let here = node;
  let on = current;
  let next = edge;
  let isMore = true;
  for (; steps > 0; steps--) {
    let child: i32 = -1;
    for (const end = at(firstEdge, here + 1); next < end; ) {
      const to = <i32>at(targets, next++);
      if (to < 0) continue;
      const known = at(numbers, to);
      if (known === 0) {
        child = to;
        break;
      }
      put(extra, known, at(extra, known) + 1);
    }
    if (child >= 0) {
      put(cursor, depth++, next);
      put(parent, ++count, on);
      on = count;
      here = child;
      put(numbers, here, on);
      put(order, on, here);
      next = at(firstEdge, here);
    } else if (depth > 0) {
      next = at(cursor, --depth);
      on = at(parent, on);
      here = at(order, on);
    } else {
      isMore = false;
      break;
    }
  }
  reached = count;
  node = here;
  current = on;
  edge = next;
  return isMore;
}

export function reachedCount(): u32 {
  return reached;
}

/** The next node that nothing retains (`bits`) and the search has not met. */
export function nextOrphan(from: u32, bits: usize): u32 {
  for (let orphan = from; orphan < nodeCount; orphan++) {
    if (at(number, orphan) === 0 && (load<u8>(bits + (orphan >>> 3)) & (1 << (orphan & 7))) === 0) return orphan;
  }
  return nodeCount;
}

let sum: u32 = 0;
let shift: i32 = -2;

/** Turns counts of entering edges into where they begin. */
export function sumExtra(): u32 {
  sum = 0;
  shift = -2;
  for (let at1: u32 = 1; at1 <= reached; at1++) {
    const count = at(extra, at1);
    const room = <i32>sum - 2 * <i32>at1;
    if (room > shift) shift = room;
    put(extra, at1, sum);
    sum += count;
  }
  return sum;
}

/** The label and the ancestor of number v go to from[2v + shift] and behind: never where an edge is yet to be read. */
export function shiftOf(): i32 {
  return shift;
}

/** Edges of some nodes, told at the nodes they enter, without those by which these were found: `parent` has them. */
export function collectEntering(first: u32, last: u32, from: usize): void {
  const targets = target;
  let next = at(firstEdge, first);
  for (let above = first; above < last; above++) {
    const end = at(firstEdge, above + 1);
    const up = at(number, above);
    if (up === 0) {
      next = end;
      continue;
    }
    let newestChild: u32 = 0;
    for (; next < end; next++) {
      const to = <i32>at(targets, next);
      if (to < 0) continue;
      const into = at(number, to);
      // The first edge to a child is the one it was found by: children are numbered in this order.
      if (into > newestChild && at(parent, into) === up) newestChild = into;
      else {
        const place = at(extra, into);
        put(extra, into, place + 1);
        put(from, place, up);
      }
    }
  }
}

/** The semidominators of the numbers `last` down to `first`. They take the place of `extra`, which is used up in this order. */
export function findSemidominators(first: u32, last: u32, from: usize): void {
  const parents = parent;
  const ends = extra;
  const pairs = from + (shift << 2);
  for (let here = last; here >= first; here--) {
    let lowest = at(parents, here);
    for (let i = at(ends, here - 1), end = at(ends, here); i < end; i++) {
      const up = at(from, i);
      if (up <= here) {
        if (up < lowest) lowest = up;
        continue;
      }
      // Path splitting: every node on the way learns its grandparent, and the lowest label below it.
      let pair = pairs + ((<usize>up) << 3);
      let best = load<u32>(pair);
      let above = load<u32>(pair, 4);
      while (above > here) {
        const pairAbove = pairs + ((<usize>above) << 3);
        const labelAbove = load<u32>(pairAbove);
        if (labelAbove < best) best = labelAbove;
        const next = load<u32>(pairAbove, 4);
        if (labelAbove < load<u32>(pair)) store<u32>(pair, labelAbove);
        store<u32>(pair, next, 4);
        pair = pairAbove;
        above = next;
      }
      if (best < lowest) lowest = best;
    }
    const own = pairs + ((<usize>here) << 3);
    store<u32>(own, lowest);
    store<u32>(own, at(parents, here), 4);
    put(ends, here, lowest);
  }
}

/** Turns `parent` into immediate dominators, still by preorder number: the nearest one at or above the semidominator. */
export function climb(first: u32, last: u32): void {
  for (let here = first; here < last; here++) {
    const limit = at(extra, here);
    let dominator = at(parent, here);
    while (dominator > limit) dominator = at(parent, dominator);
    put(parent, here, dominator);
  }
}

export function orderNodes(first: u32, last: u32, into: usize): void {
  for (let each = first; each < last; each++) put(into, at(number, each), each);
}

export function nameDominators(first: u32, last: u32, ordered: usize, immediate: usize): void {
  for (let here = first; here < last; here++) put(immediate, at(ordered, here), at(ordered, at(parent, here)));
}

const NOT_REACHED: u32 = 0xffffffff;

/** What the search did not meet is the root's. */
export function appendUnreached(immediate: usize, ordered: usize): void {
  let last = reached;
  for (let each: u32 = 0; each < nodeCount; each++) {
    if (at(immediate, each) !== NOT_REACHED) continue;
    put(immediate, each, root);
    put(ordered, ++last, each);
  }
}
