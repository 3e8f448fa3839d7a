import type { ServedRequest } from '../model/evidence/async-dump.js';
import { keyOf } from './flow.js';
import { calledPackage, codeFrame, type Frame, innermostPackage, placeKey, type Wait, type Waits } from './waits.js';

/** Waits of one route at one place, over the recorded requests of the window. Times in milliseconds. */
export interface PlaceWaits {
  readonly route: string;
  readonly place: Frame;
  readonly user: readonly Frame[];
  /** The program's own function that a package or Node called: a resolver, a handler. */
  readonly entry: Frame | undefined;
  readonly package: string | undefined;
  /** The package that made the promise which the application's own code awaits: a driver, often. */
  readonly maker: string | undefined;
  /** The package that the application called for it; a driver's pool or a client's promise lies deeper. */
  readonly called: string | undefined;
  readonly requests: number;
  readonly perRequest: number;
  /** Union of its waits ÷ the wall time of the requests that have some, 0..1. */
  readonly share: number;
  /** Sum ÷ union: 1 is one after the other. */
  readonly overlap: number;
  readonly meanMs: number;
  /** At how many different milliseconds those of one request end: one, where a batch answers all of them. */
  readonly endings: number;
  readonly wallMs: number;
  readonly natives: readonly string[];
  /** The longest time limit that was set together with such a wait, in milliseconds; 0 without one. */
  readonly limitMs: number;
}

/** Requests shorter than this have nothing worth dividing. */
const LEAST_WALL_MS = 5;

interface Sum {
  readonly route: string;
  readonly wait: Wait;
  /** Who of the program's own waited, by place. */
  readonly callers: Map<string, { readonly user: readonly Frame[]; count: number }>;
  readonly maker: string | undefined;
  readonly called: string | undefined;
  readonly natives: Set<string>;
  readonly entries: Map<string, { readonly frame: Frame; count: number }>;
  requests: number;
  limitMs: number;
  count: number;
  /** Of the requests that wait there: one route may serve many operations (GraphQL, RPC). */
  wall: number;
  union: number;
  total: number;
  endings: number;
}

/**
 * Where the requests of each route spend their time, most of it first. Of one under way the settled waits may not have
 * been read: whoever counts steps asks for the finished alone.
 */
export function waitsByPlace(waits: Waits, which: 'all' | 'finished' = 'all'): PlaceWaits[] {
  const sums = new Map<string, Sum>();
  for (const request of waits.dump.requests) {
    const own = request.recorded ? waits.ofRequest(request.index) : [];
    const end = request.end || waits.dump.windowMs;
    if (
      own.length === 0 ||
      (which === 'finished' && request.end === 0) ||
      isPartlyRead(request, own) ||
      request.aborted ||
      request.headersSent !== request.end > 0 ||
      end - request.at < LEAST_WALL_MS
    )
      continue;
    addRequest(waits, request, own, end, sums);
  }
  return [...sums.values()].map(toPlace).sort((a, b) => b.share * b.wallMs - a.share * a.wallMs);
}

/**
 * Of a finished request that was not chosen only what is still pending and moments (which end as they begin) have been
 * read: it says nothing of its time.
 */
const isPartlyRead = (request: ServedRequest, own: readonly Wait[]): boolean =>
  request.end > 0 && own.every(wait => wait.end <= wait.at);

function addRequest(
  waits: Waits,
  request: ServedRequest,
  own: readonly Wait[],
  end: number,
  sums: Map<string, Sum>,
): void {
  const route = keyOf(request);
  const byPlace = new Map<string, Wait[]>();
  for (const wait of own) {
    if (!waits.isLeaf(wait)) continue;
    const key = placeKey(codeFrame(wait));
    if (key) byPlace.set(key, [...(byPlace.get(key) ?? []), wait]);
  }
  for (const [key, list] of byPlace) {
    const id = `${route} ${key}`;
    const first = list[0] as Wait; // a group has a member
    const awaited = waits.awaited(first);
    const sum = sums.get(id) ?? {
      route,
      wait: first,
      callers: new Map(),
      maker: awaited && innermostPackage(awaited),
      called: calledPackage(awaited ?? first) ?? calledPackage(first),
      natives: new Set<string>(),
      entries: new Map(),
      requests: 0,
      limitMs: 0,
      count: 0,
      wall: 0,
      union: 0,
      total: 0,
      endings: 0,
    };
    sums.set(id, sum);
    // An await and the native resource beneath it are one wait.
    const promises = list.filter(wait => wait.kind !== 'native');
    const counted = largestOf(promises.length > 0 ? promises : list);
    for (const wait of counted) {
      noteEntry(sum, wait);
      noteCaller(sum, wait.user.length > 0 ? wait.user : enclosing(own, wait));
    }
    sum.requests++;
    sum.wall += end - request.at;
    sum.count += counted.length;
    const spans = counted.map(wait => [wait.at, wait.end > 0 ? Math.min(wait.end, end) : end] as const);
    sum.union += unionOf(spans);
    sum.endings += new Set(spans.map(([, to]) => Math.round(to))).size;
    sum.total += spans.reduce((all, [from, to]) => all + Math.max(0, to - from), 0);
    for (const native of list.flatMap(wait => waits.beneath(wait))) {
      sum.natives.add(native.type);
      sum.limitMs = Math.max(sum.limitMs, (native.type === 'Timeout' && native.detail?.ms) || 0);
    }
  }
}

function noteCaller({ callers }: Sum, user: readonly Frame[]): void {
  const key = placeKey(user[0]);
  const known = callers.get(key);
  if (known) known.count++;
  else if (user.length > 0) callers.set(key, { user, count: 1 });
}

const mostOf = <T extends { readonly count: number }>(counted: ReadonlyMap<string, T>): T | undefined =>
  [...counted.values()].sort((a, b) => b.count - a.count)[0];

/** Packages that chain promises of their own lose who called; the newest await of the program that lasts as long has not. */
function enclosing(own: readonly Wait[], inner: Wait): readonly Frame[] {
  const endOf = ({ end }: Wait): number => (end > 0 ? end : Number.POSITIVE_INFINITY);
  const around = own.filter(
    wait => wait.kind === 'await' && wait.user.length > 0 && wait.at <= inner.at && endOf(wait) >= endOf(inner),
  );
  return around.sort((a, b) => b.at - a.at)[0]?.user ?? [];
}

/** One call of `fetch` waits at several lines inside of Node or a package: those of one line are the calls. */
function largestOf(waits: readonly Wait[]): readonly Wait[] {
  const byLine = new Map<string, Wait[]>();
  for (const wait of waits) {
    const key = placeKey(wait.frames.find(frame => frame.kind !== 'builtin'));
    byLine.set(key, [...(byLine.get(key) ?? []), wait]);
  }
  return [...byLine.values()].sort((a, b) => b.length - a.length || lengthOf(b) - lengthOf(a))[0] ?? waits;
}

const lengthOf = (waits: readonly Wait[]): number =>
  waits.reduce((sum, { at, end }) => sum + (end > 0 ? end - at : 0), 0);

function noteEntry({ entries }: Sum, wait: Wait): void {
  const frame = entryOf(wait);
  const key = placeKey(frame);
  const entry = entries.get(key);
  if (entry) entry.count++;
  else if (frame) entries.set(key, { frame, count: 1 });
}

/** How much time these spans cover together, in milliseconds. */
export function unionOf(spans: readonly (readonly [number, number])[]): number {
  let covered = 0;
  let reached = Number.NEGATIVE_INFINITY;
  for (const [from, to] of [...spans].sort((a, b) => a[0] - b[0])) {
    covered += Math.max(0, to - Math.max(from, reached));
    reached = Math.max(reached, to);
  }
  return covered;
}

/** Outwards from the innermost frame of the program's own, as far as it called itself. */
function entryOf({ frames, user }: Wait): Frame | undefined {
  let entry: Frame | undefined;
  for (const frame of frames.slice(frames.indexOf(user[0] as Frame))) {
    if (frame.kind === 'user') entry = frame;
    else if (frame.kind !== 'builtin') break;
  }
  return entry;
}

function toPlace(sum: Sum): PlaceWaits {
  return {
    route: sum.route,
    place: codeFrame(sum.wait) as Frame, // only waits with a place are summed
    user: mostOf(sum.callers)?.user ?? [],
    entry: mostOf(sum.entries)?.frame,
    package: innermostPackage(sum.wait),
    maker: sum.maker,
    called: sum.called,
    requests: sum.requests,
    perRequest: Math.round((sum.count / sum.requests) * 10) / 10,
    share: Math.round((sum.union / sum.wall) * 100) / 100,
    overlap: Math.round((sum.total / Math.max(sum.union, 0.01)) * 10) / 10,
    meanMs: Math.round((sum.total / sum.count) * 10) / 10,
    endings: Math.round(sum.endings / sum.requests),
    wallMs: Math.round(sum.wall / sum.requests),
    natives: [...sum.natives],
    limitMs: sum.limitMs,
  };
}
