import { lastUserAbove } from './blame.js';
import { lineShares } from './mechanism.js';
import { type CallTree, type Frame, frameAt } from './tree.js';
import type { Weights } from './weights.js';

/** How the time that belongs to one user function divides, each list the heaviest first; microseconds. */
export interface Owned {
  readonly selfUs: number;
  /** Self time by 1-based line of the running text; line 0 where V8 kept no ticks. */
  readonly lines: readonly { readonly line: number; readonly us: number }[];
  /** What it called directly: packages, Node, native code. */
  readonly callees: readonly { readonly frame: Frame; readonly us: number }[];
  /** Time by the innermost package beneath it, those that also stand above it (its host) left out. */
  readonly packages: readonly { readonly name: string; readonly us: number; readonly frame: Frame }[];
  /** Scripts with self time, whose text tells what they do. */
  readonly scripts: readonly string[];
  /** Functions of packages beneath it that hold half of its time, outermost first. */
  readonly heavy: readonly Frame[];
}

const HEAVY_SHARE = 0.5;

/** Divides the time in which a frame was the last of the application on the stack. */
export function owned(tree: CallTree, weights: Weights, frameIndex: number): Owned {
  const { selfUs } = weights;
  const sums = new Sums();
  for (let node = 0; node < tree.nodeCount; node++) {
    const us = selfUs[node]!;
    const owner = us > 0 ? ownerOf(tree, node, frameIndex) : -1;
    if (owner >= 0) sums.add(tree, node, owner, us);
  }
  return { ...sums.result(tree), heavy: heavyBeneath(tree, weights, frameIndex, HEAVY_SHARE) };
}

/** The owning node of a sample's node when that owner is the asked function, else −1. */
export function ownerOf(tree: CallTree, node: number, frameIndex: number): number {
  const last = lastUserAbove(tree, node);
  const owner = last >= 0 ? last : selfOrAbove(tree, node, frameIndex);
  return owner >= 0 && tree.frameOf[owner] === frameIndex ? owner : -1;
}

/** Without a user frame on the stack the blamed one is a package's. */
function selfOrAbove(tree: CallTree, node: number, frameIndex: number): number {
  for (let at = node; at >= 0; at = tree.parent[at]!) if (tree.frameOf[at] === frameIndex) return at;
  return -1;
}

class Sums {
  readonly #lines = new Map<number, number>();
  readonly #callees = new Map<number, number>();
  readonly #packages = new Map<string, { us: number; frame: Frame }>();
  readonly #scripts = new Map<string, number>();
  #selfUs = 0;

  add(tree: CallTree, node: number, owner: number, us: number): void {
    const { scriptId, kind } = frameAt(tree, node);
    if (kind === 'user' || kind === 'package' || kind === 'evaluated') more(this.#scripts, scriptId, us);
    if (node === owner) {
      this.#selfUs += us;
      for (const { line, share } of lineShares(tree, node)) more(this.#lines, line, us * share);
      return;
    }
    more(this.#callees, tree.frameOf[directBeneath(tree, node, owner)]!, us);
    const inner = innermostPackage(tree, node, owner);
    if (inner?.package && !isHost(tree, owner, inner.package)) {
      const known = this.#packages.get(inner.package);
      this.#packages.set(inner.package, { us: (known?.us ?? 0) + us, frame: known?.frame ?? inner });
    }
  }

  result(tree: CallTree): Omit<Owned, 'heavy'> {
    return {
      selfUs: this.#selfUs,
      lines: heaviest(this.#lines).map(([line, us]) => ({ line, us })),
      callees: heaviest(this.#callees).map(([frame, us]) => ({ frame: tree.frames[frame]!, us })),
      packages: [...this.#packages].map(([name, sum]) => ({ name, ...sum })).sort((a, b) => b.us - a.us),
      scripts: heaviest(this.#scripts).map(([id]) => id),
    };
  }
}

function more<K>(sums: Map<K, number>, key: K, us: number): void {
  sums.set(key, (sums.get(key) ?? 0) + us);
}

function heaviest<K>(sums: ReadonlyMap<K, number>): [K, number][] {
  return [...sums].sort((a, b) => b[1] - a[1]);
}

function directBeneath(tree: CallTree, node: number, owner: number): number {
  let at = node;
  while (tree.parent[at] !== owner && tree.parent[at]! >= 0) at = tree.parent[at]!;
  return at;
}

function innermostPackage(tree: CallTree, node: number, owner: number): Frame | undefined {
  for (let at = node; at !== owner && at >= 0; at = tree.parent[at]!) {
    const frame = frameAt(tree, at);
    if (frame.kind === 'package') return frame;
  }
  return undefined;
}

/** A framework stands both above a handler and beneath it (`res.json`): it hosts the work, it isn't the cause. */
function isHost(tree: CallTree, owner: number, name: string): boolean {
  for (let at = owner; at >= 0; at = tree.parent[at]!) if (frameAt(tree, at).package === name) return true;
  return false;
}

/** Time of all samples with a frame on their stack, microseconds. */
export function totalUnder(tree: CallTree, { selfUs }: Weights, frameIndex: number): number {
  let us = 0;
  for (let node = 0; node < tree.nodeCount; node++)
    if (selfUs[node]! > 0 && selfOrAbove(tree, node, frameIndex) >= 0) us += selfUs[node]!;
  return us;
}

/** Functions of the application beneath another that hold a share of its time, the heaviest first. */
export function usersBeneath(tree: CallTree, { selfUs }: Weights, frameIndex: number, share: number): Frame[] {
  const sums = new Map<number, number>();
  let all = 0;
  for (let node = 0; node < tree.nodeCount; node++) {
    const us = selfUs[node]!;
    const owner = us > 0 ? selfOrAbove(tree, node, frameIndex) : -1;
    if (owner < 0) continue;
    all += us;
    const seen = new Set<number>();
    for (let at = node; at !== owner; at = tree.parent[at]!)
      if (frameAt(tree, at).kind === 'user') seen.add(tree.frameOf[at]!);
    for (const frame of seen) more(sums, frame, us);
  }
  return heaviest(sums)
    .filter(([frame, us]) => frame !== frameIndex && us >= share * all)
    .map(([frame]) => tree.frames[frame]!);
}

/** Package functions beneath an owner that hold a share of its time, outermost first: whose arguments are worth comparing. */
export function heavyBeneath(tree: CallTree, { selfUs }: Weights, frameIndex: number, share: number): Frame[] {
  const sums = new Map<number, { us: number; depth: number }>();
  let all = 0;
  for (let node = 0; node < tree.nodeCount; node++) {
    const owner = selfUs[node] ? ownerOf(tree, node, frameIndex) : -1;
    if (owner < 0) continue;
    all += selfUs[node]!;
    for (const [depth, frame] of packageFrames(tree, node, owner).entries()) {
      const known = sums.get(frame);
      sums.set(frame, { us: (known?.us ?? 0) + selfUs[node]!, depth: Math.min(known?.depth ?? depth, depth) });
    }
  }
  const heavy = [...sums].filter(([, sum]) => sum.us >= share * all).sort((a, b) => a[1].depth - b[1].depth);
  return heavy.map(([frame]) => tree.frames[frame]!);
}

/** Distinct package frames from beneath the owner down to the node. */
function packageFrames(tree: CallTree, node: number, owner: number): number[] {
  const frames: number[] = [];
  for (let at = node; at !== owner && at >= 0; at = tree.parent[at]!) {
    if (frameAt(tree, at).kind === 'package') frames.unshift(tree.frameOf[at]!);
  }
  return [...new Set(frames)];
}

/**
 * How many scripts compiled at run time hold the same function at the same place, the most of any function: the same
 * text compiled again and again. Looks beneath one owner.
 */
export function recompiled(tree: CallTree, frameIndex: number): number {
  const scripts = new Map<string, Set<string>>();
  for (let node = 0; node < tree.nodeCount; node++) {
    const frame = frameAt(tree, node);
    if (frame.kind !== 'evaluated' || ownerOf(tree, node, frameIndex) < 0) continue;
    const key = `${frame.functionName} ${frame.line} ${frame.column}`;
    scripts.set(key, (scripts.get(key) ?? new Set()).add(frame.scriptId));
  }
  return Math.max(0, ...[...scripts.values()].map(ids => ids.size));
}

/** True when a function was never seen but with another one above it. */
export function isOnlyBeneath(tree: CallTree, frameIndex: number, outer: number): boolean {
  const nodes = Array.from({ length: tree.nodeCount }, (_, node) => node).filter(
    node => tree.frameOf[node] === frameIndex,
  );
  return nodes.length > 0 && nodes.every(node => selfOrAbove(tree, node, outer) >= 0);
}
