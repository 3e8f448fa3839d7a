import { type CallTree, frameAt } from './tree.js';
import { isWork } from './weights.js';

/** A stretch in which the event loop could not turn: samples `from` … `to` (exclusive) without idle between. */
export interface Stall {
  readonly from: number;
  readonly to: number;
  readonly atUs: number;
  readonly durationUs: number;
  /** The part in which the thread had a core. */
  readonly ranUs: number;
  /** Part of it in garbage collection. */
  readonly gcUs: number;
}

/** `(program)` this short within one call is V8 at its own business (compiling, an interrupt), not a turn of the loop. */
const BRIDGED_PROGRAM_US = 5_000;

/** Stretches without idle of at least `minUs`, in the order of time. */
export function stalls(tree: CallTree, minUs: number): Stall[] {
  const found: Stall[] = [];
  for (let from = 0; from < tree.sampleNode.length; from++) {
    if (!isBusy(tree, from) || isGc(tree, from)) continue;
    const to = endOf(tree, from);
    const stall = measured(tree, from, to);
    if (stall.durationUs >= minUs && !isOthers(tree, stall)) found.push(stall);
    from = to;
  }
  return found;
}

/** Node's asynchronous calls whose C++ part only hands a path or a job to another thread. */
const HANDING: readonly (readonly [url: RegExp, native: RegExp])[] = [
  [/^node:(internal\/)?fs(\/promises)?$/, /^(?!write)/],
  [/^node:internal\/crypto\//, /^run$/],
];
const SYNCHRONOUS = /Sync$|^handleError$/;

/** On a crowded host handing over stood for 357 ms, until a thread that held the lock got a core: nobody's call blocks. */
function isOthers(tree: CallTree, { from, to, durationUs }: Stall): boolean {
  let handedUs = 0;
  for (let at = from; at < to; at++) {
    if (isHanding(tree, tree.sampleNode[at]!)) handedUs += tree.sampleUs[at]!;
  }
  return handedUs > durationUs / 2;
}

function isHanding(tree: CallTree, node: number): boolean {
  const leaf = frameAt(tree, node);
  const caller = leaf.kind === 'native' ? frameAt(tree, tree.parent[node]!) : undefined;
  if (caller?.kind !== 'node' || SYNCHRONOUS.test(caller.functionName)) return false;
  return HANDING.some(([url, native]) => url.test(caller.url) && native.test(leaf.functionName));
}

function endOf(tree: CallTree, from: number): number {
  let end = from + 1;
  for (let at = end; at < tree.sampleNode.length; at++) {
    if (isBusy(tree, at)) end = at + 1;
    else if (!isBridge(tree, end - 1, at)) break;
  }
  return end;
}

function isBusy(tree: CallTree, sample: number): boolean {
  return isWork(tree, tree.sampleNode[sample]!) || isGc(tree, sample);
}

function isGc(tree: CallTree, sample: number): boolean {
  return frameAt(tree, tree.sampleNode[sample]!).kind === 'gc';
}

/** True while (program) or lens' own samples stand for a moment between two samples of the same call. */
function isBridge(tree: CallTree, last: number, at: number): boolean {
  const kind = frameAt(tree, tree.sampleNode[at]!).kind;
  if (kind === 'idle') return false;
  let next = at;
  while (next < tree.sampleNode.length && !isBusy(tree, next)) {
    if (frameAt(tree, tree.sampleNode[next]!).kind === 'idle') return false;
    next++;
  }
  if (next >= tree.sampleNode.length) return false;
  if (tree.sampleAtUs[next]! - tree.sampleAtUs[last + 1]! > BRIDGED_PROGRAM_US && !tree.lensNodes[tree.sampleNode[at]!])
    return false;
  return entryOf(tree, tree.sampleNode[last]!) === entryOf(tree, tree.sampleNode[next]!);
}

/** The innermost user node of a sample, or its outermost node: what "the same call" means between two samples. */
function entryOf(tree: CallTree, node: number): number {
  let entry = node;
  for (let at = node; tree.parent[at]! >= 0; at = tree.parent[at]!) {
    entry = at;
    if (frameAt(tree, at).kind === 'user') return at;
  }
  return entry;
}

function measured(tree: CallTree, from: number, to: number): Stall {
  let durationUs = 0;
  let ranUs = 0;
  let gcUs = 0;
  for (let at = from; at < to; at++) {
    durationUs += tree.sampleUs[at]!;
    ranUs += ranWithin(tree, at);
    if (isGc(tree, at)) gcUs += tree.sampleUs[at]!;
  }
  return { from, to, atUs: tree.sampleAtUs[from]!, durationUs, ranUs, gcUs };
}

/** Intervals between two samples; a longer gap is a thread that waited for a core: then nobody takes its samples. */
const MISSED = 2;

/**
 * The part of a sample's time in which the thread ran. On a crowded host a stall of 238 ms held 124 ms of samples; on a
 * free one, and in calls that wait in the kernel, 93 to 100 % of it.
 */
function ranWithin({ sampleUs, intervalUs }: CallTree, sample: number): number {
  const us = sampleUs[sample]!;
  return us > MISSED * intervalUs ? intervalUs : us;
}

/** How a function stands on the stack within stalls: a stand is a stretch of samples that all hold it. */
export interface Stands {
  /** The longest, without the time in which the thread waited for a core. */
  readonly longestUs: number;
  /** All of them, measured like it. */
  readonly ranUs: number;
  readonly count: number;
  /** Of the stalls, those with a stand. */
  readonly stalls: number;
  /** Each stand by itself, measured like the longest. */
  readonly lengthsUs: readonly number[];
}

/** The stands of the frame with this index. */
export function standsOf(tree: CallTree, of: readonly Stall[], frame: number): Stands {
  const callers = callersOf(tree, frame);
  const told = { longestUs: 0, ranUs: 0, count: 0, stalls: 0 };
  const lengthsUs: number[] = [];
  for (const { from, to } of of) {
    const before = told.count;
    let run = 0;
    for (let at = from; at < to; at++) {
      const node = tree.sampleNode[at]!;
      const isOn = onStack(tree, node, frame);
      if (isOn && run === 0) told.count = lengthsUs.push(0);
      if (isOn) told.ranUs += ranWithin(tree, at);
      run = isOn || (run > 0 && (!isWork(tree, node) || callers.has(node))) ? run + ranWithin(tree, at) : 0;
      if (run > 0) lengthsUs[lengthsUs.length - 1] = run;
      told.longestUs = Math.max(told.longestUs, run);
    }
    if (told.count > before) told.stalls++;
  }
  return { ...told, lengthsUs };
}

/** V8 lays some samples of a function it inlined to the caller alone: those don't end the call. */
function callersOf(tree: CallTree, frame: number): Set<number> {
  const callers = new Set<number>();
  for (let node = 0; node < tree.nodeCount; node++) if (tree.frameOf[node] === frame) callers.add(tree.parent[node]!);
  return callers;
}

function onStack(tree: CallTree, node: number, frame: number): boolean {
  for (let at = node; at >= 0; at = tree.parent[at]!) if (tree.frameOf[at] === frame) return true;
  return false;
}
