import type { RetainingPath } from './paths.js';
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

/** Turns a path into words; `showUrl` shortens script names. */
export function sayPath(
  view: HeapView,
  scripts: Scripts,
  path: RetainingPath,
  showUrl = (url: string) => url,
): SaidPath {
  const start = startOf(view, scripts, path);
  const steps = start.rest.flatMap(step => sayStep(view, scripts, step.edge, step.node, showUrl) ?? []);
  const text = [start.text(showUrl), ...steps.map(({ via, what }) => `${via} ${what}`.trim())]
    .filter(Boolean)
    .join(' → ');
  return {
    ...(start.variable !== undefined && { variable: start.variable }),
    ...(path.module !== undefined && { module: path.module }),
    ...(start.near && { near: start.near }),
    steps,
    text,
  };
}

interface Start {
  readonly variable?: string;
  readonly near?: ScriptPlace;
  readonly rest: RetainingPath['steps'];
  text(showUrl: (url: string) => string): string;
}

function startOf(view: HeapView, scripts: Scripts, path: RetainingPath): Start {
  const { module, closure, steps } = path;
  const first = steps[0]!;
  if (module === undefined) {
    return { rest: steps.slice(1), text: () => sayRoot(view, first.node) };
  }
  const cell = steps.findIndex(({ node }) => view.name(node) === 'system / Cell');
  const variable =
    cell > 0 && view.name(first.node) !== 'system / Context'
      ? exportedName(view, first.node, steps[cell]!.node)
      : view.edgeName(steps[1]!.edge);
  const near = closure === undefined ? undefined : scripts.place(closure);
  const holder = steps[cell > 0 && variable !== undefined ? cell + 1 : 1];
  const what = holder === undefined ? '' : ` ${sayNode(view, scripts, holder.node, url => url)}`;
  return {
    ...(variable !== undefined && { variable }),
    ...(near && { near }),
    rest: steps.slice(holder === undefined ? 1 : steps.indexOf(holder) + 1),
    text: showUrl => `${variable === undefined ? 'an export' : `\`${variable}\``} in ${showUrl(module)} →${what}`,
  };
}

function sayRoot(view: HeapView, node: number): string {
  if (view.distance(node) === 1) return view.className(node) === 'global' ? 'global' : view.name(node);
  return view.type(node) === 'synthetic' ? view.name(node) || 'GC roots' : view.name(node);
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

function sayStep(
  view: HeapView,
  scripts: Scripts,
  edge: number,
  node: number,
  showUrl: (url: string) => string,
): SaidStep | undefined {
  const type = view.edgeType(edge);
  const name = view.edgeName(edge);
  const isSilent = (type === 'internal' || type === 'hidden') && (SILENT.has(name) || /^\d+$/.test(name));
  if (view.isPart(node) || (view.type(node) === 'code' && isSilent)) return undefined;
  const via = isSilent ? '' : sayEdge(type, name);
  return { via, id: view.id(node), what: sayNode(view, scripts, node, showUrl) };
}

function sayEdge(type: string, name: string): string {
  if (type === 'property') return /^[\w$]+$/.test(name) ? `.${name}` : `[${JSON.stringify(name)}]`;
  if (type === 'element') return `[${name}]`;
  if (type === 'context') return `variable ${name} =`;
  if (/part of key/.test(name)) return '(WeakMap entry)';
  return `(${name})`;
}

/** What an object is: its class, a function with its place, the scope of a function. */
export function sayNode(view: HeapView, scripts: Scripts, node: number, showUrl: (url: string) => string): string {
  if (view.type(node) === 'closure') return sayFunction(view, scripts, node, showUrl);
  if (view.name(node) === 'system / Context') return 'scope';
  return view.className(node);
}

/** `onTick() src/store.js:6` */
export function sayFunction(view: HeapView, scripts: Scripts, node: number, showUrl: (url: string) => string): string {
  const place = scripts.place(node);
  const name = view.name(node) || 'anonymous';
  return place ? `${name}() ${showUrl(place.url)}:${place.line}` : `${name}()`;
}
