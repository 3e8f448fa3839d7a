import type { EdgeLayout } from './header.js';
import { FAST_DIGITS, longestRecord, type Run } from './records.js';

/** Where edge records go. */
export interface EdgeColumns {
  /** type << 29 | name or index. */
  readonly label: Uint32Array;
  /** Ordinals. */
  readonly target: Int32Array;
}

/** An edge's type sits above its name (a string's index, or an element's index) in one 32-bit word. */
export const NAME_BITS = 29;
export const NAME_MASK = 2 ** NAME_BITS - 1;

/** 1 for the types whose second field is an index and not a name. */
export function indexedTypes({ types }: EdgeLayout): Uint8Array {
  return Uint8Array.from(types, name => (name === 'element' || name === 'hidden' ? 1 : 0));
}

export function isUsualEdge({ width, type, nameOrIndex, toNode }: EdgeLayout): boolean {
  return width === 3 && type === 0 && nameOrIndex === 1 && toNode === 2;
}

/** The hottest loop of the program: a large file is two thirds edges. The contract is that of `readNodes`. */
export function readEdges(
  { bytes, run, stop, room }: { bytes: Uint8Array; run: Run; stop: number; room: number },
  { indexed, nodeCount, nodeWidth }: { indexed: Uint8Array; nodeCount: number; nodeWidth: number },
  { label, target }: EdgeColumns,
): void {
  const types = indexed.length;
  const perNode = 1 / nodeWidth;
  const last = Math.min(stop, bytes.length - longestRecord(3));
  let { position, count: at, maxName } = run;
  while (position <= last && at < room) {
    const type = bytes[position]! ^ 0x30;
    if (type >= types || bytes[position + 1] !== 0x2c) break;
    let cursor = position + 2;
    let name = bytes[cursor]! ^ 0x30;
    if (name > 9) break;
    for (let digit = bytes[++cursor]! ^ 0x30; digit < 10; digit = bytes[++cursor]! ^ 0x30) {
      name = (Math.imul(name, 10) + digit) | 0;
    }
    if (bytes[cursor] !== 0x2c || cursor - position > FAST_DIGITS + 1) break;
    const begin = ++cursor;
    let index = bytes[cursor]! ^ 0x30;
    if (index > 9) break;
    for (let digit = bytes[++cursor]! ^ 0x30; digit < 10; digit = bytes[++cursor]! ^ 0x30) {
      index = (Math.imul(index, 10) + digit) | 0;
    }
    if (cursor - begin > FAST_DIGITS) break;
    if (bytes[cursor] === 0x0a) cursor++;
    if (bytes[cursor] !== 0x2c) break;
    // Rounds, because the product may fall a hair short of the integer; the check finds what is no multiple.
    const ordinal = (index * perNode + 0.5) | 0;
    if (Math.imul(ordinal, nodeWidth) !== index || ordinal >= nodeCount || name >= NAME_MASK) break;
    if (name > maxName && indexed[type] === 0) maxName = name;
    label[at] = (type << NAME_BITS) | name;
    target[at++] = ordinal;
    position = cursor + 1;
  }
  run.position = position;
  run.count = at;
  run.maxName = maxName;
}
