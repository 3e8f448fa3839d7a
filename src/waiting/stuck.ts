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
  /** All packages of its stack, innermost first. */
  readonly packages: readonly string[];
  /** Native resources beneath, by type; a timer says its milliseconds. */
  readonly natives: readonly string[];
  readonly timerMs: readonly number[];
  readonly calls: readonly OutgoingCall[];
  readonly requests: number;
  readonly routes: readonly string[];
  readonly oldestMs: number;
  /** Of them, those that wait for another request which itself waits for another: a queue made of promises. */
  readonly queued: number;
  /** How often one request came back to this place to sleep again: it asks until it may. 0 when it does not. */
  readonly rounds: number;
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
/** Who went on so shortly before the end of the window is not forgotten. */
const MOVING_MS = 100;
/** Seen to come back to a pause so often (of a busy window only the last rounds are kept), it asks until it may. */
export const LEAST_ROUNDS = 3;
/** More than this many requests say the same. */
const MOST_READ = 60;

/**
 * What the old requests of the window wait for, largest group first. One whose answer has begun counts where its route's
 * answers have stopped, and only by what waits for it.
 */
export function stuckRequests(
  waits: Waits,
  isSuspect: (request: ServedRequest) => boolean,
  isDry: (request: ServedRequest) => boolean = () => false,
): Stuck {
  const { windowMs, requests } = waits.dump;
  const old = requests.filter(
    request =>
      !request.end &&
      !request.aborted &&
      request.recorded &&
      (!request.headersSent || isDry(request)) &&
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

interface Building
  extends Omit<WaitGroup, 'natives' | 'timerMs' | 'calls' | 'requests' | 'routes' | 'oldestMs' | 'queued' | 'rounds'> {
  readonly natives: Set<string>;
  readonly timers: Set<number>;
  readonly calls: OutgoingCall[];
  readonly routes: Set<string>;
  count: number;
  oldestMs: number;
  queued: number;
  rounds: number;
}

function sortIn(
  waits: Waits,
  request: ServedRequest,
  groups: Map<string, Building>,
  orphans: Map<string, Building>,
): void {
  const { best, depth } = frontOf(waits, request.index);
  const at = best?.request ?? request.index;
  const calls = waits.dump.calls.filter(
    call => call.request === at && (call.state === 'no-answer' || call.state === 'unread'),
  );
  const last = best || calls.length ? undefined : lastSettled(waits, request.index);
  const isMoving = last !== undefined && waits.dump.windowMs - last.end < MOVING_MS;
  // The window ended between two steps: whoever doesn't come back to this place again and again is simply under way.
  if (isMoving && roundsOf(waits, last) < LEAST_ROUNDS) return;
  const wait = best ?? last;
  if (!best && request.headersSent) return;
  const home = best || calls.length || isMoving ? groups : orphans;
  const maker = best ? waits.awaited(best) : undefined;
  const shown = wait && (wait.user.length ? wait : (maker ?? returned(waits, at) ?? wait));
  const callKey = calls.map(call => `${call.method} ${call.host}${call.path}`).join();
  const key = `${placeKey(shown && codeFrame(shown))}|${placeKey(shown?.user[0])}|${callKey && new Set(callKey.split(',')).size}`;
  const group = home.get(key) ?? startGroup(shown, maker, best);
  home.set(key, group);
  group.count++;
  group.oldestMs = Math.max(group.oldestMs, waits.dump.windowMs - request.at);
  group.routes.add(keyOf(request));
  group.calls.push(...calls);
  if (depth > 1) group.queued++;
  group.rounds = Math.max(group.rounds, wait ? roundsOf(waits, wait) : 0);
  for (const leaf of leavesOf(waits, at)) for (const native of waits.beneath(leaf)) note(group, native);
}

/**
 * `return shared.promise` of an async function leaves nobody waiting in the program's own code: the innermost function
 * that is not done is the one that handed on what doesn't come.
 */
function returned(waits: Waits, request: number): Wait | undefined {
  const open = waits.ofRequest(request).filter(({ kind, pending }) => kind === 'async-function' && pending);
  return [...open].sort((a, b) => b.user.length - a.user.length)[0];
}

/** What a request waits for. Who shares another's work waits for what that one waits for; in a queue its own place counts. */
function frontOf(waits: Waits, request: number): { best: Wait | undefined; depth: number } {
  const own = bestLeaf(waits, leavesOf(waits, request));
  if (!own) return { best: undefined, depth: 0 };
  const { head, depth } = headOf(waits, own);
  return { best: depth === 1 ? head : own, depth };
}

const leavesOf = (waits: Waits, request: number): Wait[] =>
  waits.ofRequest(request).filter(wait => wait.pending && waits.isLeaf(wait));

/** The leaf with the most of the program's own frames; of a Promise.all the part that is missing, the newest among equals. */
function bestLeaf(waits: Waits, leaves: readonly Wait[]): Wait | undefined {
  const promises = leaves.filter(leaf => leaf.kind !== 'native');
  const isWhole = (leaf: Wait) => Number(waits.awaited(leaf)?.kind === 'combinator');
  return [...(promises.length ? promises : leaves)].sort(
    (a, b) => b.user.length - a.user.length || isWhole(a) - isWhole(b) || b.id - a.id,
  )[0];
}

/** A queue of promises may be as long as the requests that stand in it. */
const MOST_LINKS = 500;

/** Follows a wait for another request's promise to who is at the front, and counts the requests in between. */
function headOf(waits: Waits, own: Wait): { head: Wait; depth: number } {
  let head = own;
  let depth = 0;
  for (let links = 0; links < MOST_LINKS; links++) {
    const promise = waits.awaited(head);
    if (!promise?.pending || promise.request === 0) break;
    const isOther = promise.request !== head.request;
    if (promise.kind !== 'then' && promise.kind !== 'await' && !isOther) break;
    if (isOther) depth++;
    const next = promise.kind === 'async-function' ? bestLeaf(waits, leavesOf(waits, promise.request)) : promise;
    if (!next || next === head) break;
    head = next;
  }
  return { head, depth };
}

/**
 * A pause at the place, again and again: its timers within the window, set there or by a helper that it calls. A package
 * that tries again sets its timers from callbacks of its own, always at the same line.
 */
function roundsOf(waits: Waits, { request, user: [place] }: Wait): number {
  if (!place) return 0;
  const timers = waits.ofRequest(request).filter(({ type }) => type === 'Timeout');
  const isThere = ({ url, line }: Frame) => url === place.url && line === place.line;
  const asked = timers.filter(({ user }) => user.some(isThere));
  const running = timers.filter(({ pending, user }) => pending && user.length === 0);
  const again = running.map(one => timers.filter(other => isSamePackageLine(other, one)).length);
  return Math.max(asked.length, ...again);
}

function isSamePackageLine(one: Wait, other: Wait): boolean {
  const [mine, yours] = [one, other].map(wait => wait.frames.find(({ kind }) => kind === 'package'));
  return mine !== undefined && placeKey(mine) === placeKey(yours);
}

function lastSettled(waits: Waits, request: number): Wait | undefined {
  return waits
    .ofRequest(request)
    .filter(wait => wait.end > 0 && wait.user.length > 0 && wait.kind === 'await')
    .sort((a, b) => b.end - a.end)[0];
}

function startGroup(shown: Wait | undefined, maker: Wait | undefined, leaf: Wait | undefined): Building {
  const made = maker?.kind === 'executor' || maker?.kind === 'combinator' ? maker : undefined;
  const told = shown && made && isDeeper(made, shown) ? made : shown;
  return {
    user: told?.user ?? [],
    place: told && codeFrame(told),
    maker: made?.frames.find(frame => frame.kind === 'user' || frame.kind === 'package'),
    makerUser: made?.user ?? [],
    package: (made && innermostPackage(made)) ?? (leaf && innermostPackage(leaf)),
    packages: [...new Set((shown?.frames ?? []).flatMap(frame => frame.package ?? []))],
    natives: new Set(),
    timers: new Set(),
    calls: [],
    routes: new Set(),
    count: 0,
    oldestMs: 0,
    queued: 0,
    rounds: 0,
  };
}

/** A function that hands on a package's promise doesn't wait itself, but it is who asked for what its caller waits for. */
const isDeeper = (made: Wait, shown: Wait): boolean =>
  innermostPackage(made) !== undefined &&
  shown.user.length > 0 &&
  made.user.length > shown.user.length &&
  isSameFunction(made.user.at(-1), shown.user.at(-1));

const isSameFunction = (a: Frame | undefined, b: Frame | undefined): boolean =>
  a?.url === b?.url && a?.function === b?.function;

function note(group: Building, native: Wait): void {
  if (native.type !== 'Timeout') group.natives.add(native.type);
  else if (native.detail?.ms !== undefined && native.pending && !isWatchdog(native)) group.timers.add(native.detail.ms);
}

/** An interval of a package looks whether the answer has come, again and again: it ends nothing by itself. */
const isWatchdog = ({ detail, frames }: Wait): boolean =>
  detail?.repeats === true && frames.find(({ kind }) => kind !== 'node' && kind !== 'builtin')?.kind === 'package';

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
