import type { Watched } from './containers.js';
import type { WalkTree } from './graph.js';
import type { Walk } from './walk.js';

/** A container that grew, or many that are told as one. */
export interface Row {
  readonly watched: Watched;
  readonly walk: Walk;
  readonly sizes: readonly (number | null)[];
  readonly replaced: boolean;
  /** How many containers this row stands for, where it is more than one. */
  readonly kin?: number;
  /** The container that all of them lie in, where they are branches of a tree. */
  readonly top?: Watched;
}

/** Of one key (kind and place below their collection) those that gained. */
export type Family = readonly [key: string, members: readonly Watched[]];

/** So many of the elements of one collection must have gained before they are told as one. */
const KIN_AT_LEAST = 3;
/** Families that are looked through, the largest first. */
const FAMILIES = 8;

export const lastSize = (sizes: readonly (number | null)[]): number => sizes.findLast(size => size !== null) ?? 0;
export const lastOf = (watched: Watched): number => (watched.sizes ? lastSize(watched.sizes) : watched.first);
/** The last reading at or before one that was left out. */
const lastBefore = ({ sizes, first }: Watched, index: number): number =>
  sizes?.slice(0, index).findLast(size => size !== null && size !== undefined) ?? first;
/** The size at a reading, or what was known then. */
export const sizeAt = (one: Watched, index: number): number =>
  one.sizes?.[index] ?? (one.sizes ? lastBefore(one, index) : one.first);

/** Appended in place: a copy for each of ten thousand would stop the program for a second. */
export function addTo<K, V>(groups: Map<K, V[]>, key: K, value: V): void {
  const group = groups.get(key);
  if (group) group.push(value);
  else groups.set(key, [value]);
}

/** A list for each user, each gaining a little: one cause, too small to be seen in any one of them. */
export function familiesOf({ tree }: Walk, grown: readonly Watched[]): Family[] {
  const byKey = new Map<string, Watched[]>();
  for (const one of grown) {
    const key = one.kind === 'list' || one.kind === 'chain' || one.kind === 'string' ? '' : kinOf(tree, one.node);
    if (key !== '') addTo(byKey, `${one.kind}|${key}`, one);
  }
  return [...byKey]
    .filter(([, members]) => members.length >= KIN_AT_LEAST)
    .sort(([, a], [, b]) => b.length - a.length)
    .slice(0, FAMILIES);
}

const kinOf = (tree: WalkTree, node: number): string => tree.kinKey(node) || listenersOfHandle(tree, node);

/** A keep-alive connection takes the traffic of another: only what all of them have together grows steadily. */
function listenersOfHandle(tree: WalkTree, node: number): string {
  const emitter = tree.edgeOf(tree.parentOf(node)) === '_events' ? tree.parentOf(tree.parentOf(node)) : -1;
  const edge = emitter >= 0 ? tree.edgeOf(emitter) : undefined;
  return typeof edge === 'object' && edge.kind === 'root' && edge.name.startsWith('active ') ? tree.key(node) : '';
}

/** Sums over all siblings that were seen, those that lost entries too, scaled up to the size of the collection they lie in. */
export function familyRow(walk: Walk, times: readonly number[], [key, members]: Family): Row {
  const { tree } = walk;
  const leader = fastestOf(members);
  const siblings = siblingsOf(walk, key, members);
  const above = tree.collectionAbove(leader.node);
  const collections = new Set(siblings.map(one => tree.collectionAbove(one.node)));
  const all = walk.watchlist.containers.filter(one => one.node === above).map(lastOf)[0] ?? 0;
  const kin = collections.size === 1 ? Math.max(all, siblings.length) : siblings.length;
  const scale = kin / siblings.length;
  const sizes = times.map((_, i) => Math.round(scale * siblings.reduce((sum, one) => sum + sizeAt(one, i), 0)));
  return { watched: leader, walk, sizes, replaced: false, kin };
}

/** A history for each document, each with a new newest: containers that are replaced as they grow, one row for all of a kind. */
export function withFamilies(replaced: readonly Row[]): Row[] {
  const byKey = new Map<string, Row[]>();
  for (const row of replaced) {
    const key = row.walk.tree.kinKey(row.watched.node);
    const name = key === '' ? `alone ${byKey.size}` : `${row.watched.kind}|${key}`;
    addTo(byKey, name, row);
  }
  return [...byKey.values()].flatMap(rows => (rows.length < KIN_AT_LEAST ? rows : [summed(rows)]));
}

function summed(rows: readonly Row[]): Row {
  const leader = rows.reduce((a, b) => (lastSize(b.sizes) > lastSize(a.sizes) ? b : a));
  const sizes = leader.sizes.map((size, i) =>
    size === null ? null : rows.reduce((sum, row) => sum + (row.sizes[i] ?? 0), 0),
  );
  return { ...leader, sizes, kin: rows.length };
}

/** The one that gained most. */
export const fastestOf = (members: readonly Watched[]): Watched =>
  members.reduce((a, b) => (lastOf(b) - b.first > lastOf(a) - a.first ? b : a));

/** The walk comes to what lies in neighbours soon one after the other; the program waits while they are looked through. */
const NEAR = 5000;
/** Fewer elements may well have no two of a kind. */
const SEVERAL = 3;
/** These are watched whatever their size; others only from some size on. */
const isSeenEverywhere = ({ kind }: Watched): boolean => kind === 'Map' || kind === 'Set' || kind === 'Array';

/**
 * The path goes through one of several elements, of which no other has such a container: either all of them lead to this
 * one, or it is this element's only. Taking an element out of the collection empties nothing of it.
 */
export function isAlone({ tree, watchlist }: Walk, watched: Watched): boolean {
  const above = isSeenEverywhere(watched) ? tree.collectionAbove(watched.node) : -1;
  if (above < 0 || tree.collectionAbove(tree.parentOf(watched.node)) !== above) return false;
  const collection = watchlist.containers.find(one => one.node === above);
  if ((collection?.first ?? 0) < SEVERAL) return false;
  const key = tree.kinKey(watched.node);
  const { containers } = watchlist;
  const at = containers.indexOf(watched);
  return !containers
    .slice(Math.max(0, at - NEAR), at + NEAR)
    .some(one => one !== watched && tree.collectionAbove(one.node) === above && tree.kinKey(one.node) === key);
}

/** In the same collections, at the same place below them; numbers are compared before texts are made. */
function siblingsOf({ tree, watchlist }: Walk, key: string, members: readonly Watched[]): Watched[] {
  const collections = new Set(members.map(one => tree.collectionAbove(one.node)));
  if (collections.has(-1)) return [...members];
  return watchlist.containers.filter(
    one =>
      !one.gone && collections.has(tree.collectionAbove(one.node)) && `${one.kind}|${tree.kinKey(one.node)}` === key,
  );
}
