import type { Baseline } from './baseline.js';
import type { HeapView } from './view.js';

/** An array is four words, its backing store, which is booked to it, two and one for each entry. */
const WORD_BYTES = 8;
const HEAD_WORDS = 6;
/** A list that is pushed to grows by half and 16 when it is full: one that has more room was made with it. */
const GROWS_TO = 1.5;
const GROWS_BY = 17;
/** The list has a slot for about each entry that is new. */
const SAME_ENTRIES = 0.5;

/** How many entries a holder has room for that was made for a number of them, as an LRU is. */
export interface Slots {
  readonly room: number;
  readonly used: number;
}

/**
 * The slots that were there before the entries: of a list that is the holder, that it has, or that lies beside it. Its
 * backing store is the one of the oldest file, with more room than a list has that only grew.
 */
export function slotsOf(view: HeapView, holder: number, oldest: Baseline, newChildren: number): Slots | undefined {
  const above = view.dominator(holder);
  const lists = [holder, ...fieldsOf(view, holder), ...fieldsOf(view, above)];
  for (const list of new Set(lists)) {
    const slots = slotsIn(view, list, oldest);
    if (slots && slots.added >= Math.max(1, newChildren * SAME_ENTRIES)) return { room: slots.room, used: slots.used };
  }
  return undefined;
}

function fieldsOf(view: HeapView, node: number): number[] {
  if (view.type(node) !== 'object') return [];
  return [...view.edges(node)]
    .filter(edge => view.edgeType(edge) === 'property' && view.retains(edge))
    .map(edge => view.target(edge));
}

function slotsIn(view: HeapView, list: number, oldest: Baseline): (Slots & { readonly added: number }) | undefined {
  if (view.className(list) !== 'Array' || !isAsBefore(view, list, oldest)) return undefined;
  const room = view.selfBytes(list) / WORD_BYTES - HEAD_WORDS;
  let used = 0;
  let old = 0;
  for (const edge of view.edges(list)) {
    const entry = view.target(edge);
    if (view.edgeType(edge) !== 'element' || view.type(entry) === 'hidden') continue; // undefined and holes
    used++;
    if (oldest.find(view.id(entry)) >= 0) old++;
  }
  return room > GROWS_TO * old + GROWS_BY && used < room ? { room, used, added: used - old } : undefined;
}

function isAsBefore(view: HeapView, list: number, oldest: Baseline): boolean {
  const store = view.child(list, 'internal', 'elements');
  const before = oldest.find(view.id(list));
  if (store === undefined || before < 0 || oldest.find(view.id(store)) < 0) return false;
  return oldest.selfSize[before] === view.selfBytes(list);
}
