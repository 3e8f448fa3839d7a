import type { AsyncDump } from '../model/evidence/async-dump.js';
import type { Holder } from '../model/evidence/holders.js';
import { callerOf } from './callers.js';
import type { Base, Context, Finding } from './finding.js';
import { keyOf, type RouteFlow } from './flow.js';
import type { CallGroup } from './outgoing.js';
import type { PlaceWaits } from './places.js';
import { isExhausted, poolState, shapeOf } from './pools.js';
import { innermostPackage } from './waits.js';

/** Answers that take a second are slow whoever asks; a steady 300 ms is a service's own business. */
export const SLOW_CALL_MS = 1000;
/** Measured on N+1 services: 12 to 60 waits a request at one place; healthy handlers stay below 6. */
export const CHATTY_WAITS = 10;
export const CHATTY_OVERLAP = 1.3;
const CHATTY_SHARE = 0.5;
/** Below this a chatty request is still quick. */
const CHATTY_WALL_MS = 40;
/** All at once instead: a fan-out to shards or services has a dozen parts, a page of items has this many and more. */
const FLOOD_WAITS = 30;
const FLOOD_WALL_MS = 100;
/** What one batch answers ends in the same moment or two; a list that is asked over a pool ends piece by piece. */
const FLOOD_ENDINGS = 5;
const RETRY_FAILED = 0.8;
const RETRY_CALLS = 1.5;
/** Fewer calls or answers than this tell nothing of a place. */
export const LEAST_CALLS = 5;

/** The same call again and again although it keeps failing, or until it doesn't. */
export function retries(context: Context): Finding[] {
  return context.calls
    .filter(
      call =>
        call.perRequest >= RETRY_CALLS &&
        call.count >= LEAST_CALLS &&
        call.count > call.open &&
        (call.failed >= RETRY_FAILED * (call.count - call.open) || call.afterFailure >= RETRY_FAILED),
    )
    .map(call => ({ ...fromCall(call, context), faultClass: 'downstream.retries', confidence: 'high', call }) as const);
}

/** Many waits at one place that make up most of the request, one after the other or a whole list at once. */
export function chatty({ places, routes, calls, dump }: Context): Finding[] {
  const driven = talksToPeers(dump);
  return places
    .filter(
      place =>
        place.share >= CHATTY_SHARE &&
        (isOneByOne(place) || (isFlood(place) && !calls.some(call => call.perRequest > CHATTY_WAITS && call.fanOut))),
    )
    .filter(
      place => isRemote(place) || (driven && isDriven(place)) || calls.some(call => call.perRequest > CHATTY_WAITS),
    )
    .map(place => {
      const call = calls.find(group => group.perRequest > CHATTY_WAITS);
      return {
        ...fromPlace(place, routes),
        faultClass: 'downstream.chatty',
        confidence: isOneByOne(place) ? 'high' : 'medium',
        package: place.called,
        waits: place,
        ...(call ? { call } : {}),
      } as const;
    });
}

export const isOneByOne = ({ perRequest, overlap, wallMs }: PlaceWaits): boolean =>
  perRequest > CHATTY_WAITS && overlap <= CHATTY_OVERLAP && wallMs >= CHATTY_WALL_MS;

const isFlood = ({ perRequest, wallMs, endings }: PlaceWaits): boolean =>
  perRequest >= FLOOD_WAITS && wallMs >= FLOOD_WALL_MS && endings >= FLOOD_ENDINGS;

/** A flowing route that spends most of its time waiting for one slow answer. */
export function slowCalls(context: Context): Finding[] {
  const { calls, routes } = context;
  const slow = calls.filter(
    call =>
      call.requests > 1 &&
      call.failed < RETRY_FAILED * Math.max(1, call.answered) &&
      (call.p50Ms >= SLOW_CALL_MS || call.oldestOpenMs >= 2 * SLOW_CALL_MS),
  );
  return slow.slice(0, 1).flatMap(call => {
    const from = fromCall(call, context);
    const slowRoute = from.flow === undefined || from.flow.waitMs >= SLOW_CALL_MS * 0.5;
    return slowRoute && routes.length > 0
      ? [{ ...from, faultClass: 'downstream.slow', confidence: 'high', call } as const]
      : [];
  });
}

/** Who gives a wait a limit so much longer than it takes counts on waiting: a person confirms, a device moves. */
const EXPECTED = 10;

/** A flowing route whose driver (sockets of its own, no HTTP) takes a second and more for one answer. */
export function slowDrivers({ places, routes, dump, calls }: Context): Finding[] {
  if (!talksToPeers(dump)) return [];
  return places
    .filter(
      place =>
        (place.package !== undefined || isDriven(place)) &&
        place.meanMs >= SLOW_CALL_MS &&
        place.share >= CHATTY_SHARE &&
        place.limitMs < EXPECTED * place.meanMs &&
        place.requests > 1,
    )
    .filter(
      place =>
        !place.natives.includes('HTTPCLIENTREQUEST') &&
        !calls.some(call => call.p50Ms >= SLOW_CALL_MS || call.open > 0),
    )
    .slice(0, 1)
    .map(
      place =>
        ({ ...fromPlace(place, routes), faultClass: 'downstream.slow', confidence: 'medium', waits: place }) as const,
    );
}

/** From here on it is worth a look whether requests queue for something. */
const LATE_MS = 500;

/** Routes that answer, but late. */
export const lateRoutes = (routes: readonly RouteFlow[]): RouteFlow[] =>
  routes.filter(flow => flow.out >= LEAST_CALLS && flow.p50Ms >= LATE_MS);

/** Requests that come through, but stand in the queue of a full pool for most of their time. */
export function slowPools(context: Context): Finding[] {
  const { places, routes, holders } = context;
  const [driven] = slowDrivers(context);
  const late = lateRoutes(routes).sort((a, b) => b.out - a.out);
  const flow = late[0] ?? driven?.flow;
  const lateMs = late[0]?.p50Ms ?? driven?.waits?.meanMs ?? 0;
  const pool = flow && holders.find(holder => isQueuedIn(holder, lateMs));
  if (!pool) return [];
  const place = places.find(
    ({ route, user, meanMs }) => route === flow.route && user.length > 0 && meanMs >= lateMs / 2,
  );
  const names = [...new Set([...late, ...(driven?.flow ? [driven.flow] : [])].map(({ route }) => route))];
  const told = { flow, routes: names, requests: pool.waiting, oldestMs: lateMs, holder: pool } as const;
  return [{ ...fromPlace(place, routes), ...told, faultClass: 'pool.exhaustion', confidence: 'high' }];
}

/** In a pool each waits as many turns as are before it; where a single turn is slow, it is the other side that is. */
function isQueuedIn(holder: Holder, lateMs: number): boolean {
  if (!holder.waiters || shapeOf(holder) !== 'pool' || holder.name === 'Agent') return false;
  const state = poolState(holder);
  const used = state.used ?? state.max ?? 0;
  const turnMs = (lateMs * used) / Math.max(1, used + holder.waiting);
  return isExhausted(state) && used > 0 && holder.waiting >= used && turnMs < SLOW_CALL_MS;
}

/** A promise that a package made and nothing of this process settles: its socket is older than the window. */
export const isDriven = ({ maker, natives }: PlaceWaits): boolean => maker !== undefined && natives.length === 0;

export const talksToPeers = ({ after }: AsyncDump): boolean =>
  after.peers.some(peer => peer.peer !== 'local' && peer.bytesWritten > 0);

export const isRemote = (place: PlaceWaits): boolean =>
  place.package !== undefined || place.natives.some(type => type !== 'Timeout');

/** The base of what is known by its outgoing calls: who awaits them, on which routes. */
function fromCall(call: CallGroup, { waits, routes, dump }: Context): Base {
  const caller = callerOf(waits, call);
  const own = new Set(
    dump.calls
      .filter(other => `${other.method} ${other.host}${other.path}` === call.target)
      .map(other => other.request),
  );
  const served = dump.requests.filter(request => own.has(request.index));
  const names = [...new Set(served.map(keyOf))];
  return {
    user: caller?.user ?? [],
    place: caller?.user[0],
    maker: undefined,
    makerUser: [],
    package: caller && innermostPackage(caller.wait),
    others: [],
    holding: [],
    routes: names,
    requests: own.size,
    oldestMs: call.oldestOpenMs,
    flow: routes.find(route => names.includes(route.route)),
  };
}

export function fromPlace(place: PlaceWaits | undefined, routes: readonly RouteFlow[]): Base {
  const flow = routes.find(route => route.route === place?.route);
  return {
    user: place?.user ?? [],
    place: place?.place,
    maker: undefined,
    makerUser: [],
    package: place?.package ?? place?.maker,
    others: [],
    holding: [],
    routes: place ? [place.route] : [],
    requests: place?.requests ?? 0,
    oldestMs: place?.wallMs ?? 0,
    flow,
  };
}
