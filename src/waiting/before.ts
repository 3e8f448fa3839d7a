import type { OutgoingInFlight } from '../model/evidence/in-flight.js';
import type { Suspended, SuspendedStack } from '../model/evidence/suspended.js';
import type { Context } from './finding.js';
import type { RouteFlow } from './flow.js';
import type { CallGroup } from './outgoing.js';
import { silentPeers } from './pools.js';
import type { WaitGroup } from './stuck.js';
import { type Frame, placeKey, resolve } from './waits.js';

/** Of those that stand at a place so many must wait for a timer before all of them are said to end by themselves. */
const TIMED_SHARE = 0.5;

/**
 * Requests from before the window as groups, by the line at which their functions stand: the most first. Where functions
 * that have a request at hand are among them, the others (consumers, loops of the program's own) are left out.
 */
export function groupsFromBefore({ stacks }: Suspended, routes: readonly RouteFlow[]): WaitGroup[] {
  const isTold = stacks.some(({ serving }) => serving > 0);
  const places = new Map<string, Place>();
  for (const stack of stacks) {
    const count = isTold ? stack.serving : stack.count;
    const frames = stack.frames.map(resolve);
    const key = placeKey(placeOf(frames));
    if (count === 0 || key === '') continue;
    const place = places.get(key) ?? { stack, frames, count: 0, timed: 0 };
    places.set(key, place);
    place.count += count;
    place.timed += Math.min(count, stack.timed);
  }
  return [...places.values()].sort((a, b) => b.count - a.count).map(place => toGroup(place, routes));
}

interface Place {
  readonly stack: SuspendedStack;
  readonly frames: readonly Frame[];
  count: number;
  timed: number;
}

const isUser = (frame: Frame): boolean => frame.kind === 'user';

const placeOf = (frames: readonly Frame[]): Frame | undefined =>
  frames.find(isUser) ?? frames.find(({ kind }) => kind === 'package');

function toGroup({ frames, count, timed }: Place, routes: readonly RouteFlow[]): WaitGroup {
  const [first] = frames;
  return {
    user: frames.filter(isUser),
    place: placeOf(frames),
    maker: undefined,
    makerUser: [],
    package: first?.kind === 'package' ? first.package : undefined,
    packages: [],
    natives: [],
    timerMs: timed >= TIMED_SHARE * count ? [0] : [],
    calls: [],
    requests: count,
    routes: routes.map(({ route }) => route),
    oldestMs: Math.max(0, ...routes.map(({ heldMs }) => heldMs)),
    queued: 0,
    rounds: 0,
  };
}

/** So many of the held requests must have an open call before the call is what they wait for. */
const CALL_SHARE = 0.6;

/** A call that is open for as many as wait: made before the window, too, and not answered since. */
export function openCall(requests: number, { dump }: Context): CallGroup | undefined {
  const open = dump.after.outgoing.filter(({ state, heldCount = 0 }) => state === 'no-answer' && heldCount > 0);
  const most = open.sort((a, b) => b.count - a.count)[0];
  return most && most.count >= CALL_SHARE * requests ? callOf(most, requests) : undefined;
}

/** `fetch` is no handle of Node's: of a call that began before the window only its socket shows, on which nothing moves. */
export function silentPeer(
  requests: number,
  { dump, holders }: Context,
): ReturnType<typeof silentPeers>[number] | undefined {
  if (holders.some(one => one.waiters && one.waiting >= CALL_SHARE * requests)) return undefined;
  return silentPeers(dump).find(({ count }) => count >= CALL_SHARE * requests);
}

function callOf({ method, host, path, count, heldMs = 0 }: OutgoingInFlight, requests: number): CallGroup {
  return {
    target: `${method} ${host}${path}`,
    host,
    count,
    answered: 0,
    failed: 0,
    open: count,
    oldestOpenMs: heldMs,
    unread: 0,
    p50Ms: 0,
    maxMs: 0,
    requests,
    perRequest: Math.round((10 * count) / requests) / 10,
    fanOut: false,
    afterFailure: 0,
    gapMs: 0,
    lastStatus: 0,
  };
}
