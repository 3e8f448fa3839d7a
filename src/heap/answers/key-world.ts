import type { HeapView } from './view.js';

/** Keys that are numbers among a few fixed words, as many as there can be of them. */
export interface KeyWorld {
  readonly known: number;
  readonly possible: number;
}

/** Fewer keys say nothing of where they come from. */
const LEAST_KEYS = 200;
const LEAST_OF_EACH = 10;
/** With more room than this a program that runs for days does not come to its end. */
const ROOM = 10;
/** `fr/#`, `de/#`: many more fixed words are data themselves. */
const KEYS_A_WORD = 20;
/** Of numbers that come at random half are below the middle; of some dozens this many at least, and at most. */
const BELOW_MIDDLE = { from: 0.3, to: 0.7 } as const;

interface Word {
  readonly old: number[];
  readonly late: number[];
}

/**
 * Where a collection's keys come at random from a bounded world (`city/4711` of some thousand cities), the later ones lie
 * among the earlier ones and fill the gaps. Numbers that count up go on above them, and ids at random have no end near.
 */
export function keyWorldOf(view: HeapView, holder: number, isNew: (node: number) => boolean): KeyWorld | undefined {
  const words = new Map<string, Word>();
  let known = 0;
  for (const { key, value } of entriesOf(view, holder)) {
    const [digits, ...more] = key.match(/\d+/g) ?? [];
    if (digits === undefined || more.length > 0 || digits.length > 9) return undefined;
    known++;
    const name = key.replace(digits, '#');
    const word = words.get(name) ?? { old: [], late: [] };
    words.set(name, word);
    word[isNew(value) ? 'late' : 'old'].push(Number(digits));
    if (words.size > Math.max(1, known / KEYS_A_WORD) + KEYS_A_WORD) return undefined;
  }
  const all = [...words.values()];
  if (known < LEAST_KEYS || !all.every(fillsGaps)) return undefined;
  const possible = all.reduce((sum, { old }) => sum + Math.max(...old) + 1, 0);
  return possible <= ROOM * known ? { known, possible } : undefined;
}

function fillsGaps({ old, late }: Word): boolean {
  if (old.length < LEAST_OF_EACH || late.length < LEAST_OF_EACH) return false;
  const most = Math.max(...old);
  const beyond = late.filter(number => number > most).length;
  // The largest of all is as likely one of the later ones as one of the earlier ones; several above are not by chance.
  const byChance = 3 * Math.ceil(late.length / old.length);
  const below = late.filter(number => number < most / 2).length / late.length;
  return beyond <= byChance && below >= BELOW_MIDDLE.from && below <= BELOW_MIDDLE.to;
}

/** Keys that are texts, of a Map or of a plain object. */
function* entriesOf(view: HeapView, holder: number): Generator<{ readonly key: string; readonly value: number }> {
  const table = view.child(holder, 'internal', 'table');
  if (table === undefined) {
    for (const edge of view.edges(holder)) {
      const key = view.edgeName(edge);
      const isEntry = view.edgeType(edge) === 'property' && key !== '__proto__' && !key.startsWith('<symbol');
      if (isEntry) yield { key, value: view.target(edge) };
    }
    return;
  }
  let before: number | undefined;
  for (const edge of view.edges(table)) {
    const child = view.target(edge);
    const isKey = before === undefined && view.type(child) === 'string';
    if (before !== undefined) yield { key: view.name(before), value: child };
    before = isKey ? child : undefined;
  }
}
