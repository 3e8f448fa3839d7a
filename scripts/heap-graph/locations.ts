import { at, put, typeOf } from './columns';

// The position that was read or looked for last, and where the next record begins.
let script: u32 = 0;
let line: u32 = 0;
let column: u32 = 0;
let position: usize = 0;
let known: u32 = 0;

const FAST_DIGITS: u32 = 9;
const LINE_BREAK: u32 = 0x0a;
const COMMA: u32 = 0x2c;

/** The number at `position`, up to the byte behind it; -1 where there is none or a long one. */
function readNumber(): i32 {
  let number: u32 = 0;
  const from = position;
  for (let digit = <u32>load<u8>(position) ^ 0x30; digit < 10; digit = <u32>load<u8>(position) ^ 0x30) {
    number = number * 10 + digit;
    position++;
  }
  return position === from || position - from > FAST_DIGITS ? -1 : number;
}

function readField(): i32 {
  const number = readNumber();
  return <u32>load<u8>(position++) === COMMA ? number : -1;
}

/** Where a position is in the table, or where it belongs: four words a slot, script, line, column and number plus one. */
function slotOf(table: usize, mask: u32): usize {
  let hash = (script * 31 + line) * 0x9e3779b1 + column * 0x85ebca6b;
  hash ^= hash >>> 15;
  let slot = table + ((<usize>(hash & mask)) << 4);
  while (load<u32>(slot, 12) !== 0) {
    if (load<u32>(slot) === script && load<u32>(slot, 4) === line && load<u32>(slot, 8) === column) return slot;
    slot = table + ((<usize>(++hash & mask)) << 4);
  }
  return slot;
}

function number(table: usize, mask: u32): u32 {
  const slot = slotOf(table, mask);
  if (load<u32>(slot, 12) === 0) take(slot, known++);
  return load<u32>(slot, 12) - 1;
}

function take(slot: usize, index: u32): void {
  store<u32>(slot, script);
  store<u32>(slot, line, 4);
  store<u32>(slot, column, 8);
  store<u32>(slot, index + 1, 12);
}

/** The number of a position. */
export function numberLocation(inScript: u32, row: u32, place: u32, table: usize, mask: u32): u32 {
  script = inScript;
  line = row;
  column = place;
  return number(table, mask);
}

/** Begins with an empty table. */
export function beginLocations(): void {
  known = 0;
}

/** How many positions have a number. */
export function knownLocations(): u32 {
  return known;
}

/** Takes over what a smaller table holds. */
export function widenLocations(from: usize, slots: u32, table: usize, mask: u32): void {
  for (let slot = from, end = from + ((<usize>slots) << 4); slot < end; slot += 16) {
    const index = load<u32>(slot, 12);
    if (index === 0) continue;
    script = load<u32>(slot);
    line = load<u32>(slot, 4);
    column = load<u32>(slot, 8);
    take(slotOf(table, mask), index - 1);
  }
}

/**
 * Reads records as V8 prints them (object, script, line, column), as long as they begin at or before `last` and there is
 * room; gives how many. It stops in front of what it does not like, and where the
 * table is more than half full.
 */
export function readLocations(
  from: usize,
  last: usize,
  room: u32,
  width: u32,
  nodes: u32,
  ordinals: usize,
  positions: usize,
  table: usize,
  mask: u32,
): u32 {
  let next = from;
  let count: u32 = 0;
  for (; next <= last && count < room && known * 2 <= mask; count++) {
    position = next;
    const object = readField();
    const inScript = readField();
    const row = readField();
    const place = readNumber();
    if (<u32>load<u8>(position) === LINE_BREAK) position++;
    if (<u32>load<u8>(position++) !== COMMA || (object | inScript | row | place) < 0) break;
    const ordinal = <u32>object / width;
    if (ordinal * width !== <u32>object || ordinal >= nodes) break;
    script = inScript;
    line = row;
    column = place;
    put(ordinals, count, ordinal);
    put(positions, count, number(table, mask));
    next = position;
  }
  position = next;
  return count;
}

export function locationsEnd(): usize {
  return position;
}

/** The next record of a node of some type whose position has no mark. */
export function nextUnmarked(from: u32, to: u32, ordinals: usize, positions: usize, type: u32, marks: usize): u32 {
  for (let record = from; record < to; record++) {
    if (load<u8>(marks + at(positions, record)) === 0 && typeOf(at(ordinals, record)) === type) return record;
  }
  return to;
}
