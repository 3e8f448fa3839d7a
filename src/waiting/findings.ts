import type { AsyncDump, OutgoingCall } from '../model/evidence/async-dump.js';
import type { Holder, Holders } from '../model/evidence/holders.js';
import type { AgentPool } from '../model/evidence/in-flight.js';
import type { FaultClass } from '../model/fault.js';
import { callerOf } from './callers.js';
import { flows, isStuck, keyOf, type RouteFlow } from './flow.js';
import { type CallGroup, callGroups } from './outgoing.js';
import { type PlaceWaits, waitsByPlace } from './places.js';
import { holderOf, isExhausted, isTaken, poolState, shapeOf, silentPeers } from './pools.js';
import { type OrphanGroup, stuckRequests, type WaitGroup } from './stuck.js';
import { type Frame, innermostPackage, Waits } from './waits.js';
import { merge, winners } from './winners.js';

/** A cause among what is waited for. Exactly one skill owns each class. */
export interface Finding {
  readonly faultClass: FaultClass;
  readonly confidence: 'high' | 'medium' | 'low';
  /** The user frame that waits, innermost first; may be empty. */
  readonly user: readonly Frame[];
  readonly place: Frame | undefined;
  /** Where the promise that doesn't come was made. */
  readonly maker: Frame | undefined;
  readonly makerUser: readonly Frame[];
  readonly package: string | undefined;
  /** Other places that wait for the same. */
  readonly others: readonly Frame[];
  /** Where those wait who hold what the others wait for. */
  readonly holding: readonly Frame[];
  readonly routes: readonly string[];
  readonly requests: number;
  readonly oldestMs: number;
  readonly flow: RouteFlow | undefined;
  readonly holder?: Holder;
  readonly agent?: AgentPool;
  readonly call?: CallGroup;
  readonly waits?: PlaceWaits;
  /** Sockets of the pool that moved no byte over the window: connections that are held and not used. */
  readonly silent?: { readonly peer: string; readonly count: number };
  /** Nobody was seen waiting, because nothing began in the window or callbacks wait: only the holder tells. */
  readonly standstill?: true;
}

export interface Look {
  readonly findings: readonly Finding[];
  readonly flows: readonly RouteFlow[];
  readonly calls: readonly CallGroup[];
  readonly places: readonly PlaceWaits[];
  readonly groups: readonly WaitGroup[];
  readonly orphans: readonly OrphanGroup[];
  /** Requests are held and none begins: callers have used up what they may have open. */
  readonly standstill: boolean;
}

/** Answers that take a second are slow whoever asks; a steady 300 ms is a service's own business. */
const SLOW_CALL_MS = 1000;
/** Measured on N+1 services: 12 to 60 waits a request at one place; healthy handlers stay below 6. */
const CHATTY_WAITS = 10;
const CHATTY_OVERLAP = 1.3;
const CHATTY_SHARE = 0.5;
/** Below this a chatty request is still quick. */
const CHATTY_WALL_MS = 40;
const RETRY_FAILED = 0.8;
const RETRY_CALLS = 1.5;
const LEAST_CALLS = 5;
/** Of the old requests, this share must wait for one thing before it is called the cause. */
const GROUP_SHARE = 0.3;
const LEAST_WAITING = 2;
/** So many of a group's requests must stand in an agent's queue before the agent is what they wait for. */
const QUEUED_SHARE = 0.5;

const THREADPOOL =
  /^(PBKDF2|SCRYPT|ZLIB|RANDOMBYTES|FSREQ|GETADDRINFO|GETNAMEINFO|KEYPAIRGEN|CIPHER|HASH|SIGN|DERIVEBITS|WEBCRYPTO|BROTLI)/i;

/** What is waited for and why, the winner first. `holders` may be missing: then locks and pools are told by package alone. */
export function look(dump: AsyncDump, holders: Holders | undefined): Look {
  const waits = new Waits(dump);
  const routes = flows(dump);
  const suspects = new Set(routes.filter(flow => isStuck(flow) || isLingering(flow)).map(flow => flow.route));
  const stuck = stuckRequests(waits, request => suspects.has(keyOf(request)));
  const calls = callGroups(dump.calls, dump.windowMs);
  const places = waitsByPlace(waits);
  const context: Context = {
    dump,
    waits,
    routes,
    calls,
    places,
    holders: holders?.holders ?? [],
    groups: stuck.groups,
    old: stuck.old,
  };
  const found = [
    ...stuck.groups.filter(group => isEnough(group.requests, stuck.old)).map(group => fromGroup(group, context)),
    ...stuck.orphans.filter(group => isEnough(group.requests, stuck.old)).map(group => fromOrphan(group, context)),
    ...retries(context),
    ...chatty(context),
    ...slowCalls(context),
    ...slowDrivers(context),
    ...standstill(context),
  ].filter(finding => finding !== undefined);
  return {
    findings: winners(merge(found)),
    flows: routes,
    calls,
    places,
    groups: stuck.groups,
    orphans: stuck.orphans,
    standstill: heldStill(context).length > 0,
  };
}

interface Context {
  readonly dump: AsyncDump;
  readonly waits: Waits;
  readonly routes: readonly RouteFlow[];
  readonly calls: readonly CallGroup[];
  readonly places: readonly PlaceWaits[];
  readonly holders: readonly Holder[];
  readonly groups: readonly WaitGroup[];
  readonly old: number;
}

/** A few that never come back on a route that otherwise answers fast; a long poll's own requests are all long. */
function isLingering(flow: RouteFlow): boolean {
  return flow.held > flow.streaming && flow.out >= LEAST_CALLS && flow.p99Ms * 4 < flow.heldMs;
}

const isEnough = (requests: number, old: number): boolean =>
  requests >= LEAST_WAITING && requests >= GROUP_SHARE * Math.min(old, 60);

function fromGroup(group: WaitGroup, context: Context): Finding | undefined {
  const base = baseOf(group, context);
  const agent = agentOf(group, context.dump.after.agents);
  if (agent && (agent.unread > 0 || (agent.queued > 0 && answersFast(agent, group.oldestMs, context))))
    return { ...base, faultClass: 'pool.exhaustion', confidence: 'high', agent };
  const call = callOf(group.calls, context.calls);
  if (call && group.calls.length >= group.requests * 0.6)
    return { ...base, faultClass: 'downstream.slow', confidence: 'high', call };
  if (group.natives.some(type => THREADPOOL.test(type)))
    return { ...base, faultClass: 'threadpool.saturation', confidence: 'medium' };
  if (group.natives.some(type => /CONNECTWRAP/.test(type)))
    return { ...base, faultClass: 'downstream.slow', confidence: 'medium' };
  return fromHolder(group, base, context);
}

/** No native resource beneath: a promise of the process itself, which only the process can settle. */
function fromHolder(group: WaitGroup, base: Base, context: Context): Finding | undefined {
  const urls = new Set([...group.user, ...group.makerUser].map(frame => frame.url));
  const holder = holderOf(context.holders, group.requests, urls);
  if (holder) {
    const shape = shapeOf(holder);
    const used = poolState(holder).used ?? 1;
    const silent = silentPeers(context.dump).find(({ count }) => count >= used * 0.8);
    if (shape === 'pool' && isExhausted(poolState(holder))) {
      return {
        ...base,
        faultClass: 'pool.exhaustion',
        confidence: 'high',
        holder,
        holding: holdersOf(group, context),
        ...(silent ? { silent } : {}),
      };
    }
    if ((holder.numbers.unreadBytes ?? 0) > 0)
      return { ...base, faultClass: 'pool.exhaustion', confidence: 'high', holder, ...(silent ? { silent } : {}) };
    return { ...base, faultClass: 'waiting.lock', confidence: 'high', holder, holding: holdersOf(group, context) };
  }
  // It ends by itself: a long poll, a pause, a race against a time limit.
  if (group.timerMs.length > 0) return undefined;
  if (isDriver(group, context)) return { ...base, faultClass: 'downstream.slow', confidence: 'medium' };
  return {
    ...base,
    faultClass: group.package === undefined ? 'waiting.unsettled' : 'waiting.lock',
    confidence: group.package === undefined ? 'high' : 'low',
  };
}

/** A library with sockets of its own waits for its peer: those sockets are old, so nothing of the request shows them. */
function isDriver(group: WaitGroup, { dump, routes }: Context): boolean {
  const flowing = routes.some(flow => group.routes.includes(flow.route) && flow.out > 0);
  return group.package !== undefined && flowing && talksToPeers(dump);
}

/**
 * Callbacks leave no promise behind: whoever waits in a full pool by callback shows only in the pool. A pool may keep a
 * queue for each of its connections: those of one kind count together.
 */
function fullHolder({ holders, old }: Context): Holder | undefined {
  const least = Math.max(2, STANDSTILL_SHARE * old);
  const taken = holders.filter(one => one.waiters && one.name !== 'Agent' && isTaken(one));
  for (const one of taken) {
    const alike = taken.filter(other => other.name === one.name && other.queue === one.queue);
    const waiting = alike.reduce((sum, other) => sum + other.waiting, 0);
    // An answer that nobody reads holds its connection however many wait for just this one.
    if (waiting >= least || one.numbers.unreadBytes !== undefined) return { ...one, waiting };
  }
  return undefined;
}

function fromOrphan(group: OrphanGroup, context: Context): Finding {
  const rejected = context.dump.rejections.reduce((sum, { count }) => sum + count, 0);
  const base = baseOf(
    { ...group, maker: undefined, makerUser: [], package: undefined, calls: [], natives: [], timerMs: [] },
    context,
  );
  const swallowed = rejected >= group.requests * 0.5;
  const holder = swallowed ? undefined : fullHolder(context);
  if (holder) {
    const isPool = shapeOf(holder) === 'pool' || holder.numbers.unreadBytes !== undefined;
    const faultClass = isPool ? 'pool.exhaustion' : 'waiting.lock';
    return { ...base, faultClass, confidence: 'high', holder, standstill: true };
  }
  return { ...base, faultClass: swallowed ? 'exceptions.swallowed' : 'waiting.unsettled', confidence: 'medium' };
}

/** Routes that hold requests of before the window while none that began in it could be read. */
function heldStill({ routes, groups, old }: Context): readonly RouteFlow[] {
  return old > 0 || groups.length > 0 ? [] : routes.filter(flow => isStuck(flow) && flow.out === 0 && flow.held > 0);
}

/** So many of the held requests must stand in one queue before it is what they wait for. */
const STANDSTILL_SHARE = 0.3;

/**
 * A service whose callers have reached their own limits gets no new request to follow: then a full pool or a taken lock
 * that many wait in is the only witness. A list of bare callbacks is not: long polls keep those too.
 */
function standstill(context: Context): Finding[] {
  const still = heldStill(context);
  const [flow] = still;
  if (!flow) return [];
  const held = still.reduce((sum, route) => sum + route.held, 0);
  const base = {
    ...fromPlace(undefined, context.routes),
    routes: still.map(route => route.route),
    requests: held,
    oldestMs: Math.max(...still.map(route => route.heldMs)),
    flow,
    standstill: true,
  } as const;
  const agent = context.dump.after.agents.find(one => one.queued >= STANDSTILL_SHARE * held);
  if (agent) return [{ ...base, faultClass: 'pool.exhaustion', confidence: 'high', agent }];
  const holder = fullHolder({ ...context, old: held });
  if (!holder) return [];
  const pool = shapeOf(holder) === 'pool' || holder.numbers.unreadBytes !== undefined;
  const used = poolState(holder).used ?? 1;
  const silent = silentPeers(context.dump).find(({ count }) => count >= used * 0.8);
  return [
    {
      ...base,
      faultClass: pool ? 'pool.exhaustion' : 'waiting.lock',
      confidence: pool || silent ? 'high' : 'medium',
      holder,
      ...(pool && silent ? { silent } : {}),
    },
  ];
}

type Base = Omit<Finding, 'faultClass' | 'confidence'>;

function baseOf(group: WaitGroup, { routes }: Context): Base {
  const flow = routes.find(route => group.routes.includes(route.route));
  const { user, place, maker, makerUser, requests, oldestMs } = group;
  return {
    user,
    place,
    maker,
    makerUser,
    package: group.package,
    others: [],
    holding: [],
    routes: group.routes,
    requests,
    oldestMs,
    flow,
  };
}

/** Those who are old too but wait elsewhere may hold what this group waits for. */
function holdersOf(group: WaitGroup, { groups }: Context): Frame[] {
  return groups
    .filter(other => other.package !== group.package && other.requests < group.requests)
    .flatMap(other => other.place ?? [])
    .slice(0, 3);
}

function agentOf({ calls, requests }: WaitGroup, agents: readonly AgentPool[]): AgentPool | undefined {
  const hosts = new Set(calls.map(call => call.host));
  const busy = agents.filter(agent => agent.queued > 0 || agent.unread > 0);
  // A queued request has not begun, so no channel has announced it: the agent's own queue is the only trace of it.
  return (
    busy.find(agent => hosts.has(agent.host)) ??
    busy.find(agent => calls.length === 0 && agent.queued >= requests * QUEUED_SHARE)
  );
}

/** Once it is asked, the host answers in a fraction of what the requests wait: then it is the agent's limit. */
function answersFast(agent: AgentPool, oldestMs: number, { calls }: Context): boolean {
  const asked = calls.filter(call => call.host === agent.host && call.answered > 0);
  return agent.maxSockets > 0 && asked.length > 0 && asked.every(call => call.p50Ms < oldestMs * 0.25);
}

function callOf(calls: readonly OutgoingCall[], groups: readonly CallGroup[]): CallGroup | undefined {
  const counts = new Map<string, number>();
  for (const call of calls) {
    const key = `${call.method} ${call.host}${call.path}`;
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  const [target] = [...counts].sort((a, b) => b[1] - a[1])[0] ?? [];
  return groups.find(group => group.target === target);
}

/** The same call again and again although it keeps failing. */
function retries(context: Context): Finding[] {
  return context.calls
    .filter(
      call =>
        call.perRequest >= RETRY_CALLS &&
        call.count >= LEAST_CALLS &&
        call.count > call.open &&
        call.failed >= RETRY_FAILED * (call.count - call.open),
    )
    .map(call => ({ ...fromCall(call, context), faultClass: 'downstream.retries', confidence: 'high', call }) as const);
}

/** Many waits at one place, one after the other, that make up most of the request. */
function chatty({ places, routes, calls, dump }: Context): Finding[] {
  const driven = talksToPeers(dump);
  return places
    .filter(
      place =>
        place.perRequest > CHATTY_WAITS &&
        place.overlap <= CHATTY_OVERLAP &&
        place.share >= CHATTY_SHARE &&
        place.wallMs >= CHATTY_WALL_MS,
    )
    .filter(
      place => isRemote(place) || (driven && isDriven(place)) || calls.some(call => call.perRequest > CHATTY_WAITS),
    )
    .map(place => {
      const call = calls.find(group => group.perRequest > CHATTY_WAITS);
      return {
        ...fromPlace(place, routes),
        faultClass: 'downstream.chatty',
        confidence: 'high',
        waits: place,
        ...(call ? { call } : {}),
      } as const;
    });
}

/** A flowing route that spends most of its time waiting for one slow answer. */
function slowCalls(context: Context): Finding[] {
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

/** A flowing route whose driver (sockets of its own, no HTTP) takes a second and more for one answer. */
function slowDrivers({ places, routes, dump, calls }: Context): Finding[] {
  if (!talksToPeers(dump)) return [];
  return places
    .filter(
      place =>
        (place.package !== undefined || isDriven(place)) &&
        place.meanMs >= SLOW_CALL_MS &&
        place.share >= CHATTY_SHARE &&
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

/** A promise that a package made and nothing of this process settles: its socket is older than the window. */
const isDriven = ({ maker, natives }: PlaceWaits): boolean => maker !== undefined && natives.length === 0;

const talksToPeers = ({ after }: AsyncDump): boolean =>
  after.peers.some(peer => peer.peer !== 'local' && peer.bytesWritten > 0);

const isRemote = (place: PlaceWaits): boolean =>
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

function fromPlace(place: PlaceWaits | undefined, routes: readonly RouteFlow[]): Base {
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

/** True when requests wait for something that no outgoing call explains: then who holds it must be looked for. */
export function needsHolders({ findings, standstill: still }: Look): boolean {
  if (still) return true;
  return findings.some(
    ({ agent, call, faultClass }) =>
      agent === undefined && call === undefined && /^(waiting|pool|downstream)\./.test(faultClass),
  );
}
