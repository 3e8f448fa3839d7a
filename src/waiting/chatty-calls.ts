import type { OutgoingCall, ServedRequest } from '../model/evidence/async-dump.js';
import { callerOf } from './callers.js';
import { CHATTY_WAITS, fromPlace, isOneByOne } from './downstream.js';
import type { Context, Finding } from './finding.js';
import { keyOf } from './flow.js';
import { isFailed } from './outgoing.js';
import { type PlaceWaits, unionOf } from './places.js';
import { calledPackage } from './waits.js';

/** Requests of a route that are seen to do it: of fewer it may be a job of its own. */
const LEAST_READ = 2;
const SHARE = 0.5;
const MOST_FAILED = 0.5;

interface Reader {
  readonly request: ServedRequest;
  readonly calls: readonly OutgoingCall[];
}

/**
 * The same told by the calls alone: of requests that outlast the window, and of a window with more waits than are kept, not
 * each wait is read; each call is.
 */
export function chattyCalls(context: Context): Finding[] {
  const byRoute = new Map<string, Reader[]>();
  for (const reader of readersOf(context)) {
    const route = keyOf(reader.request);
    byRoute.set(route, [...(byRoute.get(route) ?? []), reader]);
  }
  return [...byRoute].flatMap(([route, readers]) => {
    const waits = readers.length < LEAST_READ ? undefined : waitsOf(route, readers, context);
    return waits && isOneByOne(waits) && waits.share >= SHARE ? [findingOf(waits, readers, context)] : [];
  });
}

/** Requests with many calls to one target, with those calls. */
function readersOf({ dump }: Context): Reader[] {
  const byRequest = new Map<number, Map<string, OutgoingCall[]>>();
  for (const call of dump.calls) {
    const targets = byRequest.get(call.request) ?? new Map<string, OutgoingCall[]>();
    byRequest.set(call.request, targets);
    targets.set(targetOf(call), [...(targets.get(targetOf(call)) ?? []), call]);
  }
  return dump.requests.flatMap(request => {
    const most = [...(byRequest.get(request.index)?.values() ?? [])].sort((a, b) => b.length - a.length)[0] ?? [];
    const isMany = most.length > CHATTY_WAITS && most.filter(isFailed).length < MOST_FAILED * most.length;
    return isMany && !request.aborted ? [{ request, calls: most }] : [];
  });
}

const targetOf = ({ method, host, path }: OutgoingCall): string => `${method} ${host}${path}`;

/** What a place's waits would say; undefined where nobody of the application is seen to make these calls. */
function waitsOf(route: string, readers: readonly Reader[], { waits, calls, dump }: Context): PlaceWaits | undefined {
  const target = targetOf(readers[0]?.calls[0] as OutgoingCall); // a reader has calls
  const group = calls.find(one => one.target === target);
  const caller = group && callerOf(waits, group, new Set(readers.map(({ request }) => request.index)));
  const place = caller?.user[0];
  if (!caller || !place) return undefined;
  const wall = sum(readers.map(({ request }) => (request.end || dump.windowMs) - request.at));
  const spans = readers.map(reader => spansOf(reader, dump.windowMs));
  const union = sum(spans.map(unionOf));
  const total = sum(spans.flat().map(([from, to]) => to - from));
  const count = spans.flat().length;
  const name = calledPackage(caller.wait);
  return {
    route,
    place,
    user: caller.user,
    entry: caller.user.at(-1),
    package: name,
    maker: name,
    called: name,
    requests: readers.length,
    perRequest: Math.round((count / readers.length) * 10) / 10,
    share: Math.round((union / wall) * 100) / 100,
    overlap: Math.round((total / Math.max(union, 0.01)) * 10) / 10,
    meanMs: Math.round((total / count) * 10) / 10,
    endings: Math.round(count / readers.length),
    wallMs: Math.round(wall / readers.length),
    natives: [],
    limitMs: 0,
  };
}

const sum = (values: readonly number[]): number => values.reduce((all, value) => all + value, 0);

const spansOf = ({ calls }: Reader, windowMs: number) =>
  calls.map(call => [call.at, call.answeredAt || call.end || windowMs] as const);

function findingOf(waits: PlaceWaits, readers: readonly Reader[], { routes, calls }: Context): Finding {
  const target = targetOf(readers[0]?.calls[0] as OutgoingCall); // a reader has calls
  const call = calls.find(one => one.target === target);
  return {
    ...fromPlace(waits, routes),
    package: waits.called,
    faultClass: 'downstream.chatty',
    confidence: 'high',
    waits,
    ...(call && { call: { ...call, perRequest: waits.perRequest } }),
  };
}
