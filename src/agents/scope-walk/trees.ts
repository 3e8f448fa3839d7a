import type { Watched } from './containers.js';
import { addTo, fastestOf, lastOf, type Row, sizeAt } from './families.js';
import type { Walk } from './walk.js';

/** What is known of the time between two walks; the same walk twice before the second one. */
interface Seen {
  readonly first: Walk;
  readonly last: Walk;
  readonly times: readonly number[];
}

interface Tree {
  readonly row: Row;
  /** Branches that gained entries. */
  readonly members: readonly Watched[];
}

/** So many levels of the same kind make a tree; three are a Map by day of Maps by room of Maps by guest. */
const LEVELS = 3;
/** Fewer branches that gained are a collection or two. */
const BRANCHES_AT_LEAST = 3;
/** Grown containers that are asked where their tree begins. */
const ASKED = 2000;
const TREES = 3;

/**
 * Collections in collections in collections: indices of words, memories by several arguments. Each branch gains an
 * entry now and then, and most of what is new lies in branches that are new themselves.
 */
export function treesOf(grown: readonly Watched[], seen: Seen): Tree[] {
  const byTop = new Map<number, Watched[]>();
  for (const one of grown.slice(0, ASKED)) {
    if (one.kind === 'chain' || one.kind === 'list' || one.kind === 'string') continue;
    const top = seen.first.tree.treeTop(one.node, LEVELS);
    if (top >= 0) addTo(byTop, top, one);
  }
  return [...byTop]
    .filter(([, members]) => members.length >= BRANCHES_AT_LEAST)
    .sort(([, a], [, b]) => b.length - a.length)
    .slice(0, TREES)
    .flatMap(([at, members]) => treeOf(at, members, seen) ?? []);
}

function treeOf(at: number, members: readonly Watched[], seen: Seen): Tree | undefined {
  const { first, times } = seen;
  const top = first.watchlist.containers.find(one => one.node === at);
  if (!top) return undefined;
  const branches = branchesOf(first, at);
  const old = times.map((_, i) => branches.reduce((sum, one) => sum + (one.gone ? 0 : sizeAt(one, i)), 0));
  const sizes = withNewBranches(old, top, branches, seen);
  const row = { watched: fastestOf(members), walk: first, sizes, replaced: false, kin: branches.length, top };
  return { row, members };
}

/** Of all that was gained the old branches show the curve, and the second walk how much it was. */
function withNewBranches(
  old: readonly number[],
  top: Watched,
  branches: readonly Watched[],
  { first, last }: Seen,
): readonly number[] {
  const object = top.ref.deref();
  const again = object && last !== first ? last.watchlist.byObject.get(object) : undefined;
  const from = old[0] ?? 0;
  const shown = (old.at(-1) ?? 0) - from;
  if (!again || first.cut || last.cut || shown <= 0) return old;
  const before = entriesOf(branches, one => one.first);
  const gained = entriesOf(branchesOf(last, again.node), lastOf) - before;
  return old.map(size => Math.round(before + ((size - from) / shown) * Math.max(gained, shown)));
}

/** Entries of all branches: most of them are branches themselves. */
const entriesOf = (branches: readonly Watched[], sizeOf: (one: Watched) => number): number =>
  branches.reduce((sum, one) => sum + sizeOf(one), 0);

function branchesOf({ tree, watchlist }: Walk, top: number): Watched[] {
  const within = new Map<number, boolean>([[top, true]]);
  const isWithin = (node: number): boolean => {
    const path: number[] = [];
    let at = node;
    for (; at > top && !within.has(at); at = tree.parentOf(at)) path.push(at);
    const answer = within.get(at) ?? false;
    for (const one of path) within.set(one, answer);
    return answer;
  };
  const { kind } = watchlist.containers.find(one => one.node === top) ?? {};
  return watchlist.containers.filter(one => one.kind === kind && isWithin(one.node));
}
