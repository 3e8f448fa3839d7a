import { isUserCode } from '../../base/script-url.js';
import type { CodeLocation } from '../../model/location.js';
import { detachedNodes } from '../analysis/detached.js';
import { inSlices } from '../graph.js';
import type { ChildGroup } from './groups.js';
import { namesOf, originOf, type SaidOrigin } from './origin.js';
import type { Texts } from './repeated.js';
import { type SaidPath, sayFunction, sayNode, sayPath } from './say.js';
import { type ScriptPlace, Scripts, type Telling } from './scripts.js';
import {
  findSuspects,
  programFunction,
  type Suspect,
  type SuspectOptions,
  type SuspectShape,
  userFunctionIn,
} from './suspects.js';
import { type KindBytes, tablesOf } from './tables.js';
import type { HeapView } from './view.js';

export interface HeapSummary {
  readonly nodes: number;
  readonly edges: number;
  readonly totalBytes: number;
  readonly kinds: KindBytes;
  readonly suspects: readonly SaidSuspect[];
  readonly classes: readonly ClassRow[];
  readonly closures: readonly ClosureRow[];
  readonly texts: Texts;
  readonly detached: readonly { readonly class: string; readonly count: number; readonly retainedBytes: number }[];
}

export interface ClassRow {
  readonly name: string;
  readonly place?: ScriptPlace;
  readonly count: number;
  readonly selfBytes: number;
  readonly retainedBytes: number;
  readonly distance: number;
}

/** Functions made at one place of the program. */
export interface ClosureRow {
  readonly name: string;
  readonly place: ScriptPlace;
  readonly count: number;
  readonly retainedBytes: number;
  readonly sampleId: number;
}

export type HolderKind =
  | 'map' | 'set' | 'weakmap' | 'array' | 'object' | 'listeners' | 'timers' | 'promises' | 'buffer' | 'string'
  | 'function' | 'scope' | 'instance'; // biome-ignore format: a list

export interface SaidChildren {
  readonly what: string;
  readonly place?: ScriptPlace;
  /** A function of the program that one of them has: a timer's callback. */
  readonly calls?: string;
  readonly callsPlace?: ScriptPlace;
  readonly count: number;
  readonly retainedBytes: number;
  readonly sampleId: number;
}

export interface SaidSuspect {
  readonly kind: HolderKind;
  readonly shape: SuspectShape;
  readonly id: number;
  readonly class: string;
  readonly retainedBytes: number;
  readonly share: number;
  readonly children: readonly SaidChildren[];
  readonly path: SaidPath;
  /** It is an instance of a class of the program: where that was written, and what its fields with objects are called. */
  readonly instance?: { readonly near: ScriptPlace; readonly fields: readonly string[] };
  /** Who fills it, where no variable of the program leads to it. */
  readonly origin?: SaidOrigin;
  /** Where a person should look; filled in by who can read the program's files. */
  readonly place?: CodeLocation;
}

export interface SummaryOptions extends SuspectOptions, Telling {
  /** Rows of each table, at most 100. */
  readonly rows?: number;
}

/** The first page about a heap: where its bytes are, who holds them, what repeats. Small enough to read as a whole. */
export function summarise(view: HeapView, options: SummaryOptions = {}): HeapSummary {
  const scripts = new Scripts(view, options);
  const rows = options.rows ?? 20;
  const { file } = view.heap;
  const suspects = findSuspects(view, scripts, options).map(suspect => saySuspect(view, scripts, suspect));
  const { kinds, texts } = view.heap.tables ?? tablesOf(view.heap);
  return {
    nodes: file.nodeCount,
    edges: file.edgeCount,
    totalBytes: view.totalBytes,
    kinds,
    suspects,
    classes: classRows(view, scripts)
      .slice(0, rows)
      .map(row => asWritten(scripts, row)),
    closures: closureRows(view, scripts)
      .slice(0, rows)
      .map(row => asWritten(scripts, row)),
    texts: { ...texts, repeated: texts.repeated.slice(0, rows) },
    detached: detachedRows(view).slice(0, rows),
  };
}

/** A row whose place is told as a person would find it. Only for rows that are shown: each may cost a source map. */
export function asWritten<R extends { readonly place?: ScriptPlace }>(scripts: Scripts, row: R): R {
  return row.place ? { ...row, place: scripts.written(row.place) } : row;
}

/** Classes by retained size, largest first. */
export function classRows(view: HeapView, scripts: Scripts): ClassRow[] {
  const { aggregates, classes } = view.heap;
  const rows = classes.list.flatMap(({ name, position }, i): ClassRow[] => {
    if (aggregates.count[i] === 0) return [];
    const place = position && scripts.at(position);
    return [
      {
        name,
        ...(place && { place }),
        count: aggregates.count[i]!,
        selfBytes: aggregates.selfSize[i]!,
        retainedBytes: aggregates.retainedSize[i]!,
        distance: aggregates.distance[i]!,
      },
    ];
  });
  return rows.sort((a, b) => b.retainedBytes - a.retainedBytes);
}

/** Words of a place's record: how many functions, one of them, what they retain (two words). */
const SUM_WORDS = 4;

/** Functions by the place they were made at, by what they retain. */
export function closureRows(view: HeapView, scripts: Scripts): ClosureRow[] {
  const { file, facts, retained } = view.heap;
  const { ordinal, position, positions, count: records } = file.locations;
  const sums = file.arena.words(positions.length * SUM_WORDS);
  const bytes = new Float64Array(sums.buffer, sums.byteOffset, sums.length / 2);
  const { weighDoubles, weighWords } = file.arena.loops;
  const weigh = retained instanceof Float64Array ? weighDoubles : weighWords;
  const columns = [ordinal, position].map(({ byteOffset }) => byteOffset);
  inSlices(0, records, (from, to) => {
    weigh(from, to, ...columns, facts.node.closure, retained.byteOffset, sums.byteOffset);
  });
  const rows = positions.flatMap((where, at): ClosureRow[] => {
    const [count, node] = [sums[at * SUM_WORDS]!, sums[at * SUM_WORDS + 1]!];
    const place = count > 1 ? scripts.at(where) : undefined;
    if (!place) return [];
    const name = view.name(node) || 'anonymous';
    return [{ name, place, count, retainedBytes: bytes[at * 2 + 1]!, sampleId: view.id(node) }];
  });
  return rows.sort((a, b) => b.retainedBytes - a.retainedBytes);
}

function detachedRows(view: HeapView): HeapSummary['detached'][number][] {
  const { file, facts } = view.heap;
  const rows = new Map<string, { class: string; count: number; retainedBytes: number }>();
  for (const node of detachedNodes(file, facts)) {
    const name = view.className(node);
    const row = rows.get(name) ?? { class: name, count: 0, retainedBytes: 0 };
    row.count++;
    row.retainedBytes += view.retainedBytes(node);
    rows.set(name, row);
  }
  return [...rows.values()].sort((a, b) => b.retainedBytes - a.retainedBytes);
}

/** `made` is the place that makes most of the functions that are new below it, where that is known. */
export function saySuspect(view: HeapView, scripts: Scripts, suspect: Suspect, made?: ScriptPlace): SaidSuspect {
  const path = sayPath(view, scripts, suspect.path);
  return {
    kind: kindOf(view, suspect),
    shape: suspect.shape,
    id: view.id(suspect.holder),
    class: sayNode(view, scripts, suspect.holder),
    retainedBytes: suspect.retainedBytes,
    share: suspect.share,
    children: suspect.children.slice(0, 3).map(group => sayChildren(view, scripts, group)),
    path,
    ...instanceOf(view, scripts, suspect.holder),
    ...originOf(view, scripts, suspect, made),
  };
}

function instanceOf(view: HeapView, scripts: Scripts, holder: number): Pick<SaidSuspect, 'instance'> {
  const near = view.type(holder) === 'object' ? scripts.place(holder) : undefined;
  return near && isUserCode(near.url) ? { instance: { near, fields: namesOf(view, holder) } } : {};
}

function sayChildren(view: HeapView, scripts: Scripts, group: ChildGroup): SaidChildren {
  const isFunction = view.type(group.sample) === 'closure';
  const position = view.heap.classes.list[group.classIndex]?.position;
  const place = scripts.written(isFunction ? scripts.place(group.sample) : position && scripts.at(position));
  const wrapped = isFunction && !place ? programFunction(view, scripts, group.sample) : undefined;
  const called = isFunction ? wrapped : userFunctionIn(view, scripts, group.sample);
  return {
    what: sayNode(view, scripts, group.sample),
    ...(place && { place }),
    ...(called !== undefined && {
      calls: sayFunction(view, scripts, called),
      ...placeOfCall(scripts, called),
    }),
    count: group.count,
    retainedBytes: group.retainedBytes,
    sampleId: view.id(group.sample),
  };
}

function placeOfCall(scripts: Scripts, closure: number): { callsPlace?: ScriptPlace } {
  const place = scripts.written(scripts.place(closure));
  return place ? { callsPlace: place } : {};
}

/** What Node's own classes and fields say about how the memory is held. */
function kindOf(view: HeapView, { holder, path, children }: Suspect): HolderKind {
  const edges = path.steps.slice(-4).map(({ edge }) => (edge < 0 ? '' : view.edgeName(edge)));
  const inside = children[0] ? view.className(children[0].sample) : '';
  const name = view.className(holder);
  if (edges.some(edge => edge === '_events' || edge === '<symbol kEvents>')) return 'listeners';
  if (/^(Timeout|TimersList|Immediate)$/.test(name) || /^(Timeout|Immediate)$/.test(inside)) return 'timers';
  if (/^Promise/.test(name) || /^Promise/.test(inside)) return 'promises';
  if (view.type(holder) === 'string' || view.type(holder) === 'concatenated string') return 'string';
  if (view.type(holder) === 'closure') return 'function';
  return BY_CLASS[name] ?? 'instance';
}

const BY_CLASS: Readonly<Record<string, HolderKind>> = {
  Map: 'map',
  Set: 'set',
  WeakMap: 'weakmap',
  Array: 'array',
  Object: 'object',
  ArrayBuffer: 'buffer',
  Buffer: 'buffer',
  Uint8Array: 'buffer',
  'system / Context': 'scope',
};
