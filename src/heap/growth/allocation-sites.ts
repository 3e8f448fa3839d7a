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
}

interface Sum {
  readonly frame: V8CallFrame;
  bytes: number;
  leaf: { readonly frame: V8CallFrame; readonly bytes: number } | undefined;
  readonly through: Set<string>;
}

/** Who allocates, by the innermost application function, most bytes first. What no application frame caused is left out. */
export function allocationSites(profile: Pick<HeapSampling, 'head' | 'bytes'>): AllocationSite[] {
  const sums = new Map<string, Sum>();
  const pending: { node: V8SamplingNode; user: Sum | undefined; between: readonly string[] }[] = [
    { node: profile.head, user: undefined, between: [] },
  ];
  for (let next = pending.pop(); next; next = pending.pop()) {
    const { callFrame } = next.node;
    const own = isUserCode(callFrame.url);
    const user = own ? sumFor(sums, callFrame) : next.user;
    const between = own ? [] : extended(next.between, packageOf(callFrame.url));
    if (user) book(user, next.node, own, between);
    for (const node of next.node.children) pending.push({ node, user, between });
  }
  return [...sums.values()]
    .filter(sum => sum.bytes > 0)
    .sort((a, b) => b.bytes - a.bytes)
    .map(sum => siteOf(sum, profile.bytes));
}

function book(sum: Sum, { callFrame, selfSize }: V8SamplingNode, own: boolean, between: readonly string[]): void {
  sum.bytes += selfSize;
  if (selfSize === 0) return;
  for (const name of between) sum.through.add(name);
  if (!own && selfSize > (sum.leaf?.bytes ?? 0)) sum.leaf = { frame: callFrame, bytes: selfSize };
}

function sumFor(sums: Map<string, Sum>, frame: V8CallFrame): Sum {
  const key = `${frame.scriptId}:${frame.lineNumber}:${frame.columnNumber}`;
  const sum = sums.get(key) ?? { frame, bytes: 0, leaf: undefined, through: new Set<string>() };
  sums.set(key, sum);
  return sum;
}

function siteOf({ frame, bytes, leaf, through }: Sum, total: number): AllocationSite {
  return {
    frame,
    bytes,
    share: total > 0 ? bytes / total : 0,
    ...(leaf && leaf.bytes > bytes / 2 && { leaf: leaf.frame }),
    through: [...through],
  };
}

const extended = (names: readonly string[], name: string | undefined): readonly string[] =>
  name === undefined || names.at(-1) === name ? names : [...names, name];
