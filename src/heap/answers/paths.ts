import { isFile, isNodeInternal, isUserCode } from '../../base/script-url.js';
import { NO_DISTANCE, SYSTEM_DISTANCE } from '../analysis/distances.js';
import { FILTER_MASK } from '../graph.js';
import { NAME_BITS } from '../parse/fast-edges.js';
import { closuresByContext, type Scripts } from './scripts.js';
import type { HeapView } from './view.js';

/** One step down a retaining path: over this edge to this node. */
export interface PathStep {
  readonly node: number;
  /** -1 on the first step, which is where the path starts. */
  readonly edge: number;
}

/** Outermost first; ends at the node asked for. `module` is the script whose variable the first edge is. */
export interface RetainingPath {
  readonly steps: readonly PathStep[];
  readonly module?: string;
  /** A closure that shares the variable, to tell where in the module. */
  readonly closure?: number;
  /** The last variable on the way, where it is another one: a function's, a package's in a bundle. */
  readonly inner?: { readonly edge: number; readonly closure: number };
}

/** Longer paths say nothing to a person. */
const LONGEST = 80;
/** A detour over a property is preferred to a shortcut through V8's parts that is at most this much shorter. */
const DETOUR = 2;

interface Climb {
  readonly steps: { node: number; edge: number }[];
  readonly seen: Set<number>;
  current: number;
  done: boolean;
  /** The current node is an ES module. */
  atModule: boolean;
  /** It hangs below a variable of one of Node's own modules: whoever has a function of Node leads there. */
  inNode: boolean;
  module?: string;
  closure?: number;
}

interface Owner {
  readonly module: string;
  readonly closure?: number;
}

interface Candidate {
  readonly from: number;
  readonly edge: number;
  readonly score: number;
}

/**
 * The shortest meaningful retaining path of each node: it climbs by distance, prefers properties and variables to V8's
 * inner slots, and ends as soon as it comes to a module's own variable. All nodes climb together, one scan of the edges
 * a level, so that no table of retainers is needed (that would be the largest array of all).
 */
export function findPaths(view: HeapView, scripts: Scripts, nodes: readonly number[]): RetainingPath[] {
  const closures = closuresByContext(view);
  const paths = new PathFinder(view, scripts, closures).find(nodes);
  view.heap.scratch.giveBack(closures);
  return paths;
}

/** The same over given references to a node: for each, the way that ends with it. */
export function findPathsOver(
  view: HeapView,
  scripts: Scripts,
  node: number,
  references: readonly { readonly from: number; readonly edge: number }[],
): RetainingPath[] {
  const closures = closuresByContext(view);
  const paths = new PathFinder(view, scripts, closures).findOver(node, references);
  view.heap.scratch.giveBack(closures);
  return paths;
}

class PathFinder {
  private readonly maybeWanted: Uint8Array;

  constructor(
    private readonly view: HeapView,
    private readonly scripts: Scripts,
    private readonly closures: Uint32Array,
  ) {
    this.maybeWanted = view.heap.file.arena.bytes(FILTER_MASK + 1);
  }

  find(nodes: readonly number[]): RetainingPath[] {
    return this.climbAll(nodes.map(startAt));
  }

  findOver(node: number, references: readonly Omit<Candidate, 'score'>[]): RetainingPath[] {
    const climbs = references.map(reference => {
      const climb = startAt(node);
      this.step(climb, reference);
      return climb;
    });
    return this.climbAll(climbs);
  }

  private climbAll(climbs: readonly Climb[]): RetainingPath[] {
    for (let level = 0; level < LONGEST && climbs.some(climb => !climb.done); level++) this.climb(climbs);
    return climbs.map(climb => {
      const steps = climb.steps.toReversed();
      const inner = this.innerOf(steps);
      return {
        steps,
        ...(climb.module !== undefined && { module: climb.module }),
        ...(climb.closure !== undefined && { closure: climb.closure }),
        ...(inner && { inner }),
      };
    });
  }

  private innerOf(steps: readonly PathStep[]): RetainingPath['inner'] {
    const at = steps.findLastIndex(({ edge }) => edge >= 0 && this.view.edgeType(edge) === 'context');
    if (at < 2) return undefined; // none, or the module's own
    const closure = this.closures[steps[at - 1]!.node]! - 1;
    const awaiting = closure < 0 && at >= 2 ? this.view.child(steps[at - 2]!.node, 'internal', 'function') : undefined;
    if (awaiting !== undefined) return { edge: steps[at]!.edge, closure: awaiting };
    return closure < 0 ? undefined : { edge: steps[at]!.edge, closure };
  }

  private climb(climbs: readonly Climb[]): void {
    const active = climbs.filter(climb => !climb.done);
    const best = this.bestRetainers(active);
    active.forEach((climb, i) => {
      const candidate = best[i];
      if (!candidate) climb.done = true;
      else this.step(climb, candidate);
    });
  }

  private step(climb: Climb, { from, edge }: Omit<Candidate, 'score'>): void {
    const below = climb.steps.at(-1)!;
    below.edge = edge;
    climb.steps.push({ node: from, edge: -1 });
    climb.seen.add(from);
    climb.current = from;
    climb.atModule = isSourceModule(this.view, from);
    const owner = climb.inNode ? undefined : (this.moduleOf(from, edge) ?? this.exporterOf(from, edge));
    if (owner) Object.assign(climb, owner);
    climb.inNode ||= this.isNodesOwn(from, edge);
    climb.done = owner !== undefined || from === this.view.heap.file.root || this.view.distance(from) === 1;
  }

  private bestRetainers(climbs: readonly Climb[]): (Candidate | undefined)[] {
    const { edgeCount, firstEdge, target, arena } = this.view.heap.file;
    const waiting = new Map<number, number[]>();
    this.maybeWanted.fill(0);
    climbs.forEach(({ current }, i) => {
      this.maybeWanted[current & FILTER_MASK] = 1;
      waiting.set(current, [...(waiting.get(current) ?? []), i]);
    });
    const best: (Candidate | undefined)[] = climbs.map(() => undefined);
    const next = (from: number) => arena.loops.nextMaybe(from, edgeCount, this.maybeWanted.byteOffset);
    let node = 0;
    for (let edge = next(0); edge < edgeCount; edge = next(edge + 1)) {
      const to = target[edge]!;
      const climbing = to < 0 ? undefined : waiting.get(to);
      if (!climbing) continue;
      node = nodeOfEdge(firstEdge, edge, node);
      for (const i of climbing) best[i] = this.better(best[i], climbs[i]!, node, edge);
    }
    return best;
  }

  private better(best: Candidate | undefined, climb: Climb, from: number, edge: number): Candidate | undefined {
    const { heap } = this.view;
    const away = heap.distance[from]!;
    const type = heap.file.label[edge]! >>> NAME_BITS;
    const mayOwn = type === heap.facts.edge.context || (climb.atModule && type === heap.facts.edge.internal);
    if (away === NO_DISTANCE || (!mayOwn && best && best.score <= away - DETOUR)) return best; // most retainers end here
    if (climb.seen.has(from)) return best;
    const score = mayOwn && !climb.inNode ? this.moduleScore(from, edge) : undefined;
    if (score !== undefined) return !best || score < best.score ? { from, edge, score } : best;
    const here = heap.distance[climb.current]!;
    if (here !== NO_DISTANCE && away > here + DETOUR) return best;
    const worth = away + this.penalty(from, edge);
    return !best || worth < best.score ? { from, edge, score: worth } : best;
  }

  /** Below every distance, and the program's own variables before those of packages. */
  private moduleScore(from: number, edge: number): number | undefined {
    const owner = this.moduleOf(from, edge) ?? this.exporterOf(from, edge);
    if (!owner) return undefined;
    return this.view.distance(from) / SYSTEM_DISTANCE - (isUserCode(owner.module) ? 2 : 1);
  }

  /** In edges: what a person would not call a reference costs as much as a few that they would. */
  private penalty(from: number, edge: number): number {
    const type = this.view.edgeType(edge);
    const base = type === 'property' || type === 'element' || type === 'context' ? 1 : 1.5;
    if (this.view.type(from) === 'code') return base + DETOUR;
    return this.isNamedExport(from, edge) ? -DETOUR : base;
  }

  /** Modules that import a variable have its cell, too; only the exporter's table has its name in front of it. */
  private isNamedExport(table: number, edge: number): boolean {
    const { file } = this.view.heap;
    if (this.view.type(table) !== 'array' || edge === file.firstEdge[table]) return false;
    return this.view.name(this.view.target(edge)) === CELL && this.view.type(this.view.target(edge - 1)) === 'string';
  }

  /** The module whose variable this edge is: a context variable of a file that no function of that file encloses. */
  private moduleOf(context: number, edge: number): Owner | undefined {
    if (this.view.edgeType(edge) !== 'context' || this.view.name(context) !== 'system / Context') return undefined;
    return this.isOutermost(context) ? this.ownerOf(context) : undefined;
  }

  /**
   * An ES module holds what it exports in cells of its own. Which file it is say the scope of its other variables, or
   * the object that Node keeps for it.
   */
  private exporterOf(from: number, edge: number): Owner | undefined {
    if (!isSourceModule(this.view, this.view.target(edge))) return undefined;
    if (this.view.edgeName(edge) === 'extension') return this.ownerOf(from);
    const url = this.view.name(from) === 'ModuleWrap' ? this.view.child(from, 'property', 'url') : undefined;
    return url === undefined || !isFile(this.view.name(url)) ? undefined : { module: this.view.name(url) };
  }

  /** A variable of a whole module of Node; those of its functions belong to who called them. */
  private isNodesOwn(context: number, edge: number): boolean {
    if (this.view.edgeType(edge) !== 'context' || !this.isOutermost(context)) return false;
    const closure = this.closures[context]! - 1;
    return closure >= 0 && isNodeInternal(this.scripts.urlOfClosure(closure) ?? '');
  }

  private ownerOf(context: number): Owner | undefined {
    const closure = this.closures[context]! - 1;
    if (closure < 0) return undefined;
    const url = this.scripts.urlOfClosure(closure);
    return url !== undefined && isFile(url) ? { module: url, closure } : undefined;
  }

  private isOutermost(context: number): boolean {
    const previous = this.view.child(context, 'internal', 'previous');
    return previous === undefined || this.view.name(previous) !== 'system / Context' || this.isScriptContext(previous);
  }

  /** Top-level `const` and `let` of plain scripts live in contexts of their own that hang below V8's. */
  private isScriptContext(context: number): boolean {
    const previous = this.view.child(context, 'internal', 'previous');
    return this.closures[context] === 0 && previous !== undefined && this.view.name(previous) !== 'system / Context';
  }
}

function startAt(node: number): Climb {
  return {
    steps: [{ node, edge: -1 }],
    seen: new Set([node]),
    current: node,
    done: false,
    atModule: false,
    inNode: false,
  };
}

/** The node that an edge belongs to, looked for from an earlier one on. */
function nodeOfEdge(firstEdge: Uint32Array, edge: number, from: number): number {
  let [low, step] = [from, 1];
  while (low + step < firstEdge.length && firstEdge[low + step]! <= edge) {
    low += step;
    step *= 2;
  }
  for (; step >= 1; step /= 2) if (low + step < firstEdge.length && firstEdge[low + step]! <= edge) low += step;
  return low;
}

/** V8's box around an exported variable. */
export const CELL = 'system / Cell';

/** V8's record of an ES module. */
export function isSourceModule(view: HeapView, node: number): boolean {
  return view.name(node) === 'system / SourceTextModule';
}
