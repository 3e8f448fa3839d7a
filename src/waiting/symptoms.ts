import type { Threadpool } from '../model/evidence/threadpool.js';
import type { Traffic } from '../model/evidence/traffic.js';
import type { Vitals } from '../model/evidence/vitals.js';
import { clogged } from './clogged.js';
import { flows, isStuck, type RouteFlow } from './flow.js';
import { type CallGroup, callGroups } from './outgoing.js';
import { socketGrowth } from './sockets.js';

/** A median above this is what a person calls slow; hooks cost 3 to 5 % of a core for four seconds. */
const SLOW_MEDIAN_MS = 100;
const SLOW_TAIL_MS = 500;
/** A loop that is busy for half of the time and stands still for most of an answer's time is what that answer waits for. */
const BUSY_ELU = 0.5;
const MOST_OF_AN_ANSWER = 0.8;
/** Below this many requests a quantile is an anecdote. */
const LEAST_REQUESTS = 5;
/** An idle pool answers fs.stat in 0.01 to 0.1 ms, a saturated one measured 2 to 5 s. */
export const SLOW_PROBE_MS = 100;
/** With short jobs the queue is short too: 17 to 61 ms measured where ten jobs at a time shared four threads. */
const QUEUED_PROBE_MS = 10;
/** Calls of one request to one place: from here on it is worth asking who repeats them. */
const MANY_CALLS = 3;

/** Why a window of hooks is worth its price; empty for a service that is well, or slow for its own blocks alone. */
export function symptoms(traffic: Traffic, pool: Threadpool | undefined, vitals?: Vitals): string[] {
  const said: string[] = [];
  const routes = flows(traffic);
  for (const flow of routes) said.push(...routeSymptoms(flow, vitals));
  for (const agent of traffic.after.agents) {
    if (agent.queued > 0)
      said.push(`${agent.queued} requests are queued for ${agent.host} (${agent.used} sockets in use)`);
    if (agent.unread > 1) said.push(`${agent.unread} answers from ${agent.host} are not being read`);
  }
  const incoming = routes.reduce((sum, flow) => sum + flow.in, 0);
  for (const call of callGroups(traffic.calls, traffic.windowMs)) said.push(...callSymptoms(call, incoming));
  const ownWork = workOfItsOwn(traffic);
  if (ownWork >= MUCH_OWN_WORK) said.push(`${ownWork} calls are under way that no request waits for`);
  const opened = rawSockets(traffic);
  if (opened >= MUCH_OWN_WORK) said.push(`${opened} connections were opened for something else than HTTP`);
  for (const { peer, before, after } of socketGrowth(traffic.before, traffic.after))
    said.push(`sockets to ${peer} went from ${before} to ${after}`);
  if (clogged(traffic.before, traffic.after)) said.push('write buffers keep growing');
  if (pool && isQueueing(pool)) said.push(`a trivial file lookup takes ${Math.round(pool.p50Ms)} ms`);
  return said;
}

/** The pool is slow and the loop is not. */
export function isSaturated(pool: Threadpool): boolean {
  return pool.p50Ms >= SLOW_PROBE_MS && isQueueing(pool);
}

/** Fewer probes than this were sent because the loop stood still: then it is the loop that they waited for. */
const LEAST_PROBES = 5;

/** A job usually finds all threads taken; whether that lasts, the jobs themselves must show. */
export function isQueueing(pool: Threadpool): boolean {
  // On a crowded machine the loop is late as well: then the threads' own times tell.
  const often = isFull(pool) ? 1 : 3;
  return pool.probes >= LEAST_PROBES && pool.p50Ms >= QUEUED_PROBE_MS && pool.p50Ms > often * pool.loopP50Ms;
}

/** Sixteen jobs of 10 ms at a time keep four threads 85 to 90 % busy (the loop must refill them); three leave one idle. */
const FULL_SHARE = 0.8;

/** All threads of the pool had work all the time. */
export const isFull = ({ busyThreads, threads }: Threadpool): boolean => (busyThreads ?? 0) >= FULL_SHARE * threads;

/** A poller has one or two calls under way; from here on jobs lie over each other, or a list is worked off at once. */
const MUCH_OWN_WORK = 8;

const workOfItsOwn = ({ after }: Traffic): number =>
  after.outgoing.reduce((sum, { count, state }) => sum + (state === 'no-answer' ? count : 0), 0) -
  MOST_OF_A_REQUEST * after.routes.reduce((sum, { count }) => sum + count, 0);
/** More calls at once than this one request seldom makes. */
const MOST_OF_A_REQUEST = 4;

/** A connection for each question: who asks so often, no channel tells. */
const rawSockets = ({ sockets, calls }: Traffic): number =>
  sockets.reduce((sum, { count }) => sum + count, 0) - calls.length;

const waitsForLoop = ({ p50Ms }: RouteFlow, vitals: Vitals | undefined): boolean =>
  vitals !== undefined && vitals.elu >= BUSY_ELU && vitals.loopDelay.p99Ms >= MOST_OF_AN_ANSWER * p50Ms;

function routeSymptoms(flow: RouteFlow, vitals: Vitals | undefined): string[] {
  const waiting = flow.after - flow.streaming;
  if (isStuck(flow))
    return [`${flow.route}: in flight ${flow.before} to ${flow.after}, ${flow.in} in, ${flow.out} out`];
  if (flow.held > flow.streaming && waiting > 0)
    return [`${flow.route}: ${flow.held} requests older than ${flow.heldMs} ms`];
  if (flow.out < LEAST_REQUESTS || waitsForLoop(flow, vitals)) return [];
  if (flow.p50Ms >= SLOW_MEDIAN_MS || flow.p95Ms >= SLOW_TAIL_MS)
    return [`${flow.route}: p50 ${flow.p50Ms} ms, p95 ${flow.p95Ms} ms`];
  return [];
}

function callSymptoms(call: CallGroup, incoming: number): string[] {
  if (call.failed >= LEAST_REQUESTS && call.failed * 2 >= call.answered)
    return [`${call.target}: ${call.failed} of ${call.count} failed`];
  if (incoming >= LEAST_REQUESTS && call.count >= MANY_CALLS * incoming)
    return [`${call.target}: ${call.count} calls for ${incoming} requests`];
  return [];
}
