import type { CallTree, Frame, FrameKind } from './tree.js';

/** Self and total time per node over a choice of samples, in microseconds. */
export interface Weights {
  readonly selfUs: Float64Array;
  readonly totalUs: Float64Array;
  readonly allUs: number;
}

/** V8's marks and lens' own frames: not the program's work. */
const NOT_WORK: ReadonlySet<FrameKind> = new Set(['idle', 'program', 'gc', 'root', 'lens']);

/** True for a sample in which the program's own code, a package, Node or native code on their behalf ran. */
export function isWork(tree: CallTree, node: number): boolean {
  return !NOT_WORK.has(tree.frames[tree.frameOf[node]!]!.kind) && !tree.lensNodes[node];
}

/** Weighs the samples that `include` admits; default: all work. */
export function weigh(
  tree: CallTree,
  include: (sample: number) => boolean = at => isWork(tree, tree.sampleNode[at]!),
): Weights {
  const selfUs = new Float64Array(tree.nodeCount);
  let allUs = 0;
  for (let at = 0; at < tree.sampleNode.length; at++) {
    if (!include(at)) continue;
    selfUs[tree.sampleNode[at]!]! += tree.sampleUs[at]!;
    allUs += tree.sampleUs[at]!;
  }
  const totalUs = selfUs.slice();
  for (let node = tree.nodeCount - 1; node > 0; node--) {
    const parent = tree.parent[node]!;
    if (parent >= 0) totalUs[parent]! += totalUs[node]!;
  }
  return { selfUs, totalUs, allUs };
}

/** Time of one function over all places it was called from. */
export interface FunctionTime {
  readonly frame: Frame;
  readonly selfUs: number;
  /** Recursion counted once. */
  readonly totalUs: number;
}

/** Every function with its times, the largest self time first. */
export function byFunction(tree: CallTree, { selfUs, totalUs }: Weights): FunctionTime[] {
  const self = new Float64Array(tree.frames.length);
  const total = new Float64Array(tree.frames.length);
  for (let node = 0; node < tree.nodeCount; node++) {
    const frame = tree.frameOf[node]!;
    self[frame]! += selfUs[node]!;
    if (!hasAncestorWith(tree, node, frame)) total[frame]! += totalUs[node]!;
  }
  const times = tree.frames.map((frame, at) => ({ frame, selfUs: self[at]!, totalUs: total[at]! }));
  return times.filter(time => time.totalUs > 0 && time.frame.kind !== 'root').sort((a, b) => b.selfUs - a.selfUs);
}

function hasAncestorWith(tree: CallTree, node: number, frame: number): boolean {
  for (let at = tree.parent[node]!; at >= 0; at = tree.parent[at]!) if (tree.frameOf[at] === frame) return true;
  return false;
}

/** Self time by owner: a package's name, `node`, `native`, or `(application)`; the largest first. */
export function byPackage(tree: CallTree, weights: Weights): { readonly name: string; readonly selfUs: number }[] {
  return grouped(tree, weights, frame => frame.package ?? OWNERS[frame.kind] ?? frame.kind);
}

const OWNERS: Partial<Record<FrameKind, string>> = {
  user: '(application)',
  node: 'node',
  native: 'native',
  evaluated: '(evaluated code)',
};

function grouped(tree: CallTree, { selfUs }: Weights, ownerOf: (frame: Frame) => string) {
  const sums = new Map<string, number>();
  for (let node = 0; node < tree.nodeCount; node++) {
    if (!selfUs[node]) continue;
    const owner = ownerOf(tree.frames[tree.frameOf[node]!]!);
    sums.set(owner, (sums.get(owner) ?? 0) + selfUs[node]!);
  }
  return [...sums].map(([name, us]) => ({ name, selfUs: us })).sort((a, b) => b.selfUs - a.selfUs);
}

/** Time by V8's marks and kinds of code over all samples: what was idle, collecting, work. */
export function byKind(tree: CallTree): Readonly<Record<FrameKind, number>> {
  const sums: Record<FrameKind, number> = {
    user: 0,
    package: 0,
    node: 0,
    native: 0,
    regexp: 0,
    evaluated: 0,
    wasm: 0,
    lens: 0,
    gc: 0,
    idle: 0,
    program: 0,
    root: 0,
  };
  for (let at = 0; at < tree.sampleNode.length; at++) {
    const node = tree.sampleNode[at]!;
    sums[tree.lensNodes[node] ? 'lens' : tree.frames[tree.frameOf[node]!]!.kind] += tree.sampleUs[at]!;
  }
  return sums;
}
