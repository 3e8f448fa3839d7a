import { isFile } from '../../base/script-url.js';
import { inSlices } from '../graph.js';
import { countChildren, groupChildren } from './children.js';
import type { ChildGroup } from './groups.js';
import type { RetainingPath } from './paths.js';
import { findPaths } from './paths.js';
import type { Scripts } from './scripts.js';
import type { HeapView } from './view.js';

/** `many`: thousands of like children under one object; `chain`: like objects one under the other; `single`: one big object. */
export type SuspectShape = 'many' | 'chain' | 'single';

export interface Suspect {
  readonly holder: number;
  readonly shape: SuspectShape;
  readonly retainedBytes: number;
  /** Of the whole heap. */
  readonly share: number;
  readonly children: readonly ChildGroup[];
  readonly path: RetainingPath;
}

export interface SuspectOptions {
  readonly limit?: number;
  readonly minShare?: number;
}

/** Below this part of the heap nobody asks. A single file can't tell a leak from a full cache: it can tell where to look. */
const MIN_SHARE = 0.05;
/** Fewer like children than this are a data structure, not an accumulation. */
const MIN_CHILDREN = 100;
/** A holder that has most of what another one has is the same finding, told nearer to its place. */
const SAME_FINDING = 0.7;
/** Node's own tables are a finding only when they are this much of the heap (thousands of modules loaded, say). */
const OWN_SHARE = 0.2;
/** Nested settings hang below each other, too, but not nearly all objects of a class. */
const LINKED = 0.8;
const MAX_CANDIDATES = 400;
const MAX_SUSPECTS = 10;

interface Holder {
  readonly node: number;
  readonly shape: SuspectShape;
  readonly children: readonly ChildGroup[];
}

/** Who holds much: by shape (many like children, long chains) and by dominance (single objects), largest first. */
export function findSuspects(view: HeapView, scripts: Scripts, options: SuspectOptions = {}): Suspect[] {
  const least = (options.minShare ?? MIN_SHARE) * view.totalBytes;
  const [many, single] = [manyChildren(view, least), singles(view, least)];
  const holders = [...many, ...chains(view, least), ...single]; // chains need the classes' sums, which come last
  const limit = options.limit ?? MAX_SUSPECTS;
  const chosen = withoutRepeats(view, holders).slice(0, limit * 3);
  return describe(view, scripts, withChildren(view, chosen))
    .filter(suspect => suspect.share >= OWN_SHARE || isOfProgram(view, scripts, suspect))
    .slice(0, limit);
}

/** Says also of single big objects what they hold most, where it is many of a kind. */
function withChildren(view: HeapView, holders: readonly Holder[]): Holder[] {
  const groups = groupChildren(
    view,
    new Set(holders.filter(({ shape }) => shape === 'single').map(({ node }) => node)),
  );
  return holders.map(holder => {
    const children = groups.get(holder.node)?.filter(({ count }) => count >= MIN_CHILDREN);
    return children ? { ...holder, children } : holder;
  });
}

/** The same description for holders that were found otherwise (by growth); children may be limited to some (new ones). */
export function describeHolders(
  view: HeapView,
  scripts: Scripts,
  nodes: readonly number[],
  counts?: (node: number) => boolean,
): Suspect[] {
  const groups = groupChildren(view, new Set(nodes), counts);
  const holders = nodes.map(
    (node): Holder => chainFrom(view, node, counts) ?? { node, shape: 'many', children: groups.get(node) ?? [] },
  );
  return describe(view, scripts, holders);
}

/** The list that a node heads, with as many of its objects as count. */
function chainFrom(view: HeapView, head: number, counts: (node: number) => boolean = () => true): Holder | undefined {
  const { classes, immediate, aggregates, retained } = view.heap;
  const classIndex = classes.of[head]!;
  if (aggregates.largest[classIndex] !== head) return undefined;
  const group = { classIndex, count: 0, retainedBytes: retained[head]!, sample: head };
  let all = 0;
  for (let node = 0; node < view.nodeCount; node++) {
    if (classes.of[node] !== classIndex || !counts(node)) continue;
    all++;
    if (classes.of[immediate[node]!] !== classIndex) continue;
    group.count++;
    group.sample = node;
  }
  return group.count < MIN_CHILDREN || group.count < LINKED * all
    ? undefined
    : { node: head, shape: 'chain', children: [group] };
}

/** The object of the program that a node belongs to: itself, what owns it as a backing store, or the head of its list. */
export function holderOf(view: HeapView, node: number): number | undefined {
  const { classes, immediate } = view.heap;
  let owner = ownerOf(view, node);
  while (classes.of[immediate[owner]!] === classes.of[owner] && immediate[owner] !== owner) owner = immediate[owner]!;
  return isProgramObject(view, owner) && !view.isPart(owner) ? owner : undefined;
}

function describe(view: HeapView, scripts: Scripts, holders: readonly Holder[]): Suspect[] {
  if (holders.length === 0) return [];
  const paths = findPaths(
    view,
    scripts,
    holders.map(({ node }) => node),
  );
  return holders.map(({ node, shape, children }, i) => ({
    holder: node,
    shape,
    retainedBytes: view.retainedBytes(node),
    share: view.retainedBytes(node) / view.totalBytes,
    children,
    path: paths[i]!,
  }));
}

/** Node keeps tables of its own (built-in modules, say). What only they hold is no finding, unless user code is in it. */
export function isOfProgram(view: HeapView, scripts: Scripts, { path, children }: Suspect): boolean {
  if (path.module !== undefined) return true;
  const isUser = (node: number) =>
    isFile(scripts.place(node)?.url ?? '') ||
    programFunction(view, scripts, node) !== undefined ||
    userFunctionIn(view, scripts, node) !== undefined;
  if (children.some(({ sample }) => isUser(sample))) return true;
  const nodes = path.steps.map(({ node }) => node);
  const modules = nodes.findLastIndex(node => view.className(node) === 'Module');
  const internal = nodes.findLastIndex(node => view.type(node) === 'closure' && !isUser(node));
  if (internal < 0 || modules > internal) return true;
  return nodes.slice(internal + 1).some(node => userFunctionIn(view, scripts, node) !== undefined);
}

/** A function of the program that an object has as a property: a timer's callback, a listener's handler. */
export function userFunctionIn(view: HeapView, scripts: Scripts, node: number): number | undefined {
  const { file, facts } = view.heap;
  const end = file.firstEdge[node + 1]!;
  const next = (from: number) => file.arena.loops.nextEdge(from, end, facts.edge.property, facts.node.closure);
  for (let edge = next(file.firstEdge[node]!); edge < end; edge = next(edge + 1)) {
    const child = view.target(edge);
    if (isFile(scripts.place(child)?.url ?? '')) return child;
  }
  return undefined;
}

/** The function of the program that a listener is, or stands for: what it is bound to, what `once` wraps. */
export function programFunction(view: HeapView, scripts: Scripts, node: number, depth = 0): number | undefined {
  if (view.type(node) !== 'closure') return undefined;
  if (isFile(scripts.place(node)?.url ?? '')) return node;
  if (depth === MOST_WRAPPERS) return undefined;
  const wrapped = view.child(node, 'property', 'listener') ?? view.child(node, 'internal', 'bound_function');
  return wrapped === undefined ? undefined : programFunction(view, scripts, wrapped, depth + 1);
}

/** A bound function in the wrapper of `once`, and one more for whoever wraps that. */
const MOST_WRAPPERS = 4;

/**
 * True for what a program can hold: no roots, no globals, no compiled code. (Not by distance: what a server's handle or
 * the running stack holds is as far from the globals as V8's own.)
 */
function isProgramObject(view: HeapView, node: number): boolean {
  const isRoot = view.distance(node) <= 1 || view.type(node) === 'synthetic';
  return !isRoot && view.type(node) !== 'code' && !isBuiltin(view, node);
}

function manyChildren(view: HeapView, least: number): Holder[] {
  const big = bigNodes(view, least);
  const counts = countChildren(view, big);
  const candidates = new Set<number>();
  for (const node of big) {
    if (counts[node]! < MIN_CHILDREN) continue;
    const owner = ownerOf(view, node);
    if (view.retainedBytes(owner) >= least && isProgramObject(view, owner)) candidates.add(owner);
    if (candidates.size >= MAX_CANDIDATES) break;
  }
  view.heap.scratch.giveBack(counts);
  view.heap.scratch.giveBackWhole(big);
  const groups = groupChildren(view, candidates);
  return [...groups].flatMap(([node, children]) => {
    const first = children[0];
    const isMany = first !== undefined && first.count >= MIN_CHILDREN && sum(children) >= view.retainedBytes(node) / 2;
    return isMany ? [{ node, shape: 'many' as const, children }] : [];
  });
}

const sum = (groups: readonly ChildGroup[]): number => groups.reduce((total, group) => total + group.retainedBytes, 0);

/** V8's own: its context holds thousands of functions by nature, and a scope is the sum of its variables. */
function isBuiltin(view: HeapView, node: number): boolean {
  const type = view.type(node);
  return type === 'hidden' || type === 'object shape' || view.name(node).startsWith('system / ');
}

/** Nodes that retain so much; one of the scratch arrays. */
function bigNodes({ heap: { file, retained, scratch }, nodeCount }: HeapView, least: number): Uint32Array {
  const big = scratch.dirty();
  const { loops } = file.arena;
  const loop = retained instanceof Float64Array ? loops.listBigDoubles : loops.listBigWords;
  let count = 0;
  inSlices(0, nodeCount, (from, to) => {
    count = loop(from, to, retained.byteOffset, least, big.byteOffset, count);
  });
  return big.subarray(0, count);
}

/** A backing store stands for the Map, array or object it belongs to. */
function ownerOf(view: HeapView, node: number): number {
  let owner = node;
  for (let up = 0; up < 4 && view.isPart(owner) && owner !== view.heap.file.root; up++) owner = view.dominator(owner);
  return owner;
}

/** Classes most of whose objects hang one below the other, under one that holds them: lists, trees, promise chains. */
function chains(view: HeapView, least: number): Holder[] {
  const { aggregates, classes } = view.heap;
  const linked = countLinked(view);
  return classes.list.flatMap((_, classIndex) => {
    const count = aggregates.count[classIndex]!;
    const node = aggregates.largest[classIndex]!;
    const isLinked = count >= MIN_CHILDREN && linked[classIndex]! >= LINKED * count;
    const isChain = isLinked && aggregates.inLargest[classIndex]! >= count / 2;
    if (!isChain || view.retainedBytes(node) < least || !isProgramObject(view, node)) return [];
    if (view.isPart(node)) return []; // never the one a person looks for
    const children = [{ classIndex, count, retainedBytes: view.retainedBytes(node), sample: node }];
    return [{ node, shape: 'chain' as const, children }];
  });
}

/** Objects of each class that hang below another one of it, directly or with one object between (as promises do). */
function countLinked(view: HeapView): Uint32Array {
  const { classes, immediate, file } = view.heap;
  const linked = file.arena.words(classes.list.length);
  const columns = [classes.of, immediate, linked].map(({ byteOffset }) => byteOffset);
  inSlices(0, view.nodeCount, (from, to) => file.arena.loops.countLinked(from, to, ...columns));
  return linked;
}

/** Objects that hold much while none of their children holds most of it: where the memory comes together. */
function singles(view: HeapView, least: number): Holder[] {
  const { immediate, retained } = view.heap;
  const isPassedOn = new Set<number>();
  const big: number[] = [];
  const listed = bigNodes(view, SAME_FINDING * least); // what is smaller is neither big nor most of something big
  for (const node of listed) {
    const above = immediate[node]!;
    if (node === above) continue;
    if (retained[node]! >= least) big.push(node);
    if (retained[node]! >= SAME_FINDING * retained[above]!) isPassedOn.add(above);
  }
  view.heap.scratch.giveBackWhole(listed);
  const ends = big.filter(node => !isPassedOn.has(node) && isProgramObject(view, node));
  const owners = new Set(ends.map(node => ownerOf(view, node)).filter(node => isProgramObject(view, node)));
  return [...owners].slice(0, MAX_CANDIDATES).map(node => ({ node, shape: 'single' as const, children: [] }));
}

const ORDER: readonly SuspectShape[] = ['many', 'chain', 'single'];

/** Of two holders one of which holds most of the other's bytes only the more telling one stays. */
function withoutRepeats(view: HeapView, holders: readonly Holder[]): Holder[] {
  const kept: Holder[] = [];
  const telling = holders.toSorted(
    (a, b) =>
      ORDER.indexOf(a.shape) - ORDER.indexOf(b.shape) || view.retainedBytes(b.node) - view.retainedBytes(a.node),
  );
  for (const holder of telling) if (!kept.some(other => isSame(view, other.node, holder.node))) kept.push(holder);
  return kept.sort((a, b) => view.retainedBytes(b.node) - view.retainedBytes(a.node));
}

function isSame(view: HeapView, a: number, b: number): boolean {
  if (a === b) return true;
  const [outer, inner] = view.retainedBytes(a) >= view.retainedBytes(b) ? [a, b] : [b, a];
  return view.retainedBytes(inner) >= SAME_FINDING * view.retainedBytes(outer) && dominates(view, outer, inner);
}

function dominates(view: HeapView, outer: number, inner: number): boolean {
  for (let node = inner; node !== view.heap.file.root; node = view.dominator(node)) if (node === outer) return true;
  return false;
}
