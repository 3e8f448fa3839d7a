import type { Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { Lock } from '../base/lock.js';
import { openBySignal } from './by-signal.js';
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
import { closedWorkers } from './cluster-workers.js';
import { type InspectorAddress, openInspector } from './inspector-port.js';
import { takeRememberedSignal } from './lock.js';
import { holderOf, takenBy } from './port-holder.js';
import { ageSeconds } from './proc/children.js';
import * as refuse from './refusals.js';
import { connectInside, inOtherNetwork } from './relay.js';

export interface Opened extends InspectorAddress {
  /** True when lens' signal opened it: lens closes it. */
  readonly opened: boolean;
  /** How to reach the port when the target has a network of its own. */
  readonly connect?: ((port: number, host: string) => Duplex) | undefined;
  /** Processes in which Node opens an inspector because lens opened this one. */
  readonly workers?: readonly number[];
  /** The port that the process would have opened; set when lens opened it on another one. */
  readonly sharedPort?: number;
}

export interface OpenOptions {
  readonly signal?: AbortSignal | undefined;
  /** For who stays long: the inspector is opened on a random port, so that the usual one stays free for others. */
  readonly ownPort?: boolean | undefined;
  /** Told once, in a sentence, when the port is waited for. */
  readonly onWait?: ((why: string) => void) | undefined;
}

const YOUNG_POLL_MS = 4;
const TAKEN_POLL_MS = 100;

/** Node's first 40 ms have no signal thread yet; ten times that, for a loaded machine. */
const YOUNG_SECONDS = 0.4;
const YOUNG_WAIT_MS = 1_500;

/** Another lens holds the port only as long as its run: half a minute, more on a slow host. */
const PORT_TAKEN_WAIT_MS = 60_000;
/** What is over sooner than that is not worth a word. */
const TOLD_AFTER_MS = 500;

/** One process after the other: two that were signalled at once would both try the same port. */
const opening = new Lock();

/** What a killed lens opened is closed by its lease: ten seconds, and one to look. */
const LEFT_PORT_WAIT_MS = 12_000;

/** Finds the inspector of a process, or opens one with SIGUSR1 when that is safe. Throws a LensError for every reason not to. */
export async function openByPid(pid: number, options: OpenOptions = {}): Promise<Opened> {
  if (process.platform !== 'linux') throw refuse.notLinux(pid);
  const candidate = await untilJudgeable(pid);
  refuseState(candidate);
  const connect = await wayInto(pid);
  const known = await openInspector(pid, { connect });
  if (known) return { ...known, connect, opened: await takeRememberedSignal(pid) };
  refuseSignal(candidate);
  const workers = await closedWorkers(pid);
  const address = await opening.run(() => openOnPort(candidate, connect, options));
  return { ...address, connect, opened: true, workers };
}

async function openOnPort(
  candidate: Candidate,
  connect: Opened['connect'],
  { signal, ownPort = false, onWait }: OpenOptions,
): Promise<InspectorAddress & Pick<Opened, 'sharedPort'>> {
  const { pid } = candidate;
  const port = portAfterSignal(candidate);
  const untilPortIsFree = (of: number) => waitForPort(pid, of, signal, onWait);
  const common = { connect, signal, send: () => send(pid) };
  const address = await openBySignal(pid, { ...common, untilPortIsFree: () => untilPortIsFree(port) });
  if (!ownPort || address.port !== port) return address;
  await closeInspectorAt(address.url, connect, RANDOM_PORT);
  const untilFree = () => untilPortIsFree(RANDOM_PORT);
  const own = await openBySignal(pid, { ...common, untilPortIsFree: untilFree, debugPort: port });
  return { ...own, sharedPort: port };
}

/** 9229 is everybody's: who stays there keeps lens from every other process of the host. */
const RANDOM_PORT = 0;

/** Reads the process; one that has only just begun is given the time to get its signal thread. */
async function untilJudgeable(pid: number): Promise<Candidate> {
  const until = performance.now() + YOUNG_WAIT_MS;
  for (;;) {
    const candidate = await readCandidate(pid);
    if (!candidate) throw refuse.noSuchProcess(pid);
    const young = !signalIsSafe(candidate) && (await ageSeconds(pid)) < YOUNG_SECONDS;
    if (!young || performance.now() > until) return candidate;
    await sleep(YOUNG_POLL_MS);
  }
}

/** What makes any reading impossible, whether its inspector is open or not. */
export function refuseState(candidate: Candidate): void {
  const { pid, status } = candidate;
  if (status.state === 'Z' || status.state === 'X') throw refuse.zombie(pid, status.parentPid);
  if (!candidate.readable)
    throw mayReadAll(status.uid) ? refuse.closed(pid, status.uid) : refuse.otherUser(pid, status.uid);
  if (status.state === 'T' || status.state === 't') throw refuse.stopped(pid, status.state);
  const runtime = otherRuntimeName(candidate);
  if (runtime !== undefined) throw refuse.otherRuntime(pid, runtime);
}

/** Root, and the process' own user, would be let in if nothing else stood in the way. */
function mayReadAll(uid: number): boolean {
  const own = process.getuid?.();
  return own === 0 || own === uid;
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

/** A socket that closes while its holder is looked for has none: the next look finds the port free. */
const UNSEEN_HOLDER_WAIT_MS = 500;

/** True when it had to be waited for. Throws a LensError when whoever has it is likely to keep it. */
async function waitForPort(
  pid: number,
  port: number,
  signal: OpenOptions['signal'],
  onWait: OpenOptions['onWait'],
): Promise<boolean> {
  const startedAt = performance.now();
  let seenAt = startedAt;
  let told = false;
  for (let waited = false; ; waited = true) {
    signal?.throwIfAborted();
    const socket = await takenBy(pid, port);
    if (!socket) return waited;
    const holder = await holderOf(socket);
    const lensMs = holder?.left ? LEFT_PORT_WAIT_MS : holder?.lens ? PORT_TAKEN_WAIT_MS : 0;
    const limitMs = holder ? lensMs : UNSEEN_HOLDER_WAIT_MS;
    if (holder) seenAt = performance.now();
    const ms = performance.now() - (holder ? startedAt : seenAt);
    if (ms > limitMs) throw refuse.portTaken(pid, port, holder);
    if (holder && !told && ms > TOLD_AFTER_MS) {
      told = true;
      onWait?.(
        `waits for port ${port}: process ${holder.pid} (${holder.command}) listens there while another lens looks at it`,
      );
    }
    await sleep(TAKEN_POLL_MS);
  }
}

/** Looks once more right before: the pid may have been given to another process meanwhile. */
async function send(pid: number): Promise<void> {
  const candidate = await readCandidate(pid);
  if (!candidate) throw refuse.noSuchProcess(pid);
  refuseSignal(candidate);
  process.kill(pid, 'SIGUSR1');
}
