import type { OutgoingCall, ServedRequest } from '../model/evidence/async-dump.js';
import { keyOf } from './flow.js';
import { codeFrame, type Frame, innermostPackage, placeKey, type Wait, type Waits } from './waits.js';

/** Old requests that wait at one place. */
export interface WaitGroup {
  /** User frames of the wait, innermost first; may be empty when only library code waits. */
  readonly user: readonly Frame[];
  /** Where the wait is written: the innermost user frame, else the innermost package frame. */
  readonly place: Frame | undefined;
  /** Where the promise that never came was made, when it was made in the window. */
  readonly maker: Frame | undefined;
  /** User frames of the maker, innermost first. */
  readonly makerUser: readonly Frame[];
  /** Innermost library waited in. */
  readonly package: string | undefined;
  /** Native resources beneath, by type; a timer says its milliseconds. */
  readonly natives: readonly string[];
  readonly timerMs: readonly number[];
  readonly calls: readonly OutgoingCall[];
  readonly requests: number;
  readonly routes: readonly string[];
  readonly oldestMs: number;
}

/** Old requests to which nothing pending belongs, by the place of their last settled await. */
export interface OrphanGroup {
  readonly place: Frame | undefined;
  readonly user: readonly Frame[];
  readonly requests: number;
  readonly routes: readonly string[];
  readonly oldestMs: number;
}

export interface Stuck {
  readonly old: number;
  readonly groups: readonly WaitGroup[];
  readonly orphans: readonly OrphanGroup[];
}

/** Younger than this at the end of the window, a request says nothing. */
export const OLD_MS = 1000;
/** More than this many requests say the same. */
const MOST_READ = 60;

/** What the old requests of the window wait for, largest group first. */
export function stuckRequests(waits: Waits, isSuspect: (request: ServedRequest) => boolean): Stuck {
  const { windowMs, requests } = waits.dump;
  const old = requests.filter(
    request =>
      !request.end &&
      !request.aborted &&
      request.recorded &&
      !request.headersSent &&
      windowMs - request.at >= OLD_MS &&
      isSuspect(request),
  );
  const groups = new Map<string, Building>();
  const orphans = new Map<string, Building>();
  for (const request of old.slice(0, MOST_READ)) sortIn(waits, request, groups, orphans);
  return {
    old: old.length,
    groups: [...groups.values()].map(toGroup).sort((a, b) => b.requests - a.requests),
    orphans: [...orphans.values()].map(toGroup).sort((a, b) => b.requests - a.requests),
  };
}

interface Building extends Omit<WaitGroup, 'natives' | 'timerMs' | 'calls' | 'requests' | 'routes' | 'oldestMs'> {
  readonly natives: Set<string>;
  readonly timers: Set<number>;
  readonly calls: OutgoingCall[];
  readonly routes: Set<string>;
  count: number;
  oldestMs: number;
}

function sortIn(
  waits: Waits,
  request: ServedRequest,
  groups: Map<string, Building>,
  orphans: Map<string, Building>,
): void {
  const leaves = waits.ofRequest(request.index).filter(wait => wait.pending && waits.isLeaf(wait));
  const calls = waits.dump.calls.filter(
    call => call.request === request.index && (call.state === 'no-answer' || call.state === 'unread'),
  );
  const best = bestLeaf(leaves);
  const wait = best ?? (calls.length ? undefined : lastSettled(waits, request.index));
  const home = best || calls.length ? groups : orphans;
  const maker = best ? waits.awaited(best) : undefined;
  const shown = wait && (wait.user.length ? wait : (maker ?? wait));
  const callKey = calls.map(call => `${call.method} ${call.host}${call.path}`).join();
  const key = `${placeKey(shown && codeFrame(shown))}|${placeKey(shown?.user[0])}|${callKey && new Set(callKey.split(',')).size}`;
  const group = home.get(key) ?? startGroup(shown, maker, best);
  home.set(key, group);
  group.count++;
  group.oldestMs = Math.max(group.oldestMs, waits.dump.windowMs - request.at);
  group.routes.add(keyOf(request));
  group.calls.push(...calls);
  for (const leaf of leaves) for (const native of waits.beneath(leaf)) note(group, native);
}

/** The leaf with the most of the program's own frames, the newest among equals. */
function bestLeaf(leaves: readonly Wait[]): Wait | undefined {
  const promises = leaves.filter(leaf => leaf.kind !== 'native');
  return [...(promises.length ? promises : leaves)].sort((a, b) => b.user.length - a.user.length || b.id - a.id)[0];
}

function lastSettled(waits: Waits, request: number): Wait | undefined {
  return waits
    .ofRequest(request)
    .filter(wait => wait.end > 0 && wait.user.length > 0 && wait.kind === 'await')
    .sort((a, b) => b.end - a.end)[0];
}

function startGroup(shown: Wait | undefined, maker: Wait | undefined, leaf: Wait | undefined): Building {
  const made = maker?.kind === 'executor' || maker?.kind === 'combinator' ? maker : undefined;
  return {
    user: shown?.user ?? [],
    place: shown && codeFrame(shown),
    maker: made?.frames.find(frame => frame.kind === 'user' || frame.kind === 'package'),
    makerUser: made?.user ?? [],
    package: (made && innermostPackage(made)) ?? (leaf && innermostPackage(leaf)),
    natives: new Set(),
    timers: new Set(),
    calls: [],
    routes: new Set(),
    count: 0,
    oldestMs: 0,
  };
}

function note(group: Building, native: Wait): void {
  if (native.type !== 'Timeout') group.natives.add(native.type);
  else if (native.detail?.ms !== undefined && native.pending) group.timers.add(native.detail.ms);
}

function toGroup({ natives, timers, routes, count, oldestMs, ...rest }: Building): WaitGroup {
  return {
    ...rest,
    natives: [...natives],
    timerMs: [...timers],
    routes: [...routes],
    requests: count,
    oldestMs: Math.round(oldestMs),
  };
}
