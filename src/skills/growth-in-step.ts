import type { Suspect } from '../heap/growth/suspects.js';
import { boundedBy } from '../heap/growth/verdict.js';
import type { CollectionGrowth } from '../model/evidence/collection-growth.js';
import type { OperatorView, Step } from '../model/skill.js';
import type { GrowthPlace } from './growth-home.js';
import { placeGrowth } from './growth-place.js';

interface Found {
  readonly suspect: Suspect;
  readonly where: GrowthPlace;
}

const MOST_BESIDE = 2;

/**
 * A container that is emptied now and then rests, unless another one of the same object gains the same entries and
 * nothing empties that: an index that is made anew beside a list that isn't.
 */
export async function* besideEmptied(
  see: OperatorView,
  { suspect, where }: Found,
  growth: CollectionGrowth,
): Step<Found | undefined> {
  if (!where.bounds.emptied || where.bounds.sizeCheck) return undefined;
  for (const other of suspect.inStep.filter(one => isOfSameObject(one, suspect)).slice(0, MOST_BESIDE)) {
    const found = { suspect: other, where: yield* placeGrowth(see, other, growth.applicationScripts) };
    if (!boundedBy(other, found.where.bounds, growth)) return found;
  }
  return undefined;
}

function isOfSameObject({ row: a }: Suspect, { row: b }: Suspect): boolean {
  const [x, y] = [a.ownerCode, b.ownerCode];
  return x !== undefined && x.scriptId === y?.scriptId && x.line === y.line && x.column === y.column;
}
