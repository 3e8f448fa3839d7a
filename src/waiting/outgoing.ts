import type { OutgoingCall } from '../model/evidence/async-dump.js';
import { quantile } from './flow.js';

/** Outgoing calls to one host and path template. Times in milliseconds until the answer's headers. */
export interface CallGroup {
  readonly target: string;
  readonly host: string;
  readonly count: number;
  readonly answered: number;
  /** 5xx, 429 and connection errors. */
  readonly failed: number;
  readonly open: number;
  readonly oldestOpenMs: number;
  readonly unread: number;
  readonly p50Ms: number;
  readonly maxMs: number;
  /** Requests of the target that made such calls, and the mean number of calls of one. 0 when they aren't known. */
  readonly requests: number;
  readonly perRequest: number;
  /** Each request asks the same targets, each of them once: shards, mirrors, services. An item's address changes. */
  readonly fanOut: boolean;
  /** Of the calls that follow another of the same request, how many follow one that failed, 0..1. */
  readonly afterFailure: number;
  /** Mean pause between the calls of one request, and how much they differ (0: all the same). */
  readonly gapMs: number;
  readonly lastStatus: number;
}

const TOO_MANY = 429;

export const isFailed = (call: OutgoingCall): boolean =>
  call.status >= 500 || call.status === TOO_MANY || call.status === -1;

/** Grouped by method, host and path, most calls first. */
export function callGroups(calls: readonly OutgoingCall[], windowMs: number): CallGroup[] {
  const groups = new Map<string, OutgoingCall[]>();
  for (const call of calls) {
    const key = `${call.method} ${call.host}${call.path}`;
    const group = groups.get(key);
    if (group) group.push(call);
    else groups.set(key, [call]);
  }
  return [...groups].map(([target, group]) => groupOf(target, group, windowMs)).sort((a, b) => b.count - a.count);
}

function groupOf(target: string, calls: readonly OutgoingCall[], windowMs: number): CallGroup {
  const answered = calls.filter(call => call.answeredAt > 0);
  const open = calls.filter(call => call.state === 'no-answer');
  const times = answered.map(call => call.answeredAt - call.at).sort((a, b) => a - b);
  const byRequest = new Map<number, OutgoingCall[]>();
  for (const call of calls)
    if (call.request) byRequest.set(call.request, [...(byRequest.get(call.request) ?? []), call]);
  const gaps = [...byRequest.values()].flatMap(gapsBetween);
  const owned = [...byRequest.values()].reduce((sum, list) => sum + list.length, 0);
  return {
    target,
    host: calls[0]?.host ?? '',
    count: calls.length,
    answered: answered.length,
    failed: calls.filter(isFailed).length,
    open: open.length,
    oldestOpenMs: Math.round(open.reduce((most, call) => Math.max(most, windowMs - call.at), 0)),
    unread: calls.filter(call => call.state === 'unread').length,
    p50Ms: quantile(times, 0.5),
    maxMs: quantile(times, 1),
    requests: byRequest.size,
    perRequest: byRequest.size ? Math.round((owned / byRequest.size) * 10) / 10 : 0,
    fanOut: isFanOut([...byRequest.values()]),
    afterFailure: afterFailure([...byRequest.values()]),
    gapMs: gaps.length ? Math.round(gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length) : 0,
    lastStatus: answered.at(-1)?.status ?? 0,
  };
}

/** With fewer requests any set is the same. */
const LEAST_FANS = 3;
/** The first and the last request of a window are seen in part. */
const ALIKE = 0.8;
/** Other routes ask one of the same targets: only those that ask for many are compared. */
const MANY = 0.5;

function isFanOut(requests: readonly (readonly OutgoingCall[])[]): boolean {
  const most = Math.max(0, ...requests.map(calls => calls.length));
  const wide = requests.filter(calls => calls.length >= MANY * most);
  const sets = wide.map(calls => new Set(calls.map(call => call.target)));
  const all = new Set(sets.flatMap(set => [...set]));
  const isWhole = (set: ReadonlySet<unknown>, i: number) =>
    set.size >= ALIKE * (wide[i]?.length ?? 0) && set.size >= ALIKE * all.size;
  return wide.length >= LEAST_FANS && !all.has(undefined) && sets.filter(isWhole).length >= ALIKE * wide.length;
}

function afterFailure(requests: readonly (readonly OutgoingCall[])[]): number {
  const followed = requests.flatMap(calls => [...calls].sort((a, b) => a.at - b.at).slice(0, -1));
  return followed.length > 0 ? followed.filter(isFailed).length / followed.length : 0;
}

function gapsBetween(calls: readonly OutgoingCall[]): number[] {
  const sorted = [...calls].sort((a, b) => a.at - b.at);
  return sorted.slice(1).map((call, i) => call.at - Math.max(sorted[i]?.answeredAt ?? 0, sorted[i]?.at ?? 0));
}
