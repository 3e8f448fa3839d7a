import { isUserCode, packageOf } from '../../base/script-url.js';
import type { HeapSampling, V8SamplingNode } from '../../model/evidence/heap-sampling.js';
import type { V8CallFrame } from '../../model/evidence/v8-cpu-profile.js';

/** Bytes by the application's innermost function on the stack. */
export interface AllocationSite {
  readonly frame: V8CallFrame;
  readonly bytes: number;
  /** Of everything sampled, 0..1. */
  readonly share: number;
  /** The function that allocated, when it is not the application's own. */
  readonly leaf?: V8CallFrame;
  /** Packages between, outermost first. */
  readonly through: readonly string[];
  /** Those of them that it calls itself, not by way of another. */
  readonly into: readonly string[];
  /** The function that it called, when most of the bytes came from there: `insert`, `LRUCache`. */
  readonly callee?: string;
}

/** The package that a frame of the application's own file belongs to where the file is a bundle. */
export type OwnerOf = (frame: V8CallFrame) => string | undefined;

interface Sum {
  readonly frame: V8CallFrame;
  bytes: number;
  leaf: { readonly frame: V8CallFrame; readonly bytes: number } | undefined;
  readonly through: Set<string>;
  readonly into: Set<string>;
  readonly callees: Map<string, number>;
}

interface Pending {
  readonly node: V8SamplingNode;
  readonly user: Sum | undefined;
  readonly between: readonly string[];
  /** The first function below the application's. */
  readonly callee: string | undefined;
}

/** Who allocates, by the innermost application function, most bytes first. What no application frame caused is left out. */
export function allocationSites(
  profile: Pick<HeapSampling, 'head' | 'bytes'>,
  ownerOf: OwnerOf = () => undefined,
): AllocationSite[] {
  const sums = new Map<string, Sum>();
  const pending: Pending[] = [{ node: profile.head, user: undefined, between: [], callee: undefined }];
  for (let next = pending.pop(); next; next = pending.pop()) {
    const { callFrame } = next.node;
    const owner = isUserCode(callFrame.url) ? ownerOf(callFrame) : packageOf(callFrame.url);
    const own = isUserCode(callFrame.url) && owner === undefined;
    const user = own ? sumFor(sums, callFrame) : next.user;
    const between = own ? [] : extended(next.between, owner);
    const callee = own ? undefined : (next.callee ?? lastName(callFrame.functionName));
    if (user) book(user, { ...next, between, callee }, own);
    for (const node of next.node.children) pending.push({ node, user, between, callee });
  }
  return [...sums.values()]
    .filter(sum => sum.bytes > 0)
    .sort((a, b) => b.bytes - a.bytes)
    .map(sum => siteOf(sum, profile.bytes));
}

function book(sum: Sum, { node: { callFrame, selfSize }, between, callee }: Pending, own: boolean): void {
  sum.bytes += selfSize;
  if (callee !== undefined) sum.callees.set(callee, (sum.callees.get(callee) ?? 0) + selfSize);
  if (selfSize === 0) return;
  for (const name of between) sum.through.add(name);
  if (between[0] !== undefined) sum.into.add(between[0]);
  if (!own && selfSize > (sum.leaf?.bytes ?? 0)) sum.leaf = { frame: callFrame, bytes: selfSize };
}

function sumFor(sums: Map<string, Sum>, frame: V8CallFrame): Sum {
  const key = `${frame.scriptId}:${frame.lineNumber}:${frame.columnNumber}`;
  const sum = sums.get(key) ?? newSum(frame);
  sums.set(key, sum);
  return sum;
}

const newSum = (frame: V8CallFrame): Sum => ({
  ...{ frame, bytes: 0, leaf: undefined },
  ...{ through: new Set<string>(), into: new Set<string>(), callees: new Map<string, number>() },
});

/** A function that has this share of a site's bytes is the one to name: no two have. */
const CALLEE_SHARE = 0.5;

/** `update` of `Collection.update`: V8 adds whose method it is where it can tell. */
const lastName = (functionName: string): string | undefined => functionName.split('.').at(-1) || undefined;

function siteOf({ frame, bytes, leaf, through, into, callees }: Sum, total: number): AllocationSite {
  const callee = [...callees].find(([, share]) => share > bytes * CALLEE_SHARE)?.[0];
  return {
    frame,
    bytes,
    share: total > 0 ? bytes / total : 0,
    ...(leaf && leaf.bytes > bytes / 2 && { leaf: leaf.frame }),
    through: [...through],
    into: [...into],
    ...(callee !== undefined && { callee }),
  };
}

const extended = (names: readonly string[], name: string | undefined): readonly string[] =>
  name === undefined || names.at(-1) === name ? names : [...names, name];
