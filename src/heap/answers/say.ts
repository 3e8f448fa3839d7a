import { isFile, isUserCode, packageOf } from '../../base/script-url.js';
import { moduleFile } from './origin.js';
import { CELL, isSourceModule, type PathStep, type RetainingPath } from './paths.js';
import type { ScriptPlace, Scripts } from './scripts.js';
import type { HeapView } from './view.js';

/** One step for people and programs: how it is reached, and what is there. */
export interface SaidStep {
  /** `.name`, `[3]`, `variable x`, or V8's own word in parentheses. */
  readonly via: string;
  readonly id: number;
  readonly what: string;
}

/** A retaining path, V8's inner parts left out. */
export interface SaidPath {
  /** The variable that the path starts at, where it is one of a module. */
  readonly variable?: string;
  /** Script of that variable (an url as V8 has it), and a place in it that uses the variable. */
  readonly module?: string;
  readonly near?: ScriptPlace;
  /** The last variable on the way, where it is another one, and a place in its script that uses it. */
  readonly inner?: { readonly variable: string; readonly near: ScriptPlace };
  /** The field nearest to the end that an instance of the program's own class has, and where that class was written. */
  readonly field?: { readonly name: string; readonly near: ScriptPlace };
  /** The package of the last object on the way whose class is known. */
  readonly keeper?: string;
  /** The function that waits (async, generator) and has the rest in a local, where nothing nearer is known. */
  readonly suspended?: ScriptPlace;
  readonly steps: readonly SaidStep[];
  readonly text: string;
}

/** Edges of V8 that a person would not name: what is behind them belongs to the object before. */
const SILENT = new Set([
  'elements',
  'properties',
  'table',
  'value',
  'context',
  'extension',
  'previous',
  'backing_store',
]);

/** Turns a path into words. */
export function sayPath(view: HeapView, scripts: Scripts, path: RetainingPath): SaidPath {
  const start = startOf(view, scripts, path);
  const steps = start.rest.flatMap(step => sayStep(view, scripts, step.edge, step.node) ?? []);
  const text = withoutRuns([start.text, ...steps.map(sayOne)].filter(Boolean)).join(' → ');
  return {
    ...(start.variable !== undefined && { variable: start.variable }),
    ...(path.module !== undefined && { module: path.module }),
    ...(start.near && { near: start.near }),
    ...innerOf(view, scripts, path),
    ...fieldOf(view, scripts, path),
    ...suspendedOf(view, scripts, path),
    ...keeperOf(view, scripts, path),
    steps,
    text,
  };
}

function innerOf(view: HeapView, scripts: Scripts, { inner }: RetainingPath): Pick<SaidPath, 'inner'> {
  const near = inner && scripts.place(inner.closure);
  return inner && near ? { inner: { variable: view.edgeName(inner.edge), near } } : {};
}

/** A class itself has the fields that are static. */
const OWNERS: ReadonlySet<string> = new Set(['object', 'closure']);

function keeperOf(view: HeapView, scripts: Scripts, { steps }: RetainingPath): Pick<SaidPath, 'keeper'> {
  const places = steps.map(({ node }) => (view.type(node) === 'object' ? scripts.place(node) : undefined));
  const last = places.findLast(place => place && isFile(place.url));
  const keeper = last && packageOf(last.url);
  return keeper === undefined ? {} : { keeper };
}

/** V8's record of a function that waits has its registers: locals without a name. */
function suspendedFunction(view: HeapView, node: number): number | undefined {
  if (view.type(node) !== 'object' || view.child(node, 'internal', 'parameters_and_registers') === undefined)
    return undefined;
  return view.child(node, 'internal', 'function');
}

function suspendedOf(view: HeapView, scripts: Scripts, { steps }: RetainingPath): Pick<SaidPath, 'suspended'> {
  for (let at = steps.length - 2; at >= 0; at--) {
    if (view.edgeType(steps[at + 1]!.edge) === 'context') break;
    const waiting = suspendedFunction(view, steps[at]!.node);
    const place = waiting === undefined ? undefined : scripts.place(waiting);
    if (place) return isUserCode(place.url) ? { suspended: place } : {};
  }
  return {};
}

/** Below the last variable of the path: what is above it is further away than it. */
function fieldOf(view: HeapView, scripts: Scripts, { steps }: RetainingPath): Pick<SaidPath, 'field'> {
  for (let at = steps.length - 1; at >= 1; at--) {
    const { edge } = steps[at]!;
    const type = view.edgeType(edge);
    if (type === 'context' || suspendedFunction(view, steps[at]!.node) !== undefined) break;
    const owner = steps[at - 1]!.node;
    const near = type === 'property' && OWNERS.has(view.type(owner)) ? scripts.place(owner) : undefined;
    if (near && isFile(near.url) && isUserCode(near.url)) return { field: { name: view.edgeName(edge), near } };
  }
  return {};
}

const sayOne = ({ via, what }: SaidStep): string => `${via} ${what}`.trim();

/** `.next Node → .next Node → .next Node` → `.next Node (3 times)` */
function withoutRuns(texts: readonly string[]): string[] {
  const runs: { text: string; times: number }[] = [];
  for (const text of texts) {
    const last = runs.at(-1);
    if (last?.text === text) last.times++;
    else runs.push({ text, times: 1 });
  }
  return runs.map(({ text, times }) => (times === 1 ? text : `${text} (${times} times)`));
}

interface Start {
  readonly variable?: string;
  readonly near?: ScriptPlace;
  readonly rest: RetainingPath['steps'];
  readonly text: string;
}

function startOf(view: HeapView, scripts: Scripts, path: RetainingPath): Start {
  const { module, closure, steps } = path;
  const first = steps[0]!;
  if (module === undefined) {
    const at = steps.findLastIndex(step => landmark(view, scripts, step) !== undefined);
    const text = at < 0 ? sayRoot(view, first.node) : (landmark(view, scripts, steps[at]!) ?? '');
    return { rest: steps.slice(Math.max(at, 0) + 1), text };
  }
  const cell = isSourceModule(view, steps[1]!.node) ? steps.findIndex(({ node }) => view.name(node) === CELL) : -1;
  const variable = cell > 0 ? exportedName(view, steps[1]!.node, steps[cell]!.node) : view.edgeName(steps[1]!.edge);
  const near = closure === undefined ? undefined : scripts.place(closure);
  const holder = steps[cell > 0 ? cell + 1 : 1];
  const name = variable === undefined ? 'an export' : `\`${variable}\``;
  const what = holder === undefined ? '' : ` → ${sayNode(view, scripts, holder.node)}`;
  return {
    ...(variable !== undefined && { variable }),
    ...(near && { near }),
    rest: steps.slice(holder === undefined ? 1 : steps.indexOf(holder) + 1),
    text: `${name} in ${scripts.showUrl(module)}${what}`,
  };
}

/** What everybody knows where to find: the way from V8's globals to it says nothing more. */
function landmark(view: HeapView, scripts: Scripts, { node, edge }: PathStep): string | undefined {
  const file = moduleFile(view, node);
  if (file !== undefined) return `module ${scripts.showUrl(file)}`;
  if (edge >= 0 && view.edgeName(edge) === 'timerListMap') return "Node's timers";
  const name = view.className(node);
  if (name === 'LoadCache') return "Node's ES modules";
  return name === 'process' ? name : undefined;
}

/** V8's roots in a person's words; the others keep V8's. */
const ROOTS: Readonly<Record<string, string>> = {
  '': '',
  '(GC roots)': '',
  '(Stack roots)': 'the running stack',
  '(Global handles)': 'a native handle',
  '(Handle scope)': 'native code at work',
};

function sayRoot(view: HeapView, node: number): string {
  const name = view.name(node);
  if (view.type(node) === 'synthetic') return ROOTS[name] ?? name;
  if (name.startsWith('system / NativeContext')) return 'V8';
  return /^global\b/.test(name) ? 'global' : name;
}

/** The module's table of exports lists name, cell, name, cell … */
function exportedName(view: HeapView, module: number, cell: number): string | undefined {
  for (const table of childrenOf(view, module)) {
    if (view.type(table) !== 'array') continue;
    let before: number | undefined;
    for (const edge of view.edges(table)) {
      const child = view.target(edge);
      if (child === cell && before !== undefined) return view.name(before);
      before = view.type(child) === 'string' ? child : undefined;
    }
  }
  return undefined;
}

function childrenOf(view: HeapView, node: number): number[] {
  return [...view.edges(node)].map(edge => view.target(edge));
}

function sayStep(view: HeapView, scripts: Scripts, edge: number, node: number): SaidStep | undefined {
  const type = view.edgeType(edge);
  const name = view.edgeName(edge);
  const isSilent = (type === 'internal' || type === 'hidden') && (SILENT.has(name) || /^\d+$/.test(name));
  if (view.type(node) === 'synthetic') {
    const root = sayRoot(view, node);
    return root === '' ? undefined : { via: '', id: view.id(node), what: root };
  }
  if (view.isPart(node) || (view.type(node) === 'code' && isSilent)) return undefined;
  const via = isSilent ? '' : sayEdge(type, name);
  return { via, id: view.id(node), what: sayNode(view, scripts, node) };
}

function sayEdge(type: string, name: string): string {
  if (type === 'property') return /^#?[\w$]+$/.test(name) ? `.${name}` : `[${JSON.stringify(name)}]`;
  if (type === 'element') return `[${name}]`;
  if (type === 'context') return `variable ${name} =`;
  if (/part of key/.test(name)) return '(WeakMap entry)';
  return `(${name})`;
}

/** What an object is: its class, a function with its place, the scope of a function. */
export function sayNode(view: HeapView, scripts: Scripts, node: number): string {
  if (view.type(node) === 'closure') return sayFunction(view, scripts, node);
  const waiting = suspendedFunction(view, node);
  if (waiting !== undefined) return `${sayFunction(view, scripts, waiting)} waiting`;
  if (view.name(node) === 'system / Context') return 'scope';
  if (view.type(node) === 'synthetic') return ROOTS[view.name(node)] || view.name(node) || 'V8';
  return view.className(node);
}

/** `onTick() src/store.js:6` */
export function sayFunction(view: HeapView, scripts: Scripts, node: number): string {
  const place = scripts.written(scripts.place(node));
  const name = view.name(node) || 'anonymous';
  return place ? `${name}() ${scripts.showUrl(place.url)}:${place.line}` : `${name}()`;
}
