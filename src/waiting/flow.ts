import type { ServedRequest } from '../model/evidence/async-dump.js';
import type { InFlight, RouteInFlight } from '../model/evidence/in-flight.js';

/** What both a dump and a traffic reading hold about requests in. */
export interface Flowing {
  readonly windowMs: number;
  readonly before: InFlight;
  readonly after: InFlight;
  readonly requests: readonly ServedRequest[];
  readonly finishedBefore: readonly { readonly method: string; readonly route: string; readonly count: number }[];
}

/** One route over the window. Times in milliseconds. */
export interface RouteFlow {
  readonly route: string;
  readonly before: number;
  readonly after: number;
  readonly in: number;
  readonly out: number;
  /** Of these, those that had begun before the window. */
  readonly outOld: number;
  readonly failed: number;
  /** Little's law: mean in flight ÷ throughput. Infinity when nothing came out. */
  readonly waitMs: number;
  readonly p50Ms: number;
  readonly p95Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
  /** The most in flight at once within the window. */
  readonly peak: number;
  /** In flight in both scans, and their longest known age. */
  readonly held: number;
  readonly heldMs: number;
  /** Open with its headers sent: streams, open by design. */
  readonly streaming: number;
  /** Answers that have begun and stopped. */
  readonly dry?: number;
}

/** Fewer than this more in flight is the noise of two moments. */
const LEAST_GROWTH = 4;
/** Of what came in, this share stayed: measured routes with a leak of waiting requests keep 0.3 to 1. */
const GROWTH_SHARE = 0.15;
/** A route that answers nothing over a window has at least this many waiting to be called stuck. */
const LEAST_STUCK = 3;

/** Flow per route, busiest first. */
export function flows(reading: Flowing): RouteFlow[] {
  const keys = new Set<string>();
  for (const route of [
    ...reading.before.routes,
    ...reading.after.routes,
    ...reading.finishedBefore,
    ...reading.requests,
  ])
    keys.add(keyOf(route));
  return [...keys].map(key => flowOf(key, reading)).sort((a, b) => b.in + b.after - (a.in + a.after));
}

/** Nothing comes out, or what comes in stays. */
export function isStuck(flow: RouteFlow): boolean {
  const waiting = flow.after - flow.streaming;
  if (waiting < LEAST_STUCK) return false;
  if (flow.out === 0) return flow.in > 0 || flow.held >= LEAST_STUCK;
  return isGrowing(flow);
}

export function isGrowing(flow: RouteFlow): boolean {
  if (isDraining(flow)) return false;
  return flow.after - flow.before >= Math.max(LEAST_GROWTH, GROWTH_SHARE * flow.in) && flow.streaming < flow.after;
}

/** Many came at once and are being worked off: below this share of the most that were in flight. What piles up is at its peak. */
const DRAINED_SHARE = 0.75;

const isDraining = ({ peak, after }: RouteFlow): boolean =>
  peak - after >= LEAST_GROWTH && after <= DRAINED_SHARE * peak;

export const keyOf = (route: { readonly method: string; readonly route: string }): string =>
  `${route.method} ${route.route}`;

function flowOf(key: string, reading: Flowing): RouteFlow {
  const own = reading.requests.filter(request => keyOf(request) === key);
  const finished = own.filter(request => request.end > 0);
  const earlier = reading.finishedBefore.find(route => keyOf(route) === key)?.count ?? 0;
  const before = countIn(reading.before.routes, key);
  const afterRow = reading.after.routes.find(route => keyOf(route) === key);
  const after = afterRow?.count ?? 0;
  const out = finished.length + earlier;
  const times = finished.map(request => request.end - request.at).sort((a, b) => a - b);
  // Where none begins, or one ends now and then, they may be followed for ever, or take their time.
  const dry = afterRow?.dry ?? 0;
  const stopped = own.length > 0 && out === 0 && dry >= LEAST_STUCK ? dry : 0;
  return {
    route: key,
    before,
    after,
    peak: peakOf(own, before - earlier),
    in: own.length,
    out,
    outOld: earlier,
    failed: finished.filter(request => request.status >= 500).length,
    waitMs: out > 0 ? Math.round(((before + after) / 2 / out) * reading.windowMs) : Number.POSITIVE_INFINITY,
    p50Ms: quantile(times, 0.5),
    p95Ms: quantile(times, 0.95),
    p99Ms: quantile(times, 0.99),
    maxMs: quantile(times, 1),
    held: afterRow?.heldCount ?? 0,
    heldMs: afterRow?.heldMs ?? 0,
    streaming: (afterRow?.headersSent ?? 0) + dry - stopped,
    ...(stopped > 0 && { dry: stopped }),
  };
}

/** When those of before the window ended is not known: counted off from the start, so that the peak is rather too low. */
function peakOf(requests: readonly ServedRequest[], atFirst: number): number {
  const steps = requests.flatMap(({ at, end }) => [{ at, by: 1 }, ...(end > 0 ? [{ at: end, by: -1 }] : [])]);
  let now = Math.max(0, atFirst);
  let peak = now;
  for (const { by } of steps.sort((a, b) => a.at - b.at)) {
    now += by;
    peak = Math.max(peak, now);
  }
  return peak;
}

const countIn = (routes: readonly RouteInFlight[], key: string): number =>
  routes.find(route => keyOf(route) === key)?.count ?? 0;

/** Of ascending values; 0 when there are none. */
export function quantile(sorted: readonly number[], share: number): number {
  const value = sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
  return Math.round(value * 10) / 10;
}
