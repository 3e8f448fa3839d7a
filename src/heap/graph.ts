/** The columns that the loops in WebAssembly work on; all lie in one arena. */
export interface GraphColumns {
  readonly nodeCount: number;
  readonly edgeCount: number;
  readonly root: number;
  readonly firstEdge: Uint32Array;
  readonly target: Int32Array;
  readonly label?: Uint32Array;
  readonly kind?: Uint8Array;
  readonly nameIndex?: Uint32Array;
  readonly selfSize?: Uint32Array;
}

type Loop = (...numbers: number[]) => number;

/** What scripts/heap-graph compiles to: each is described there. Columns are given by address, which is `byteOffset`. */
export type GraphLoops = { readonly [name in LoopName]: Loop };

type LoopName =
  | 'open' | 'markOwned' | 'markEssential' | 'markRetained'
  | 'beginSearch' | 'searchFrom' | 'search' | 'reachedCount' | 'nextOrphan' | 'sumExtra' | 'shiftOf' | 'collectEntering'
  | 'findSemidominators' | 'climb' | 'orderNodes' | 'nameDominators' | 'appendUnreached'
  | 'markStores' | 'spreadOwners' | 'moveSizes' | 'sumSizes' | 'retainWords' | 'retainDoubles' | 'sumKinds'
  | 'classify' | 'nodesNamed' | 'beginShapes' | 'findShapes' | 'classifyShapes' | 'splitByPosition'
  | 'countClasses' | 'nearestOfClasses' | 'listChildren' | 'beginWalk' | 'walkWords' | 'walkDoubles' | 'countLinked'
  | 'setDistanceTypes' | 'setDistanceTexts' | 'beginSpread' | 'spread' | 'queued'
  | 'countCopies' | 'weighCopies' | 'listRepeated'
  | 'listBigWords' | 'listBigDoubles' | 'countChildren' | 'listChildrenOf' | 'nextMaybe'
  | 'markParts' | 'markFilter' | 'groupWords' | 'groupDoubles' | 'nextEdge' | 'weighWords' | 'weighDoubles' | 'nextInState'
  | 'readLocations' | 'locationsEnd' | 'numberLocation' | 'beginLocations' | 'knownLocations' | 'widenLocations'
  | 'beginGroups' | 'widenGroups' | 'nextUnmarked'
  | 'closuresByContext'; // biome-ignore format: a list

/**
 * How much a call does. V8 makes the loops at once and better ones while they run, which only the next call gets: a hundred
 * thousand nodes take a millisecond.
 */
export const SLICE = 2 ** 17;

/** Calls a loop for ranges of `from`..`to`, in order. */
export function inSlices(from: number, to: number, loop: (from: number, to: number) => void): void {
  for (let at = from; at < to; at += SLICE) loop(at, Math.min(to, at + SLICE));
}

/** The same from the end: `loop` gets the first and the last of a range of `first`..`last`, the highest range first. */
export function inSlicesDown(first: number, last: number, loop: (first: number, last: number) => void): void {
  for (let at = last; at >= first; at -= SLICE) loop(Math.max(first, at - SLICE + 1), at);
}

/** Goes through a range with a loop that stops in front of what it does not know and gives where; `meet` sees to it. */
export function inTurns(to: number, loop: (from: number, to: number) => number, meet: (at: number) => number): void {
  for (let at = 0; at < to; ) {
    const end = Math.min(to, at + SLICE);
    const stop = loop(at, end);
    at = stop < end ? meet(stop) : end;
  }
}

/** The last bits of an ordinal say for nearly all that they are not looked for, from a table that stays in a core's cache. */
export const FILTER_MASK = 0x3fff;
