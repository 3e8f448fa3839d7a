import type { Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  type Candidate,
  disablingFlag,
  isCalledNode,
  otherRuntimeName,
  portAfterSignal,
  readCandidate,
  signalIsSafe,
} from './candidate.js';
import { closeInspectorAt } from './close-later.js';
import {
  firstInspector,
  type InspectorAddress,
  loopDescriptors,
  openInspector,
  type ProbeOptions,
} from './inspector-port.js';
import { rememberSignal, takeRememberedSignal } from './lock.js';
import { describeNativeBlock, TargetBlockedError } from './native-block.js';
import { holderOf, takenBy } from './port-holder.js';
import { ageSeconds } from './proc/children.js';
import { listeningSockets } from './proc/sockets.js';
import { pollsMainLoop, readMainThread } from './proc/thread.js';
import * as refuse from './refusals.js';
import { connectInside, inOtherNetwork } from './relay.js';

export interface Opened extends InspectorAddress {
  /** True when lens' signal opened it: lens closes it. */
  readonly opened: boolean;
  /** How to reach the port when the target has a network of its own. */
  readonly connect?: ((port: number, host: string) => Duplex) | undefined;
}

/** Idle targets open within 22 ms, a collecting or starved one within a second; what takes longer is in native code. */
const PORT_WAIT_MS = 3_500;

/** A main thread that polls its loop this long after the signal has had its turn. */
const IDLE_MISS_MS = 700;

/** One and the same system call, with the same arguments, for this long is no busy loop. */
const ASLEEP_MS = 1_500;

/** After an interruption; an idle target opens within 22 ms. */
const GIVE_UP_MS = 500;

const POLL_MS = 4;
const CLOSE_POLL_MS = 20;

/** Node's first 40 ms have no signal thread yet; ten times that, for a loaded machine. */
const YOUNG_SECONDS = 0.4;
const YOUNG_WAIT_MS = 1_500;

/** Another lens holds the port only as long as its run; a quick one is waited for. */
const PORT_TAKEN_WAIT_MS = 3_000;

/** What a killed lens opened is closed by its lease: ten seconds, and one to look. */
const LEFT_PORT_WAIT_MS = 12_000;

/** Finds the inspector of a process, or opens one with SIGUSR1 when that is safe. Throws a LensError for every reason not to. */
export async function openByPid(pid: number, signal?: AbortSignal): Promise<Opened> {
  if (process.platform !== 'linux') throw refuse.notLinux(pid);
  const candidate = await untilJudgeable(pid);
  refuseState(candidate);
  const connect = await wayInto(pid);
  const known = await openInspector(pid, { connect });
  if (known) return { ...known, connect, opened: await takeRememberedSignal(pid) };
  refuseSignal(candidate);
  await untilPortIsFree(candidate);
  return openBySignal(pid, { connect, signal });
}

/** Reads the process; one that has only just begun is given the time to get its signal thread. */
async function untilJudgeable(pid: number): Promise<Candidate> {
  const until = performance.now() + YOUNG_WAIT_MS;
  for (;;) {
    const candidate = await readCandidate(pid);
    if (!candidate) throw refuse.noSuchProcess(pid);
    const young = !signalIsSafe(candidate) && (await ageSeconds(pid)) < YOUNG_SECONDS;
    if (!young || performance.now() > until) return candidate;
    await sleep(POLL_MS);
  }
}

/** What makes any reading impossible, whether its inspector is open or not. */
export function refuseState(candidate: Candidate): void {
  const { pid, status } = candidate;
  if (status.state === 'Z' || status.state === 'X') throw refuse.zombie(pid, status.parentPid);
  if (!candidate.readable) throw refuse.otherUser(pid, status.uid);
  if (status.state === 'T' || status.state === 't') throw refuse.stopped(pid, status.state);
  const runtime = otherRuntimeName(candidate);
  if (runtime !== undefined) throw refuse.otherRuntime(pid, runtime);
}

/** Never signal what would die of it. */
export function refuseSignal(candidate: Candidate): void {
  const { pid } = candidate;
  if (signalIsSafe(candidate)) return;
  if (candidate.signalThread) throw refuse.handlerRemoved(pid);
  if (isCalledNode(candidate)) throw refuse.signalDisabled(pid, disablingFlag(candidate));
  throw refuse.notNode(pid, candidate.argv.join(' '));
}

async function wayInto(pid: number): Promise<Opened['connect']> {
  if (!(await inOtherNetwork(pid))) return undefined;
  if (process.getuid?.() !== 0) throw refuse.otherNetwork(pid);
  return (port, host) => connectInside(pid, port, host);
}

async function untilPortIsFree(candidate: Candidate): Promise<void> {
  const port = portAfterSignal(candidate);
  const startedAt = performance.now();
  for (;;) {
    const socket = await takenBy(candidate.pid, port);
    if (!socket) return;
    const holder = await holderOf(socket);
    if (holder?.pid === candidate.pid) throw refuse.unreachable('127.0.0.1', port);
    const limitMs = holder?.left ? LEFT_PORT_WAIT_MS : holder?.lens ? PORT_TAKEN_WAIT_MS : 0;
    if (performance.now() - startedAt > limitMs) throw refuse.portTaken(candidate.pid, port, holder);
    await sleep(100);
  }
}

interface Way {
  readonly connect: Opened['connect'];
  readonly signal: AbortSignal | undefined;
}

async function openBySignal(pid: number, way: Way): Promise<Opened> {
  const startedAt = performance.now();
  const before = new Set((await listeningSockets(pid)).map(socket => socket.inode));
  // A rare miss without a cause was seen (1 of 150 on Node 20): an idle target is asked a second time.
  for (let attempt = 0; attempt < 2; attempt++) {
    await send(pid);
    const found = await untilPortOpens(pid, before, way);
    if (found === 'blocked') throw await blocked(pid, startedAt, before, way);
    if (found !== 'idle') return { ...found, connect: way.connect, opened: true };
    // Somebody else may have taken the port between the look and the signal.
    const candidate = await readCandidate(pid);
    if (candidate) await untilPortIsFree(candidate);
  }
  throw refuse.ownHandler(pid);
}

/** Looks once more right before: the pid may have been given to another process meanwhile. */
async function send(pid: number): Promise<void> {
  const candidate = await readCandidate(pid);
  if (!candidate) throw refuse.noSuchProcess(pid);
  refuseSignal(candidate);
  process.kill(pid, 'SIGUSR1');
}

async function untilPortOpens(
  pid: number,
  before: ReadonlySet<number>,
  way: Way,
): Promise<InspectorAddress | 'idle' | 'blocked'> {
  const startedAt = performance.now();
  const watch = new Standstill(pid);
  while (performance.now() - startedAt < PORT_WAIT_MS) {
    const address = await freshInspector(pid, before, way);
    if (way.signal?.aborted) await giveUp(pid, before, way, way.signal.reason);
    if (address) return address;
    const verdict = await watch.look();
    if (verdict) return verdict;
    await sleep(POLL_MS);
  }
  return 'blocked';
}

/** Interrupted right after the signal: what it opens is closed again before leaving. */
async function giveUp(pid: number, before: ReadonlySet<number>, way: Way, reason: unknown): Promise<never> {
  await rememberSignal(pid);
  await closeLate(pid, before, way, GIVE_UP_MS);
  throw reason;
}

/** Watches a main thread after the signal: one that polls its loop has had its turn, one that sleeps elsewhere won't have it. */
class Standstill {
  #where = '';
  #since = performance.now();

  constructor(readonly pid: number) {}

  async look(): Promise<'idle' | 'blocked' | undefined> {
    const [thread, loops] = await Promise.all([readMainThread(this.pid), loopDescriptors(this.pid)]);
    if (!thread) throw refuse.noSuchProcess(this.pid);
    const idle = pollsMainLoop(thread, loops);
    // Without the arguments of its call, two sleeps can't be told apart: then only the time limit decides.
    const asleep = thread.syscall && thread.state !== 'R' ? `${thread.syscall.name} ${thread.syscall.args}` : '';
    const where = idle ? 'idle' : asleep;
    if (where !== this.#where || where === '') {
      this.#where = where;
      this.#since = performance.now();
    }
    const ms = performance.now() - this.#since;
    if (idle) return ms > IDLE_MISS_MS ? 'idle' : undefined;
    return ms > ASLEEP_MS ? 'blocked' : undefined;
  }
}

async function freshInspector(
  pid: number,
  before: ReadonlySet<number>,
  way: ProbeOptions,
): Promise<InspectorAddress | undefined> {
  const fresh = (await listeningSockets(pid)).filter(socket => !before.has(socket.inode));
  return fresh.length === 0 ? undefined : firstInspector(fresh, { connect: way.connect });
}

/** The signal stays pending: the inspector opens by itself when the block ends, and is closed then, by this run or the next. */
async function blocked(
  pid: number,
  startedAt: number,
  before: ReadonlySet<number>,
  way: Way,
): Promise<TargetBlockedError> {
  await rememberSignal(pid);
  const block = await describeNativeBlock(pid, performance.now() - startedAt);
  return new TargetBlockedError(block, timeoutMs => closeLate(pid, before, way, timeoutMs));
}

/** Waits for what a pending signal opens, and closes it; true when that was done in time. */
async function closeLate(pid: number, before: ReadonlySet<number>, way: Way, timeoutMs: number): Promise<boolean> {
  const until = performance.now() + timeoutMs;
  while (performance.now() < until) {
    const address = await freshInspector(pid, before, way).catch(() => undefined); // gone is as good as closed
    if (address) return (await takeRememberedSignal(pid)) && closeInspectorAt(address.url, way.connect);
    await sleep(CLOSE_POLL_MS);
  }
  return false;
}
