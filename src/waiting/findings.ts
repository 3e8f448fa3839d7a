import type { AsyncDump, OutgoingCall } from '../model/evidence/async-dump.js';
import type { Holders } from '../model/evidence/holders.js';
import type { AgentPool } from '../model/evidence/in-flight.js';
import type { Suspended } from '../model/evidence/suspended.js';
import { groupsFromBefore, openCall, silentPeer } from './before.js';
import { chattyCalls } from './chatty-calls.js';
import {
  chatty,
  LEAST_CALLS,
  lateRoutes,
  retries,
  slowCalls,
  slowDrivers,
  slowPools,
  talksToPeers,
} from './downstream.js';
import type { Base, Context, Finding } from './finding.js';
import { flows, isStuck, keyOf, type RouteFlow } from './flow.js';
import { fromLookups } from './lookups.js';
import { type CallGroup, callGroups } from './outgoing.js';
import { overlapping } from './overlap.js';
import { pacedBy } from './paced.js';
import { type PlaceWaits, waitsByPlace } from './places.js';
import { holderOf, isExhausted, poolState, shapeOf, silentPeers, withUnread } from './pools.js';
import { oneAfterTheOther } from './serial.js';
import { fullHolder, heldStill, standstill } from './standstill.js';
import { LEAST_ROUNDS, type OrphanGroup, stuckRequests, type WaitGroup } from './stuck.js';
import { type Frame, Waits } from './waits.js';
import { merge, winners } from './winners.js';

export interface Look {
  readonly findings: readonly Finding[];
  readonly flows: readonly RouteFlow[];
  readonly calls: readonly CallGroup[];
  readonly places: readonly PlaceWaits[];
  readonly groups: readonly WaitGroup[];
  readonly orphans: readonly OrphanGroup[];
  /** Requests are held and none begins: callers have used up what they may have open. */
  readonly standstill: boolean;
  /** Routes that hold requests from before the window, while nothing says at which line those wait. */
  readonly unplaced: readonly RouteFlow[];
}

/** Of the old requests, this share must wait for one thing before it is called the cause. */
const GROUP_SHARE = 0.3;
const LEAST_WAITING = 2;
/** So many of a group's requests must stand in an agent's queue before the agent is what they wait for. */
const QUEUED_SHARE = 0.5;

const THREADPOOL =
  /^(PBKDF2|SCRYPT|ZLIB|RANDOMBYTES|FSREQ|GETADDRINFO|GETNAMEINFO|KEYPAIRGEN|CIPHER|HASH|SIGN|DERIVEBITS|WEBCRYPTO|BROTLI)/i;

/**
 * What is waited for and why, the winner first. `holders` may be missing: then locks and pools are told by package alone;
 * without `suspended` nothing places what began before the window.
 */
export function look(dump: AsyncDump, holders: Holders | undefined, suspended?: Suspended): Look {
  const waits = new Waits(dump);
  const routes = flows(dump);
  const suspects = new Set(routes.filter(flow => isStuck(flow) || isLingering(flow)).map(flow => flow.route));
  const dry = new Set(routes.filter(flow => flow.dry).map(flow => flow.route));
  const stuck = stuckRequests(
    waits,
    request => suspects.has(keyOf(request)),
    request => dry.has(keyOf(request)),
  );
  const calls = callGroups(dump.calls, dump.windowMs);
  const places = waitsByPlace(waits);
  const context: Context = {
    dump,
    waits,
    routes,
    calls,
    places,
    holders: holders?.holders ?? [],
    isSearched: holders !== undefined,
    groups: stuck.groups,
    old: stuck.old,
  };
  const found = [
    ...stuck.groups
      .filter(group => isEnough(group.requests, stuck.old) || isWitness(group, context))
      .map(group => fromGroup(group, context)),
    ...stuck.orphans.filter(group => isEnough(group.requests, stuck.old)).map(group => fromOrphan(group, context)),
    ...retries(context),
    ...chattyOf(context),
    ...oneAfterTheOther(context),
    ...slowCalls(context),
    ...slowDrivers(context),
    ...slowPools(context),
    ...standstill(context),
    ...overlapping(context),
  ].filter(finding => finding !== undefined);
  const unplaced = withoutPlace(context, found);
  const before = suspended && unplaced.length > 0 ? fromBefore(suspended, unplaced, context) : [];
  const placed = before.length > 0 ? [...found.filter(({ standstill: still }) => still !== true), ...before] : found;
  return {
    findings: winners(merge(placed)),
    unplaced,
    flows: routes,
    calls,
    places,
    groups: stuck.groups,
    orphans: stuck.orphans,
    standstill: heldStill(context).length > 0,
  };
}

const chattyOf = (context: Context): Finding[] => {
  const found = chatty(context);
  return found.length > 0 ? found : chattyCalls(context);
};

/** A few that never come back on a route that otherwise answers fast; a long poll's own requests are all long. */
function isLingering(flow: RouteFlow): boolean {
  return flow.held > flow.streaming && flow.out >= LEAST_CALLS && flow.p99Ms * 4 < flow.heldMs;
}

const isEnough = (requests: number, old: number): boolean =>
  requests >= LEAST_WAITING && requests >= GROUP_SHARE * Math.min(old, 60);

/** So many from before the window, which can't be read, are still there: then one that can be read speaks for them. */
const LEAST_HELD = 3;

const isWitness = (group: WaitGroup, { routes, old }: Context): boolean =>
  group.requests === old &&
  routes.some(
    flow => group.routes.includes(flow.route) && isLingering(flow) && flow.held - flow.streaming >= LEAST_HELD,
  );

function fromGroup(group: WaitGroup, context: Context): Finding | undefined {
  const base = baseOf(group, context);
  const line = fromLine(group, base, context);
  if (line) return line;
  const agent = agentOf(group, context.dump.after.agents);
  if (agent && (isHeldUnread(agent) || (agent.queued > 0 && answersFast(agent, group.oldestMs, context))))
    return { ...base, faultClass: 'pool.exhaustion', confidence: 'high', agent };
  const lookups = fromLookups(group, base, context.waits);
  if (lookups) return lookups;
  const call = callOf(group.calls, context.calls);
  if (call && group.calls.length >= group.requests * 0.6)
    return { ...base, faultClass: 'downstream.slow', confidence: 'high', call };
  // Its sockets wait for a host that doesn't answer, and all others queue behind them without having begun.
  if (agent && agent.maxSockets > 0 && agent.used >= agent.maxSockets && agent.queued >= QUEUED_SHARE * group.requests)
    return { ...base, faultClass: 'pool.exhaustion', confidence: 'high', agent };
  if (group.natives.some(type => THREADPOOL.test(type)))
    return { ...base, faultClass: 'threadpool.saturation', confidence: 'medium' };
  if (group.natives.some(type => /CONNECTWRAP/.test(type)))
    return { ...base, faultClass: 'downstream.slow', confidence: 'medium' };
  // A stream of HTTP/2 is open until the peer has answered; gRPC tells its callers by a callback long after it began.
  const stream = group.natives.includes('HTTP2STREAM') ? openStream(group, context) : undefined;
  if (stream) return { ...base, package: stream, faultClass: 'downstream.slow', confidence: 'high' };
  return fromHolder(group, base, context);
}

/** Of those that wait at a place so many must stand behind two others before it is called a queue. */
const IN_LINE = 0.5;

/** `last = last.then(work)`: nothing holds the queue but the promises themselves. */
function fromLine(group: WaitGroup, base: Base, { waits }: Context): Finding | undefined {
  if (group.queued < IN_LINE * group.requests) return undefined;
  const paced = waits.all.some(
    wait => wait.type === 'Timeout' && wait.frames.some(frame => frame.package && frame.package === group.package),
  );
  return { ...base, faultClass: paced ? 'queue.backlog' : 'waiting.lock', confidence: 'high' };
}

/** Old enough for many more rounds than were seen. */
const LEAST_PAUSES = 8;

/** A lock kept elsewhere (a row, a key of a store, a file) is asked for again and again until it is free. */
function fromPolling(group: WaitGroup, base: Base): Finding | undefined {
  const pauseMs = Math.max(0, ...group.timerMs);
  if (group.rounds < LEAST_ROUNDS || group.oldestMs < LEAST_PAUSES * pauseMs) return undefined;
  // A helper of the program's own sleeps; where a package does, who called it stands first.
  const user = group.user.length > 1 && group.package === undefined ? group.user.slice(1) : group.user;
  return {
    ...base,
    user,
    place: user[0],
    others: user === group.user ? [] : group.user.slice(0, 1),
    faultClass: 'waiting.lock',
    confidence: 'medium',
  };
}

/** No native resource beneath: a promise of the process itself, which only the process can settle. */
function fromHolder(group: WaitGroup, base: Base, context: Context): Finding | undefined {
  const urls = new Set([...group.user, ...group.makerUser].map(frame => frame.url));
  // One that could be read speaks for those that could not: they would stand in the same queue.
  const standing = group.requests >= LEAST_WAITING ? group.requests : (base.flow?.held ?? 0);
  const holder = withUnread(holderOf(context.holders, standing, urls), context.holders);
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
    const faultClass = shape === 'limiter' ? 'queue.backlog' : 'waiting.lock';
    return { ...base, faultClass, confidence: 'high', holder, holding: holdersOf(group, context) };
  }
  const polling = fromPolling(group, base);
  if (polling) return polling;
  const paced = pacedBy(group, context.waits);
  if (paced) return { ...base, faultClass: 'queue.backlog', confidence: 'high', paced };
  // It ends by itself: a long poll, a pause, a race against a time limit.
  if (group.timerMs.length > 0) return undefined;
  const quiet = silentPeers(context.dump).find(({ count }) => count >= LEAST_WAITING);
  if (group.package !== undefined && quiet && base.flow?.out === 0)
    return { ...base, faultClass: 'pool.exhaustion', confidence: 'medium', silent: quiet };
  if (isDriver(group, context)) return { ...base, faultClass: 'downstream.slow', confidence: 'medium' };
  if (group.package === undefined) return { ...base, faultClass: 'waiting.unsettled', confidence: 'high' };
  // A lock whose queue was looked for and is not there is none: the package waits for an answer or an event.
  return context.isSearched
    ? { ...base, faultClass: 'waiting.unsettled', confidence: 'medium', replies: true }
    : { ...base, faultClass: 'waiting.lock', confidence: 'low' };
}

/** The package that opened the stream which a request of the group waits for; undefined for Node's own callers. */
function openStream({ routes }: WaitGroup, { waits, dump }: Context): string | undefined {
  const own = new Set(dump.requests.filter(request => routes.includes(keyOf(request))).map(({ index }) => index));
  const stream = waits.all.find(wait => wait.type === 'HTTP2STREAM' && wait.pending && own.has(wait.request));
  return stream?.frames.find(frame => frame.kind === 'package')?.package;
}

/** A library with sockets of its own waits for its peer: those sockets are old, so nothing of the request shows them. */
function isDriver(group: WaitGroup, { dump, routes }: Context): boolean {
  const flowing = routes.some(flow => group.routes.includes(flow.route) && flow.out > 0);
  return group.package !== undefined && flowing && talksToPeers(dump);
}

function fromOrphan(group: OrphanGroup, context: Context): Finding {
  const rejected = context.dump.rejections.reduce((sum, { count }) => sum + count, 0);
  const base = baseOf(
    {
      ...group,
      maker: undefined,
      makerUser: [],
      package: undefined,
      packages: [],
      calls: [],
      natives: [],
      timerMs: [],
      queued: 0,
      rounds: 0,
    },
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

/** Held for so long beside others that are answered, requests are worth a closer look. */
const LONG_HELD_MS = 3_000;

function withoutPlace(context: Context, found: readonly Finding[]): readonly RouteFlow[] {
  const still = heldStill(context);
  const held = still.length > 0 ? still : context.routes.filter(isHolding);
  const isPlaced = ({ route }: RouteFlow) => found.some(({ place, routes }) => place && routes.includes(route));
  return held.filter(flow => !isPlaced(flow));
}

const isHolding = (flow: RouteFlow): boolean =>
  isLingering(flow) && flow.held - flow.streaming >= LEAST_HELD && flow.heldMs >= LONG_HELD_MS;

/** What requests from before the window wait for: a full pool or a taken lock that was seen, else what their line says. */
function fromBefore(suspended: Suspended, unplaced: readonly RouteFlow[], context: Context): Finding[] {
  const held = unplaced.reduce((sum, flow) => sum + flow.held, 0);
  const groups = groupsFromBefore(suspended, unplaced).filter(({ requests }) => isEnough(requests, held));
  const [first] = groups;
  const [still] = standstill(context);
  if (first && still)
    return [{ ...still, ...pick(first), others: groups.slice(1).flatMap(({ place }) => place ?? []) }];
  return groups.flatMap(group => {
    const call = openCall(group.requests, context);
    const base = { ...baseOf(group, context), fromBefore: true } as const;
    if (call) return { ...base, faultClass: 'downstream.slow', confidence: 'high', call } as const;
    const silent = silentPeer(group.requests, context);
    if (silent) return { ...base, faultClass: 'downstream.slow', confidence: 'medium', silent } as const;
    const finding = fromGroup(group, { ...context, groups });
    return finding ? { ...finding, fromBefore: true } : [];
  });
}

const pick = ({ user, place, package: name }: WaitGroup) => ({ user, place, package: name });

function baseOf(group: WaitGroup, { routes }: Context): Base {
  const flow = routes.find(route => group.routes.includes(route.route));
  const { user, place, maker, makerUser, requests, oldestMs } = group;
  return {
    user,
    place,
    maker,
    makerUser,
    package: group.package,
    packages: group.packages,
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

/** Sockets without a limit keep nobody waiting, whoever leaves their answers unread. */
const isHeldUnread = ({ unread, queued, maxSockets }: AgentPool): boolean =>
  unread > 0 && (maxSockets > 0 || queued > 0);

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

/** True when requests wait for something that no outgoing call explains: then who holds it must be looked for. */
export function needsHolders({ findings, flows: routes, standstill: still }: Look): boolean {
  const suspects = [...lateRoutes(routes), ...routes.filter(flow => isStuck(flow) && flow.out === 0)];
  const unexplained = suspects.some(({ route }) => !findings.some(finding => finding.routes.includes(route)));
  if (still || unexplained) return true;
  return findings.some(
    ({ agent, call, faultClass }) =>
      agent === undefined && call === undefined && /^(waiting|pool|downstream)\./.test(faultClass),
  );
}
