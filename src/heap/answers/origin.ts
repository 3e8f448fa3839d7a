import { isFile, isNodeInternal, isUserCode } from '../../base/script-url.js';
import type { PathStep, RetainingPath } from './paths.js';
import type { ScriptPlace, Scripts } from './scripts.js';
import { programFunction, type Suspect, userFunctionIn } from './suspects.js';
import type { HeapView } from './view.js';

/** What says who fills a holder where the way to it says too little. Places are of the text that V8 runs. */
export interface SaidOrigin {
  /** A module that was loaded lately (path or url), and the file that asked for it where Node remembers. */
  readonly loaded?: { readonly url: string; readonly by?: string };
  /** The event whose listeners they are (unless they are of many), and a function of the program among them. */
  readonly listener?: { readonly event?: string; readonly near?: ScriptPlace };
  /** Makes most of the functions that are new below it. */
  readonly made?: ScriptPlace;
  /** A plain object's field on the way, and all names that the object has. */
  readonly field?: { readonly name: string; readonly beside: readonly string[] };
  /** Names of the plain objects that it holds. */
  readonly entries?: readonly string[];
  /** What it holds are Node's marks and measures of times. */
  readonly timings?: true;
  /** The nearest function of the program in what it holds, else the last one on the way: a timer's callback, a listener. */
  readonly called?: ScriptPlace;
}

/** Reads it from the path and from one of the children. Where a variable leads to the holder: only whose functions it has. */
export function originOf(
  view: HeapView,
  scripts: Scripts,
  suspect: Suspect,
  made?: ScriptPlace,
): { origin?: SaidOrigin } {
  const listener = listenerOf(view, scripts, suspect, made);
  const functions = { ...(listener && { listener }), ...(made && { made }) };
  if (suspect.path.module !== undefined) return listener || made ? { origin: functions } : {};
  const loaded = loadedOf(view, suspect);
  const field = fieldOf(view, suspect.path);
  const entries = entriesOf(view, suspect);
  const called = heldFunction(view, scripts, suspect) ?? calledOf(view, scripts, suspect.path);
  const sample = suspect.children[0]?.sample;
  const isTiming = sample !== undefined && /^Performance(?:Mark|Measure)$/.test(view.className(sample));
  const origin = {
    ...(loaded && { loaded }),
    ...functions,
    ...(field && { field }),
    ...(entries && { entries }),
    ...(isTiming && { timings: true as const }),
    ...(called && { called }),
  };
  return Object.keys(origin).length === 0 ? {} : { origin };
}

/** A CommonJS module lies in its parent's list, an ES module below its url in a table of Node. */
function loadedOf(view: HeapView, { holder, path, children }: Suspect): SaidOrigin['loaded'] {
  const sample = children[0]?.sample;
  if (sample === undefined) return undefined;
  const file = moduleFile(view, sample);
  if (file === undefined) {
    const url = keyOf(view, holder, sample);
    return url?.startsWith('file:') ? { url } : undefined;
  }
  const parent = path.steps.map(({ node }) => moduleFile(view, node)).findLast(name => name !== undefined);
  const by = parentOf(view, sample) ?? parent;
  return { url: file, ...(by !== undefined && { by }) };
}

/** The file of one of Node's CommonJS modules. */
export function moduleFile(view: HeapView, node: number): string | undefined {
  if (view.className(node) !== 'Module') return undefined;
  const name = view.child(node, 'property', 'filename');
  return name !== undefined && isFile(view.name(name)) ? view.name(name) : undefined;
}

/** Who asked for a module: a symbol whose name has changed over the versions of Node, or a plain property. */
const PARENT = /^<symbol (?:node:module_(?:first|last)_parent|kModuleParent)>$|^parent$/;

function parentOf(view: HeapView, module: number): string | undefined {
  for (const edge of view.edges(module)) {
    const file = PARENT.test(view.edgeName(edge)) ? moduleFile(view, view.target(edge)) : undefined;
    if (file !== undefined) return file;
  }
  return undefined;
}

/** The key of a Map's value: a table lists key, value, key, value … */
function keyOf(view: HeapView, map: number, value: number): string | undefined {
  const table = view.child(map, 'internal', 'table');
  if (table === undefined) return undefined;
  let before: number | undefined;
  for (const edge of view.edges(table)) {
    const child = view.target(edge);
    if (child === value && before !== undefined && view.type(before) === 'string') return view.name(before);
    before = child;
  }
  return undefined;
}

/** An emitter's table of listeners; those of an event are below its name. */
function listenerOf(
  view: HeapView,
  scripts: Scripts,
  { path, children }: Suspect,
  made: ScriptPlace | undefined,
): SaidOrigin['listener'] {
  const at = path.steps.findLastIndex(({ edge }) => edge >= 0 && view.edgeName(edge) === '_events');
  if (at < 0) return undefined;
  const down = path.steps.slice(at + 1);
  // The table itself may be what has grown, where the list of an event is another one each time.
  const below = down.length > 0 ? down : largestOf(view, path.steps[at]!.node);
  const edge = below.find(step => view.edgeType(step.edge) === 'property')?.edge;
  const event = edge === undefined ? {} : { event: view.edgeName(edge) };
  const samples = children.map(({ sample }) => sample);
  if (isNodes(view, scripts, samples, below)) return edge === undefined ? undefined : event;
  if (below.some(step => view.edgeType(step.edge) === 'context')) return undefined; // a variable of a listener
  const found = samples.map(sample => programFunction(view, scripts, sample)).find(one => one !== undefined);
  const near = (found === undefined ? undefined : scripts.place(found)) ?? made;
  return near && { ...event, near };
}

/** As many listeners of both hold about the same; one error's may hold a little more. */
const BESIDE = 0.5;

/** The way to the event that has the most, and to the first of its listeners. */
function largestOf(view: HeapView, table: number): PathStep[] {
  const steps = (from: number, type: string): PathStep[] =>
    [...view.edges(from)]
      .filter(edge => view.edgeType(edge) === type && view.type(view.target(edge)) !== 'hidden')
      .map(edge => ({ edge, node: view.target(edge) }));
  const events = steps(table, 'property').filter(({ edge }) => view.edgeName(edge) !== '__proto__');
  // Whoever listens to something listens for its errors as well: those say less of who it is.
  const weight = ({ edge }: PathStep) => (view.edgeName(edge) === 'error' ? BESIDE : 1);
  const size = (step: PathStep) => weight(step) * view.retainedBytes(step.node);
  const [most] = events.sort((a, b) => size(b) - size(a));
  return most ? [most, ...steps(most.node, 'element').slice(0, 1)] : [];
}

/** Listeners of Node's own (`events.on`, `pipe`), or what only they know. */
function isNodes(view: HeapView, scripts: Scripts, samples: readonly number[], below: readonly PathStep[]): boolean {
  const first = [...below.map(({ node }) => node), ...samples].find(node => view.type(node) === 'closure');
  return first !== undefined && isNodeInternal(scripts.urlOfClosure(first) ?? '');
}

const isPlain = (view: HeapView, node: number): boolean => view.type(node) === 'object' && view.name(node) === 'Object';

/** The nearest to the end; lists between (`spans[3]`) are passed over. */
function fieldOf(view: HeapView, { steps }: RetainingPath): SaidOrigin['field'] {
  for (let at = steps.length - 1; at >= 1; at--) {
    const { edge } = steps[at]!;
    const owner = steps[at - 1]!.node;
    if (view.edgeType(edge) === 'context') return undefined;
    if (view.edgeType(edge) !== 'property' || !isPlain(view, owner)) continue;
    const beside = namesOf(view, owner);
    return beside.length >= LEAST_NAMES ? { name: view.edgeName(edge), beside } : undefined;
  }
  return undefined;
}

/** One name alone is written in many places; an object with many more is a table. */
const LEAST_NAMES = 2;
const MOST_NAMES = 40;

function entriesOf(view: HeapView, { children }: Suspect): readonly string[] | undefined {
  const sample = children[0]?.sample;
  const names = sample !== undefined && isPlain(view, sample) ? namesOf(view, sample) : [];
  return names.length >= LEAST_NAMES ? names : undefined;
}

/** Names of an object's fields that hold objects or texts; none of a table's many. */
export function namesOf(view: HeapView, node: number): string[] {
  const names: string[] = [];
  for (const edge of view.edges(node)) {
    const name = view.edgeName(edge);
    if (view.edgeType(edge) !== 'property' || name === '__proto__' || name.startsWith('<symbol')) continue;
    if (names.push(name) > MOST_NAMES) return [];
  }
  return names;
}

function calledOf(view: HeapView, scripts: Scripts, { steps }: RetainingPath): ScriptPlace | undefined {
  for (const { node } of steps.toReversed()) {
    const called = programFunction(view, scripts, node) ?? userFunctionIn(view, scripts, node);
    if (called !== undefined) return scripts.place(called);
  }
  return undefined;
}

/** Within what one child alone holds, breadth first. */
function heldFunction(view: HeapView, scripts: Scripts, { children }: Suspect): ScriptPlace | undefined {
  const queue = children.slice(0, 1).map(({ sample }) => sample);
  const seen = new Set(queue);
  for (let at = 0; at < queue.length && queue.length < MOST_HELD; at++) {
    const node = queue[at]!;
    const place = view.type(node) === 'closure' ? scripts.place(node) : undefined;
    if (place && isUserCode(place.url)) return place;
    for (const edge of view.edges(node)) {
      const child = view.target(edge);
      if (seen.has(child) || !view.retains(edge) || !seen.has(view.dominator(child))) continue;
      seen.add(child);
      queue.push(child);
    }
  }
  return undefined;
}

/** A socket with its streams and handles has a few hundred. */
const MOST_HELD = 500;
