import type { NodeLayout } from './header.js';
import { FAST_DIGITS, longestRecord, type Run } from './records.js';

/** Where node records go; `firstEdge[0]` is the first edge of the first of them. */
export interface NodeColumns {
  readonly kind: Uint8Array;
  readonly nameIndex: Uint32Array;
  readonly id: Uint32Array;
  readonly selfSize: Uint32Array;
  readonly firstEdge: Uint32Array;
}

/** The low five bits of a node's byte are its type, the next two its detachedness. */
export const TYPE_BITS = 0x1f;
export const DETACHED_SHIFT = 5;

/** V8 has always written these five first. */
export const FIRST_FIELDS = 5;

export function isUsualNode({ type, name, id, selfSize, edgeCount, detachedness }: NodeLayout): boolean {
  const isFirst = type === 0 && name === 1 && id === 2 && selfSize === 3 && edgeCount === 4;
  return isFirst && (detachedness < 0 || detachedness >= FIRST_FIELDS);
}

/**
 * Reads node records as V8 prints them, from `run.position` while they begin at or before `stop`; ends in front of the
 * first one that it does not like. `run.sum` counts edges and stays within `maxEdges`.
 */
export function readNodes(
  { bytes, run, stop, room }: { bytes: Uint8Array; run: Run; stop: number; room: number },
  layout: NodeLayout,
  columns: NodeColumns,
  maxEdges: number,
): void {
  const { kind, nameIndex, id, selfSize, firstEdge } = columns;
  const { width, detachedness } = layout;
  const types = layout.types.length;
  const last = Math.min(stop, bytes.length - longestRecord(width));
  let { position, count: at, sum, maxName } = run;
  while (position <= last && at < room) {
    // 0x30..0x39 with bits 4 and 5 flipped are 0..9, and no other byte is below ten.
    let cursor = position;
    let type = bytes[cursor]! ^ 0x30;
    if (type > 9) break;
    if (bytes[++cursor] !== 0x2c) {
      const digit = bytes[cursor++]! ^ 0x30;
      if (digit > 9 || bytes[cursor] !== 0x2c) break;
      type = type * 10 + digit;
    }
    let begin = ++cursor;
    let name = bytes[cursor]! ^ 0x30;
    if (name > 9) break;
    for (let digit = bytes[++cursor]! ^ 0x30; digit < 10; digit = bytes[++cursor]! ^ 0x30) {
      name = (Math.imul(name, 10) + digit) | 0;
    }
    if (bytes[cursor] !== 0x2c || cursor - begin > FAST_DIGITS) break;
    begin = ++cursor;
    let number = bytes[cursor]! ^ 0x30;
    if (number > 9) break;
    for (let digit = bytes[++cursor]! ^ 0x30; digit < 10; digit = bytes[++cursor]! ^ 0x30) {
      number = (Math.imul(number, 10) + digit) | 0;
    }
    if (bytes[cursor] !== 0x2c || cursor - begin > FAST_DIGITS) break;
    begin = ++cursor;
    let size = bytes[cursor]! ^ 0x30;
    if (size > 9) break;
    for (let digit = bytes[++cursor]! ^ 0x30; digit < 10; digit = bytes[++cursor]! ^ 0x30) {
      size = (Math.imul(size, 10) + digit) | 0;
    }
    if (bytes[cursor] !== 0x2c || cursor - begin > FAST_DIGITS) break;
    begin = ++cursor;
    let edges = bytes[cursor]! ^ 0x30;
    if (edges > 9) break;
    for (let digit = bytes[++cursor]! ^ 0x30; digit < 10; digit = bytes[++cursor]! ^ 0x30) {
      edges = (Math.imul(edges, 10) + digit) | 0;
    }
    if (cursor - begin > FAST_DIGITS) break;
    // What follows (trace_node_id, detachedness) has one digit, nearly always.
    let link = 0;
    let field = FIRST_FIELDS;
    for (; field < width; field++, cursor += 2) {
      const digit = bytes[cursor + 1]! ^ 0x30;
      if (bytes[cursor] !== 0x2c || digit > 9) break;
      if (field === detachedness) link = digit;
    }
    if (field < width) break;
    if (bytes[cursor] === 0x0a) cursor++;
    const total = sum + edges;
    if (bytes[cursor] !== 0x2c || type >= types || link > 2 || total > maxEdges) break;
    if (name > maxName) maxName = name;
    kind[at] = type | (link << DETACHED_SHIFT);
    nameIndex[at] = name;
    id[at] = number;
    selfSize[at] = size;
    sum = total;
    firstEdge[++at] = total;
    position = cursor + 1;
  }
  run.position = position;
  run.count = at;
  run.sum = sum;
  run.maxName = maxName;
}
