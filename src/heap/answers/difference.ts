import type { Baseline } from './baseline.js';
import { type KeyWorld, keyWorldOf } from './key-world.js';
import { newFunctionsBelow } from './new-functions.js';
import { type ScriptPlace, Scripts, type Telling } from './scripts.js';
import { type Slots, slotsOf } from './slots.js';
import { type SaidSuspect, saySuspect } from './summary.js';
import { describeHolders, holderOf, isOfProgram } from './suspects.js';
import type { HeapView } from './view.js';
import { longWaiting } from './waiting.js';

export interface HeapDifference {
  readonly totalBytes: readonly number[];
  readonly added: { readonly count: number; readonly bytes: number };
  readonly removed: { readonly count: number; readonly bytes: number };
  /** Objects that are in every file and hold more in each; the largest growth over all files first. */
  readonly grown: readonly GrownHolder[];
  readonly classes: readonly ClassDifference[];
  /** Worker threads of the program: each has a heap of its own, of which these files say nothing. */
  readonly workers: number;
  /** Functions of the program of which one call has not ended since before the oldest file. */
  readonly waiting: readonly ScriptPlace[];
}

export interface GrownHolder extends SaidSuspect {
  /** Bytes retained in each file, oldest first. */
  readonly history: readonly number[];
  readonly grownBytes: number;
  /** Directly held objects more than in the oldest file. */
  readonly newChildren: number;
  /** It was made for so many entries, and has used so many. */
  readonly slots?: Slots;
  /** Its keys come from a bounded world. */
  readonly keys?: KeyWorld;
}

export interface ClassDifference {
  readonly name: string;
  readonly added: number;
  readonly removed: number;
  readonly addedBytes: number;
  readonly removedBytes: number;
}

/** Growth below this is noise of any running program (caches, compiled code, feedback). */
const MIN_GROWTH_BYTES = 64 * 1024;
/** Nor is what makes little of the whole growth a finding. */
const MIN_GROWTH_SHARE = 0.05;
/** A child that has this much of its holder's growth is the nearer finding. */
const PASSED_ON = 0.7;
/** Node's own tables breathe with the traffic (open connections): they count when they are much of a real growth. (Marks
 * and measures that nobody clears are two lists, 37 and 24 % of it.) */
const OWN_GROWTH_BYTES = 256 * 1024;
const OWN_GROWTH_SHARE = 0.3;
const MAX_GROWN = 10;

export interface DifferenceOptions extends Telling {
  readonly limit?: number;
}

/** Compares a heap with earlier ones of the same process (oldest first), object by object: V8 keeps their ids. */
export function compareHeaps(
  earlier: readonly Baseline[],
  view: HeapView,
  options: DifferenceOptions = {},
): HeapDifference {
  const [oldest] = earlier;
  if (!oldest) throw new Error('compareHeaps needs an earlier heap');
  const scripts = new Scripts(view, options);
  const { added, removed, classes } = compareObjects(oldest, view);
  return {
    totalBytes: [...earlier.map(baseline => baseline.totalBytes), view.totalBytes],
    added,
    removed,
    grown: grownHolders(earlier, view, scripts, options),
    classes,
    workers: workersIn(view, scripts),
    waiting: longWaiting(view, scripts, oldest),
  };
}

/** Of Node's own class, not one of the program with the same name, and running: its prototype has no handle. */
function workersIn(view: HeapView, scripts: Scripts): number {
  const { classes } = view.heap;
  const own = classes.list.findIndex(
    ({ name, position }) => name === 'Worker' && position && scripts.at(position)?.url === 'node:internal/worker',
  );
  let count = 0;
  for (let node = 0; own >= 0 && node < view.nodeCount; node++) {
    const handle = classes.of[node] === own ? view.child(node, 'property', '<symbol kHandle>') : undefined;
    if (handle !== undefined && view.type(handle) === 'object') count++;
  }
  return count;
}

interface Sums {
  count: number;
  bytes: number;
}

function compareObjects(base: Baseline, view: HeapView) {
  const { file, classes } = view.heap;
  const table = new Map<string, { -readonly [K in keyof ClassDifference]: ClassDifference[K] }>();
  const row = (name: string) => {
    const known = table.get(name) ?? { name, added: 0, removed: 0, addedBytes: 0, removedBytes: 0 };
    table.set(name, known);
    return known;
  };
  const added: Sums = { count: 0, bytes: 0 };
  const removed: Sums = { count: 0, bytes: 0 };
  const isKept = new Uint8Array(base.nodeCount);
  const rows = classes.list.map(({ name }) => row(name));
  for (let node = 0; node < file.nodeCount; node++) {
    const before = base.find(file.id[node]!);
    if (before >= 0) isKept[before] = 1;
    else book(added, rows[classes.of[node]!]!, 'added', view.selfBytes(node));
  }
  const oldRows = base.classes.map(row);
  for (let node = 0; node < base.nodeCount; node++) {
    if (isKept[node] === 0) book(removed, oldRows[base.classOf[node]!]!, 'removed', base.selfSize[node]!);
  }
  const rest = [...table.values()].filter(({ added, removed }) => added + removed > 0);
  const delta = (c: ClassDifference) => Math.abs(c.addedBytes - c.removedBytes);
  return { added, removed, classes: rest.sort((a, b) => delta(b) - delta(a)) };
}

type Counted = { -readonly [K in keyof ClassDifference]: ClassDifference[K] };

function book(sums: Sums, row: Counted, side: 'added' | 'removed', bytes: number): void {
  if (bytes === 0) return; // as in the class table: what has no size of its own is a part of something else
  sums.count++;
  sums.bytes += bytes;
  row[side]++;
  row[`${side}Bytes`] += bytes;
}

function grownHolders(
  earlier: readonly Baseline[],
  view: HeapView,
  scripts: Scripts,
  { limit = MAX_GROWN }: DifferenceOptions,
): GrownHolder[] {
  const grown = growthOf(earlier, view);
  const { growth, histories } = grown;
  const nodes = nearest(view, grown).slice(0, limit);
  const isNew = (node: number) => earlier[0]!.find(view.id(node)) < 0;
  const whole = view.totalBytes - earlier[0]!.totalBytes;
  const made = newFunctionsBelow(view, scripts, nodes, isNew);
  return describeHolders(view, scripts, nodes, isNew).flatMap(suspect => {
    const grownBytes = growth.get(suspect.holder) ?? 0;
    if (grownBytes < Math.max(OWN_GROWTH_BYTES, whole * OWN_GROWTH_SHARE) && !isOfProgram(view, scripts, suspect))
      return [];
    const newChildren = suspect.children.reduce((sum, { count }) => sum + count, 0);
    const { holder } = suspect;
    const slots = slotsOf(view, holder, earlier[0]!, newChildren);
    const keys = keyWorldOf(view, holder, isNew);
    const said = saySuspect(view, scripts, suspect, made.get(holder));
    const history = histories.get(holder) ?? [];
    return [{ ...said, history, grownBytes, newChildren, ...(slots && { slots }), ...(keys && { keys }) }];
  });
}

/** By ordinal: bytes more than in the oldest file, and bytes in each. */
interface Grown {
  readonly growth: Map<number, number>;
  readonly histories: Map<number, readonly number[]>;
}

/** Objects that are in all files and hold more from file to file. */
function growthOf(earlier: readonly Baseline[], view: HeapView): Grown {
  const whole = view.totalBytes - earlier[0]!.totalBytes;
  const least = Math.max(MIN_GROWTH_BYTES, whole * MIN_GROWTH_SHARE);
  const growth = new Map<number, number>();
  const histories = new Map<number, readonly number[]>();
  for (let node = 0; node < view.nodeCount; node++) {
    if (view.retainedBytes(node) < least) continue;
    const history = historyOf(earlier, view, node);
    if (!history || history.at(-1)! - history[0]! < least) continue;
    if (!history.every((bytes, i) => i === 0 || bytes > history[i - 1]!)) continue;
    growth.set(node, history.at(-1)! - history[0]!);
    histories.set(node, history);
  }
  return { growth, histories };
}

function historyOf(earlier: readonly Baseline[], view: HeapView, node: number): number[] | undefined {
  const history: number[] = [];
  for (const baseline of earlier) {
    const before = baseline.find(view.id(node));
    if (before < 0) return undefined;
    history.push(baseline.retained[before]!);
  }
  return [...history, view.retainedBytes(node)];
}

/** The program's object that a grown node belongs to, or the nearest one above it: a scope alone is none. */
function grownHolder(view: HeapView, node: number, growth: ReadonlyMap<number, number>): number | undefined {
  for (let at = node; growth.has(at) && view.dominator(at) !== at; at = view.dominator(at)) {
    const holder = holderOf(view, at);
    if (holder !== undefined && growth.has(holder)) return holder;
  }
  return undefined;
}

/** Of grown objects that hold one another, those where the growth comes together; owners stand for their parts. */
function nearest(view: HeapView, grown: Grown): number[] {
  const { growth } = grown;
  const passedOn = new Set<number>();
  for (const [node, bytes] of growth) {
    const above = grownAbove(view, node, growth);
    if (above !== undefined && bytes >= PASSED_ON * growth.get(above)!) passedOn.add(above);
  }
  for (const scope of dividedScopes(view, growth)) passedOn.add(scope);
  const ends = [...growth.keys()].filter(node => !passedOn.has(node));
  const owners = new Set(
    ends
      .map(node => replacedIn(view, node, grown) ?? grownHolder(view, node, growth))
      .filter(node => node !== undefined),
  );
  return [...owners].sort((a, b) => growth.get(b)! - growth.get(a)!);
}

/** The nearest grown object that holds a node; between them there may be new ones (an awaiting function's promise). */
function grownAbove(view: HeapView, node: number, growth: ReadonlyMap<number, number>): number | undefined {
  let above = view.dominator(node);
  for (let step = 0; step < MOST_BETWEEN && !growth.has(above) && view.dominator(above) !== above; step++)
    above = view.dominator(above);
  return above !== node && growth.has(above) ? above : undefined;
}

/** A longer chain of new objects is itself what grew. */
const MOST_BETWEEN = 100;

/** Scopes most of whose growth is that of several variables: each of those is a finding. */
function dividedScopes(view: HeapView, growth: ReadonlyMap<number, number>): number[] {
  const sums = new Map<number, number>();
  for (const [node, bytes] of growth) {
    const above = view.dominator(node);
    if (above !== node && isScope(view, above)) sums.set(above, (sums.get(above) ?? 0) + bytes);
  }
  return [...sums].flatMap(([scope, bytes]) => (bytes >= PASSED_ON * (growth.get(scope) ?? 0) ? [scope] : []));
}

const isScope = (view: HeapView, node: number): boolean => view.name(node) === 'system / Context';

/**
 * A variable whose value is another one in each file (`head = { next: head }`, `list = [...list, x]`): its scope has grown,
 * and what it has now is the holder.
 */
function replacedIn(view: HeapView, scope: number, { growth, histories }: Grown): number | undefined {
  const bytes = growth.get(scope)!;
  if (!isScope(view, scope)) return undefined;
  for (const edge of view.edges(scope)) {
    const value = view.target(edge);
    if (view.edgeType(edge) !== 'context' || view.dominator(value) !== scope || growth.has(value)) continue;
    if (view.retainedBytes(value) < PASSED_ON * bytes || holderOf(view, value) !== value) continue;
    growth.set(value, bytes);
    histories.set(value, histories.get(scope)!);
    return value;
  }
  return undefined;
}
