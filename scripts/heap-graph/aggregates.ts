import { at, bytesOf, put, root, selfSize } from './columns';

/** Objects and bytes of each class; those without a size of their own don't count. */
export function countClasses(from: u32, to: u32, classes: usize, counts: usize, sizes: usize): void {
  for (let node = from; node < to; node++) {
    const size = at(selfSize, node);
    if (size === 0) continue;
    const index = at(classes, node);
    put(counts, index, at(counts, index) + 1);
    const sum = sizes + ((<usize>index) << 3);
    store<f64>(sum, load<f64>(sum) + <f64>size);
  }
}

/** Distance of a class: that of its nearest object. */
export function nearestOfClasses(from: u32, to: u32, classes: usize, distance: usize, nearest: usize): void {
  for (let node = from; node < to; node++) {
    if (at(selfSize, node) === 0) continue;
    const index = at(classes, node);
    const away = <i32>at(distance, node);
    if (away < <i32>at(nearest, index)) put(nearest, index, away);
  }
}

/** First child and next sibling of each node in the dominator tree, plus one, the last of the order first. */
export function listChildren(
  first: u32,
  last: u32,
  order: usize,
  immediate: usize,
  child: usize,
  sibling: usize,
): void {
  for (let here = last; here >= first; here--) {
    const node = at(order, here);
    const above = at(immediate, node);
    put(sibling, node, at(child, above));
    put(child, above, node + 1);
  }
}

let immediate: usize = 0;
let child: usize = 0;
let sibling: usize = 0;
let classOf: usize = 0;
let retained: usize = 0;
/** A record for each class: what is open above, how many are within the outermost, its largest object, how many are in it. */
let open: usize = 0;
/** What the outermost objects of each class retain. */
let sums: usize = 0;
let node: u32 = 0;

export function beginWalk(
  above: usize,
  first: usize,
  next: usize,
  classes: usize,
  bytes: usize,
  records: usize,
  totals: usize,
): void {
  immediate = above;
  child = first;
  sibling = next;
  classOf = classes;
  retained = bytes;
  open = records;
  sums = totals;
  node = root;
}

function enter<T>(each: u32): void {
  if (at(selfSize, each) === 0) return;
  const index = at(classOf, each);
  const record = open + ((<usize>index) << 4);
  const depth = load<u32>(record);
  store<u32>(record, depth + 1);
  if (depth === 0) {
    const sum = sums + ((<usize>index) << 3);
    store<f64>(sum, load<f64>(sum) + bytesOf<T>(retained, each));
    store<u32>(record, 1, 4);
  } else store<u32>(record, load<u32>(record, 4) + 1, 4);
}

function leave<T>(each: u32): void {
  if (at(selfSize, each) === 0) return;
  const record = open + ((<usize>at(classOf, each)) << 4);
  const depth = load<u32>(record) - 1;
  store<u32>(record, depth);
  if (depth > 0) return;
  if (load<u32>(record, 12) !== 0 && bytesOf<T>(retained, each) <= bytesOf<T>(retained, load<u32>(record, 8))) return;
  store<u32>(record, each, 8);
  store<u32>(record, load<u32>(record, 4), 12);
}

/** Walks the dominator tree from where it stands; true after so many steps, false at its end. */
function walk<T>(steps: u32): bool {
  let here = node;
  if (steps === 0) {
    enter<T>(here);
    return true;
  }
  for (; steps > 0; steps--) {
    let next = at(child, here);
    while (next === 0) {
      leave<T>(here);
      if (here === root) return false;
      next = at(sibling, here);
      here = at(immediate, here);
    }
    here = next - 1;
    enter<T>(here);
  }
  node = here;
  return true;
}

/** With no steps: enters the root. */
export function walkWords(steps: u32): bool {
  return walk<u32>(steps);
}

export function walkDoubles(steps: u32): bool {
  return walk<f64>(steps);
}

/** Objects of each class that hang below another one of it, directly or with one object between (as promises do). */
export function countLinked(from: u32, to: u32, classes: usize, dominators: usize, linked: usize): void {
  for (let each = from; each < to; each++) {
    const index = at(classes, each);
    const above = at(dominators, each);
    if (at(classes, above) !== index && at(classes, at(dominators, above)) !== index) continue;
    put(linked, index, at(linked, index) + 1);
  }
}
