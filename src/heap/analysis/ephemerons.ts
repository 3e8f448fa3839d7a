import type { Strings } from '../parse/strings.js';

/** V8 writes a WeakMap entry as two edges of one name: from the key and from the table. */
export interface EphemeronName {
  readonly tableId: number;
  /** What both edges of a pair have in common. */
  readonly pair: number;
}

const EPHEMERON =
  /^\d+(?<pair> \/ part of key \(.*? @\d+\) -> value \(.*? @\d+\) pair in WeakMap \(table @(?<tableId>\d+)\))$/;
const LONGEST = 4096;

/** The texts that name WeakMap entries, by index; `marks[index]` is 1 for them, which is quicker to ask. */
export interface Ephemerons {
  readonly marks: Uint8Array;
  readonly names: ReadonlyMap<number, EphemeronName>;
}

export function findEphemerons(strings: Strings): Ephemerons {
  const marks = new Uint8Array(strings.count);
  const names = new Map<number, EphemeronName>();
  const pairs = new Map<string, number>();
  const { special } = strings;
  for (let i = 0; i < (special?.length ?? strings.count); i++) {
    const index = special ? special[i]! : i;
    if (!looksLikeOne(strings, index)) continue;
    const groups = EPHEMERON.exec(strings.text(index))?.groups;
    if (!groups) continue;
    const text = groups.pair ?? '';
    const pair = pairs.get(text) ?? pairs.size;
    pairs.set(text, pair);
    names.set(index, { tableId: Number(groups.tableId), pair });
    marks[index] = 1;
  }
  return { marks, names };
}

function looksLikeOne(strings: Strings, index: number): boolean {
  const length = strings.length(index);
  if (length < 40 || length > LONGEST) return false;
  const first = strings.byteAt(index, 0);
  return first >= 0x30 && first <= 0x39 && strings.byteAt(index, length - 1) === 0x29;
}
