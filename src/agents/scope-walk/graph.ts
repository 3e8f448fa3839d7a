import type { PathStep } from '../../model/evidence/collection-growth.js';
import type { RawLocation } from './inspector-bridge.js';

/** How an object was reached from its parent. A bare key is a property. */
export type Edge = string | symbol | DetailedEdge;
export type DetailedEdge =
  | { readonly kind: 'root' | 'getter' | 'private' | 'internal'; readonly name: string }
  | { readonly kind: 'index'; readonly index: number }
  | { readonly kind: 'map-value'; readonly key?: string }
  | { readonly kind: 'element' | 'map-key' | 'set-value' | 'prototype' }
  | { readonly kind: 'variable'; readonly name: string; readonly seen: SeenBy };

/** The function whose scopes showed some variables; one object for all of them. */
export interface SeenBy {
  readonly location: RawLocation | undefined;
  readonly function: string;
  readonly scope: 'module' | 'closure';
  /** The script the variables belong to; empty for what stands at the top of a classic script, which functions of all see. */
  readonly home: string;
}

const ELEMENT: DetailedEdge = { kind: 'element' };
const MAP_KEY: DetailedEdge = { kind: 'map-key' };
const SET_VALUE: DetailedEdge = { kind: 'set-value' };
const PROTOTYPE: DetailedEdge = { kind: 'prototype' };
export const EDGES = { ELEMENT, MAP_KEY, SET_VALUE, PROTOTYPE } as const;

/** The tree of first visits: for each object its parent and the edge, and nothing of the object itself. */
export class WalkTree {
  private readonly parents: number[] = [];
  private readonly edges: Edge[] = [];
  private readonly dictionaries = new Set<number>();

  /** Its properties are entries of one kind: `_events['level:17']` is one of many. */
  markDictionary(node: number): void {
    this.dictionaries.add(node);
  }

  add(parent: number, edge: Edge): number {
    this.parents.push(parent);
    this.edges.push(edge);
    return this.parents.length - 1;
  }

  parentOf(node: number): number {
    return this.parents[node] ?? -1;
  }

  edgeOf(node: number): Edge | undefined {
    return this.edges[node];
  }

  path(node: number): PathStep[] {
    const steps: PathStep[] = [];
    for (let at = node; at >= 0; at = this.parentOf(at)) steps.push(step(this.edges[at] ?? ''));
    return steps.reverse();
  }

  /** The nearest node above that was reached by the same variable of the same function, a few steps away; -1 without one. */
  sameVariableAbove(node: number, edge: Extract<DetailedEdge, { kind: 'variable' }>): number {
    let at = node;
    for (let steps = 0; at >= 0 && steps < STEPS_OF_A_LINK; steps++, at = this.parentOf(at)) {
      const other = this.edges[at];
      if (typeof other === 'object' && other.kind === 'variable' && isSameVariable(other, edge)) return at;
    }
    return -1;
  }

  /** The same for the same place of two walks, whatever objects stand there. */
  key(node: number): string {
    const parts: string[] = [];
    for (let at = node; at >= 0; at = this.parentOf(at)) {
      const edge = this.edges[at] ?? '';
      parts.push(keyPart(edge));
      if (isModuleVariable(edge)) break;
    }
    return parts.reverse().join('/');
  }

  /** The same for all places that differ only by an element of a collection; empty without one. */
  kinKey(node: number): string {
    const parts: string[] = [];
    let isElement = false;
    for (let at = node; at >= 0; at = this.parentOf(at)) {
      const isOne = this.isOneOfMany(at);
      isElement ||= isOne;
      parts.push(isOne ? ELEMENT_PART : keyPart(this.edges[at] ?? ''));
    }
    return isElement ? parts.reverse().join('/') : '';
  }

  /** The collection nearest above whose element the path goes through; -1 without one. */
  collectionAbove(node: number): number {
    for (let at = node; at >= 0; at = this.parentOf(at)) {
      if (this.isOneOfMany(at)) return this.parentOf(at);
    }
    return -1;
  }

  /**
   * Where a tree begins that the node lies in: above it the same steps through elements repeat (`.children[*]`, a Map's
   * values) at least `times` times. -1 where they don't.
   */
  treeTop(node: number, times: number): number {
    const nodes: number[] = [];
    const parts: string[] = [];
    for (let at = node; at >= 0; at = this.parentOf(at)) {
      nodes.push(at);
      parts.push(this.isOneOfMany(at) ? ELEMENT_PART : keyPart(this.edges[at] ?? ''));
    }
    for (let period = 1; period <= LONGEST_PERIOD; period++) {
      const last = endOfRepetition(parts, period, times);
      if (last >= 0) return this.parentOf(nodes[last] as number); // within the list
    }
    return -1;
  }

  /** The path with one element standing for all of them. */
  kinPath(node: number): PathStep[] {
    const steps: PathStep[] = [];
    for (let at = node; at >= 0; at = this.parentOf(at)) {
      const one = step(this.edges[at] ?? '');
      const isEntry = one.kind === 'index' || (one.kind === 'property' && this.isOneOfMany(at));
      steps.push(isEntry ? { kind: 'element' } : one.kind === 'map-value' ? { kind: 'map-value' } : one);
    }
    return steps.reverse();
  }

  private isOneOfMany(node: number): boolean {
    const edge = this.edges[node] ?? '';
    return isOfMany(edge) || (typeof edge !== 'object' && this.dictionaries.has(this.parentOf(node)));
  }

  /** True when the path goes through one element of many, which another walk may not choose again. */
  isSampled(node: number): boolean {
    return this.goesThrough(
      node,
      edge =>
        edge.kind === 'element' ||
        edge.kind === 'map-key' ||
        edge.kind === 'set-value' ||
        (edge.kind === 'map-value' && edge.key === undefined),
    );
  }

  /** True when the path goes through a place in an array, where something else may stand by now. */
  isPlaced(node: number): boolean {
    return this.goesThrough(node, edge => edge.kind === 'index');
  }

  /** Down to the module's variable. */
  private goesThrough(node: number, is: (edge: DetailedEdge) => boolean): boolean {
    for (let at = node; at >= 0; at = this.parentOf(at)) {
      const edge = this.edges[at];
      if (typeof edge !== 'object') continue;
      if (isModuleVariable(edge)) return false;
      if (is(edge)) return true;
    }
    return false;
  }
}

const ELEMENT_PART = '[*]';
/** From one branch of a tree to the next: an element, a property, and what lies between. */
const LONGEST_PERIOD = 3;

/** The index of the outermost element in a run of equal periods (parts lie innermost first); -1 without a run of so many. */
function endOfRepetition(parts: readonly string[], period: number, times: number): number {
  let end = -1;
  let run = 0;
  for (let at = 0; at + period < parts.length; at++) {
    run = parts[at] === parts[at + period] ? run + 1 : 0;
    const isLongEnough = run >= period * (times - 1);
    if (isLongEnough) end = at + period;
    else if (end >= 0) break;
  }
  const element = end < 0 ? -1 : parts.lastIndexOf(ELEMENT_PART, end);
  return element > end - period ? element : -1;
}

/** From one closure of a chain to the next: a variable, an object's property or two, a function. */
const STEPS_OF_A_LINK = 6;

function isSameVariable(
  a: Extract<DetailedEdge, { kind: 'variable' }>,
  b: Extract<DetailedEdge, { kind: 'variable' }>,
): boolean {
  const [x, y] = [a.seen.location, b.seen.location];
  if (a.name !== b.name || a.seen.scope !== 'closure' || !x || !y) return false;
  return x.scriptId === y.scriptId && x.lineNumber === y.lineNumber && x.columnNumber === y.columnNumber;
}

/** A module's variable is the same whichever function shows it: how that one was reached says nothing. */
function isModuleVariable(edge: Edge): boolean {
  return typeof edge === 'object' && edge.kind === 'variable' && edge.seen.scope === 'module';
}

/** Elements and their indices; a Map's value by its key as well. */
function isOfMany(edge: Edge): boolean {
  return (
    typeof edge === 'object' &&
    (edge.kind === 'index' ||
      edge.kind === 'element' ||
      edge.kind === 'map-value' ||
      edge.kind === 'set-value' ||
      edge.kind === 'map-key')
  );
}

function step(edge: Edge): PathStep {
  if (typeof edge === 'string') return { kind: 'property', name: edge };
  if (typeof edge === 'symbol') return { kind: 'property', name: `[${String(edge)}]` };
  if (edge.kind !== 'variable') return edge;
  const { location, function: name, scope } = edge.seen;
  const seenBy = {
    scriptId: location?.scriptId ?? '',
    url: '',
    line: location?.lineNumber ?? 0,
    column: location?.columnNumber ?? 0,
  };
  return { kind: 'variable', name: edge.name, scope, seenBy, function: name };
}

function keyPart(edge: Edge): string {
  if (typeof edge !== 'object') return `.${String(edge)}`;
  if (edge.kind === 'index') return `[${edge.index}]`;
  if (edge.kind === 'map-value') return `get:${edge.key ?? ''}`;
  if (edge.kind === 'variable') return `variable:${edge.seen.home}:${edge.name}`;
  return 'name' in edge ? `${edge.kind}:${edge.name}` : edge.kind;
}
