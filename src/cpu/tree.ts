import { isNodeInternal, isOwnCode, isUserCode, packageOf } from '../base/script-url.js';
import type { V8CallFrame, V8CpuProfile } from '../model/evidence/v8-cpu-profile.js';

/**
 * user: the application's file; package: under node_modules; node: Node's JavaScript; native: C++ without a script;
 * regexp: an irregexp frame; evaluated: text compiled at run time; lens: what lens brought; the rest are V8's own marks.
 */
export type FrameKind =
  | 'user'
  | 'package'
  | 'node'
  | 'native'
  | 'regexp'
  | 'evaluated'
  | 'wasm'
  | 'lens'
  | 'gc'
  | 'idle'
  | 'program'
  | 'root';

/** One function of a profile; two nodes of the tree with the same function share it. 0-based like V8. */
export interface Frame {
  readonly functionName: string;
  readonly scriptId: string;
  readonly url: string;
  readonly line: number;
  readonly column: number;
  readonly kind: FrameKind;
  readonly package?: string;
}

/** A profile as flat arrays: nodes are ordinals in an order where parents come first; times in microseconds. */
export interface CallTree {
  readonly nodeCount: number;
  /** Ordinal of the parent, −1 for the root. */
  readonly parent: Int32Array;
  /** Index into `frames`. */
  readonly frameOf: Int32Array;
  readonly frames: readonly Frame[];
  /** Per node: V8's ticks by 1-based line. */
  readonly ticks: readonly (readonly { readonly line: number; readonly ticks: number }[] | undefined)[];
  /** Node of each sample in the order of time, and how long it stood. */
  readonly sampleNode: Int32Array;
  readonly sampleUs: Float64Array;
  /** Start of each sample since the profile began. */
  readonly sampleAtUs: Float64Array;
  readonly durationUs: number;
  /** Half of the samples stand no longer: the profiler's interval as it was kept. */
  readonly intervalUs: number;
  /** 1 for nodes beneath lens' own frames. */
  readonly lensNodes: Uint8Array;
}

/** A gap beyond this many medians between samples is the profiler's own silence, not the function's time. */
const MAX_GAP_US = 60_000_000;

/** Turns V8's profile into flat arrays; Never throws on odd but well-formed input. */
export function callTree(profile: V8CpuProfile): CallTree {
  const order = parentsFirst(profile);
  const ordinalOf = new Map(order.map((at, ordinal) => [profile.nodes[at]!.id, ordinal]));
  const { frames, frameOf } = framesOf(profile, order);
  const parent = new Int32Array(order.length).fill(-1);
  for (const [ordinal, at] of order.entries())
    for (const child of profile.nodes[at]!.children ?? []) parent[ordinalOf.get(child) ?? 0] = ordinal;
  return {
    nodeCount: order.length,
    parent,
    frameOf,
    frames,
    ticks: order.map(at => profile.nodes[at]!.positionTicks),
    ...samplesOf(profile, ordinalOf),
    durationUs: Math.max(0, profile.endTime - profile.startTime),
    lensNodes: beneathLens(parent, frameOf, frames),
  };
}

/** The same tree with functions of packages told apart that a bundle carries in the application's own file. */
export function unbundled(tree: CallTree, ownerOf: (frame: Frame) => string | undefined): CallTree {
  const frames = tree.frames.map((frame): Frame => {
    const owner = frame.kind === 'user' ? ownerOf(frame) : undefined;
    return owner === undefined ? frame : { ...frame, kind: 'package', package: owner };
  });
  return { ...tree, frames };
}

function beneathLens(parent: Int32Array, frameOf: Int32Array, frames: readonly Frame[]): Uint8Array {
  const marks = new Uint8Array(parent.length);
  for (let node = 0; node < parent.length; node++) {
    const above = parent[node]!;
    marks[node] = frames[frameOf[node]!]!.kind === 'lens' || (above >= 0 && marks[above]) ? 1 : 0;
  }
  return marks;
}

/** Indices of the profile's nodes, each parent before its children; nodes that no one names as a child are roots. */
function parentsFirst({ nodes }: V8CpuProfile): number[] {
  const at = new Map(nodes.map((node, index) => [node.id, index]));
  const children = new Set(nodes.flatMap(node => node.children ?? []));
  const order = nodes.flatMap((node, index) => (children.has(node.id) ? [] : [index]));
  const seen = new Set(order);
  for (let next = 0; next < order.length; next++) {
    for (const id of nodes[order[next]!]!.children ?? []) {
      const index = at.get(id);
      if (index === undefined || seen.has(index)) continue;
      seen.add(index);
      order.push(index);
    }
  }
  return order;
}

function framesOf({ nodes }: V8CpuProfile, order: readonly number[]): Pick<CallTree, 'frames' | 'frameOf'> {
  const frames: Frame[] = [];
  const known = new Map<string, number>();
  const frameOf = Int32Array.from(order, at => {
    const frame = nodes[at]!.callFrame;
    const key = `${frame.scriptId} ${frame.lineNumber} ${frame.columnNumber} ${frame.functionName} ${frame.url}`;
    const index = known.get(key) ?? frames.push(toFrame(frame)) - 1;
    known.set(key, index);
    return index;
  });
  return { frames, frameOf };
}

function toFrame({ functionName, scriptId, url, lineNumber, columnNumber }: V8CallFrame): Frame {
  const kind = kindOf(functionName, scriptId, url);
  const owner = kind === 'package' ? packageOf(url) : undefined;
  const place = { functionName, scriptId, url, line: lineNumber, column: columnNumber, kind };
  return owner === undefined ? place : { ...place, package: owner };
}

const MARKS: { readonly [name: string]: FrameKind } = {
  '(root)': 'root',
  '(idle)': 'idle',
  '(program)': 'program',
  '(garbage collector)': 'gc',
};

function kindOf(name: string, scriptId: string, url: string): FrameKind {
  const mark = url === '' ? MARKS[name] : undefined;
  if (mark) return mark;
  if (isOwnCode(url) || url === 'node:inspector' || url === 'node:internal/inspector_async_hook') return 'lens';
  if (name.startsWith('RegExp: ')) return 'regexp';
  if (isNodeInternal(url)) return 'node';
  if (url.startsWith('wasm:')) return 'wasm';
  // A program given by `node -e` or typed into a REPL has no file, and is the application all the same.
  if (isUserCode(url) || /^(\[eval\d*\]|REPL\d+)$/.test(url)) return 'user';
  if (url === '') return scriptId === '0' ? 'native' : 'evaluated';
  return packageOf(url) === undefined ? 'evaluated' : 'package';
}

/** A sample stands until the next one comes; V8's deltas may be negative, so samples are put in order first. */
function samplesOf(profile: V8CpuProfile, ordinalOf: ReadonlyMap<number, number>) {
  const samples = profile.samples ?? [];
  let at = 0;
  const times = Float64Array.from(samples, (_, index) => (at += profile.timeDeltas?.[index] ?? 0));
  const order = Int32Array.from(samples, (_, index) => index).sort((a, b) => times[a]! - times[b]!);
  const sampleAtUs = Float64Array.from(order, index => times[index]!);
  const end = Math.max(profile.endTime - profile.startTime, sampleAtUs.at(-1) ?? 0);
  const sampleUs = sampleAtUs.map((start, index) => Math.min(MAX_GAP_US, (sampleAtUs[index + 1] ?? end) - start));
  const sampleNode = Int32Array.from(order, index => ordinalOf.get(samples[index]!) ?? 0);
  const intervalUs = sampleUs.toSorted()[sampleUs.length >> 1] ?? 0;
  return { sampleNode, sampleUs, sampleAtUs, intervalUs };
}

/** The frame of a node. */
export function frameAt(tree: CallTree, node: number): Frame {
  return tree.frames[tree.frameOf[node]!]!;
}

/** Nodes from the outermost call to `node`, the root left out. */
export function pathTo(tree: CallTree, node: number): number[] {
  const path: number[] = [];
  for (let at = node; at >= 0 && tree.parent[at]! >= 0; at = tree.parent[at]!) path.push(at);
  return path.reverse();
}

/** What a reader calls a frame: its name, or where it stands. */
export function frameName(frame: Frame): string {
  return frame.functionName || '(anonymous)';
}
