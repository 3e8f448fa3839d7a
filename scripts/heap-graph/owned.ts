import { at, byteAt, firstEdge, kind, label, NAME_BITS, NAME_MASK, put, root, target } from './columns';

const OWNED: u32 = 0x80;

/** Marks what the nodes on the stack reach over anything but weak edges; after so many nodes it gives how many are left. */
export function markOwned(stack: usize, depth: u32, weak: u32, steps: u32): u32 {
  while (depth > 0 && steps > 0) {
    steps--;
    const node = at(stack, --depth);
    const end = at(firstEdge, node + 1);
    for (let edge = at(firstEdge, node); edge < end; edge++) {
      const child = at(target, edge);
      const known = byteAt(kind, child);
      if (known >= OWNED || at(label, edge) >>> NAME_BITS === weak) continue;
      store<u8>(kind + child, known | OWNED);
      put(stack, depth++, child);
    }
  }
  return depth;
}

/**
 * Inverts the target of every edge of some nodes that does not retain what it points at: weak ones, edges to itself,
 * shortcuts below the root, edges from V8's own objects into what the program owns, and a WeakMap's table (its keys retain
 * the values). `marks` says which texts name WeakMap entries, `names` of which table.
 */
export function markEssential(
  from: u32,
  to: u32,
  weak: u32,
  shortcut: u32,
  internal: u32,
  ids: usize,
  marks: usize,
  names: usize,
  nameCount: u32,
): void {
  let edge = at(firstEdge, from);
  for (let node = from; node < to; node++) {
    const isOwned = byteAt(kind, node) >= OWNED;
    const isRoot = node === root;
    for (const end = at(firstEdge, node + 1); edge < end; edge++) {
      const child = at(target, edge);
      const word = at(label, edge);
      const type = word >>> NAME_BITS;
      const retains =
        type !== weak &&
        child !== node &&
        (isRoot || (type !== shortcut && (isOwned || byteAt(kind, child) < OWNED))) &&
        !(
          type === internal &&
          byteAt(marks, word & NAME_MASK) !== 0 &&
          at(ephemeron(names, nameCount, word & NAME_MASK), 1) === at(ids, node)
        );
      if (!retains) put(target, edge, ~child);
    }
  }
}

/** The record [text, table's id, pair] of a text that has one; they are sorted. */
export function ephemeron(names: usize, count: u32, text: u32): usize {
  let low: u32 = 0;
  for (let high = count - 1; low < high; ) {
    const middle = (low + high + 1) >>> 1;
    if (at(names, middle * 3) <= text) low = middle;
    else high = middle - 1;
  }
  return names + ((<usize>low * 3) << 2);
}

/** Marks with a bit each what some edges retain. */
export function markRetained(from: u32, to: u32, bits: usize): void {
  for (let edge = from; edge < to; edge++) {
    const child = <i32>at(target, edge);
    if (child < 0) continue;
    const place = bits + (child >>> 3);
    store<u8>(place, <u32>load<u8>(place) | ((<u32>1) << (child & 7)));
  }
}
