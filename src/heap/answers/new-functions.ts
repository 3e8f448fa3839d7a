import { isUserCode } from '../../base/script-url.js';
import { TYPE_BITS } from '../parse/fast-nodes.js';
import type { ScriptPlace, Scripts } from './scripts.js';
import type { HeapView } from './view.js';

/** A longer chain of dominators leads to something that a person would not call the holder. */
const MOST_ABOVE = 60;
/** One or two new functions are there by chance. */
const LEAST_MADE = 3;

/**
 * For each holder the place of the program that made the most of the functions that are new below it: listeners,
 * callbacks of timers and promises, whatever a package has wrapped around them.
 */
export function newFunctionsBelow(
  view: HeapView,
  scripts: Scripts,
  holders: readonly number[],
  isNew: (node: number) => boolean,
): ReadonlyMap<number, ScriptPlace> {
  const { locations } = view.heap.file;
  const isUser = locations.positions.map(position => isUserCode(scripts.at(position)?.url ?? ''));
  const wanted = new Set(holders);
  const counts = new Map<number, Map<number, number>>();
  for (let i = 0; i < locations.count; i++) {
    const at = locations.position[i]!;
    const node = locations.ordinal[i]!;
    if (!isUser[at] || !isClosure(view, node) || !isNew(node)) continue;
    const holder = holderAbove(view, node, wanted);
    if (holder === undefined) continue;
    const byPlace = counts.get(holder) ?? new Map<number, number>();
    counts.set(holder, byPlace.set(at, (byPlace.get(at) ?? 0) + 1));
  }
  const places = [...counts].flatMap(([holder, byPlace]) => {
    const [at, count] = [...byPlace].reduce((most, one) => (one[1] > most[1] ? one : most));
    const place = count < LEAST_MADE ? undefined : scripts.at(locations.positions[at]!);
    return place ? [[holder, place] as const] : [];
  });
  return new Map(places);
}

const isClosure = ({ heap }: HeapView, node: number): boolean =>
  (heap.file.kind[node]! & TYPE_BITS) === heap.facts.node.closure;

function holderAbove(view: HeapView, node: number, holders: ReadonlySet<number>): number | undefined {
  for (let step = 0, at = view.dominator(node); step < MOST_ABOVE; step++, at = view.dominator(at)) {
    if (holders.has(at)) return at;
    if (view.dominator(at) === at) return undefined;
  }
  return undefined;
}
