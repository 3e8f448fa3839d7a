import type { Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { closeInspectorAt } from './close-later.js';
import { firstInspector, type InspectorAddress, LOOPS_WITHOUT_INSPECTOR, loopDescriptors } from './inspector-port.js';
import { rememberSignal, takeRememberedSignal } from './lock.js';
import { describeNativeBlock, TargetBlockedError } from './native-block.js';
import { readChildren } from './proc/children.js';
import { readTcp, socketInodes, type TcpSocket } from './proc/sockets.js';
import { type MainThread, pollsMainLoop, readMainThread } from './proc/thread.js';
import { noSuchProcess, ownHandler } from './refusals.js';

/** Idle targets open within 22 ms, a collecting or starved one within a second; what takes longer is in native code. */
const PORT_WAIT_MS = 3_500;

/** A main thread that polls its loop this long after the signal has had its turn. */
const IDLE_MISS_MS = 700;

/** One and the same system call, with the same arguments, for this long is no busy loop. */
const ASLEEP_MS = 1_500;

/** A signal without an answer, twice, is no accident. */
const MISSES = 2;

/** After an interruption; an idle target opens within 22 ms. */
const GIVE_UP_MS = 500;

/** Often while it is most likely, then gently: a table of many sockets costs the kernel a millisecond to print. */
const POLL_MS = 4;
const LATER_POLL_MS = 25;
const SOON_MS = 150;

export interface SignalOptions {
  readonly connect: ((port: number, host: string) => Duplex) | undefined;
  readonly signal: AbortSignal | undefined;
  /** Sends SIGUSR1 after a last look that it is still safe. */
  readonly send: () => Promise<void>;
  /** Rejects when something else has the port and keeps it; true when it had to be waited for. */
  readonly untilPortIsFree: () => Promise<boolean>;
  /** Given back to the process when what the signal opens is only closed: lens changed it before. */
  readonly debugPort?: number;
}

/** What was there before the signal: whatever listens beyond it is new. */
interface Before {
  readonly pid: number;
  readonly startedAt: number;
  readonly listening: ReadonlySet<number>;
  readonly loops: readonly number[];
  readonly options: SignalOptions;
}

/** Opens the inspector with SIGUSR1. Throws TargetBlockedError when native code keeps the main thread from it. */
export async function openBySignal(pid: number, options: SignalOptions): Promise<InspectorAddress> {
  const [tcp, loops] = await Promise.all([readTcp(pid), loopDescriptors(pid)]);
  const listening = new Set(tcp.filter(isListening).map(socket => socket.inode));
  const before: Before = { pid, startedAt: performance.now(), listening, loops, options };
  // A rare miss without a cause was seen (1 of 150 on Node 20): an idle target is asked a second time.
  for (let misses = 0; misses < MISSES; misses++) {
    // Somebody else may have taken the port meanwhile; the target itself, only by an answer to the first signal.
    const late = await freshInspector(before);
    if (late) return late;
    // Whoever has the port now had it when the target tried: that was no miss.
    if (await options.untilPortIsFree()) misses = 0;
    await options.send();
    const found = await untilPortOpens(before);
    if (found === 'blocked') throw await blocked(before);
    if (found !== 'idle') return found;
  }
  throw ownHandler(pid);
}

async function untilPortOpens(before: Before): Promise<InspectorAddress | 'idle' | 'blocked'> {
  const { signal } = before.options;
  const startedAt = performance.now();
  const watch = new Standstill(before);
  for (let ms = 0; ms < PORT_WAIT_MS; ms = performance.now() - startedAt) {
    const address = await freshInspector(before);
    if (signal?.aborted) await giveUp(before, signal.reason);
    if (address) return address;
    const verdict = await watch.look();
    if (verdict) return verdict;
    await sleep(ms < SOON_MS ? POLL_MS : LATER_POLL_MS);
  }
  return 'blocked';
}

/** Interrupted right after the signal: what it opens is closed again before leaving. */
async function giveUp(before: Before, reason: unknown): Promise<never> {
  await rememberSignal(before.pid);
  await closeLate(before, GIVE_UP_MS);
  throw reason;
}

/** Watches a main thread after the signal: one that polls its loop has had its turn, one that sleeps elsewhere won't have it. */
class Standstill {
  readonly #before: Before;
  #where = '';
  #since = performance.now();

  constructor(before: Before) {
    this.#before = before;
  }

  async look(): Promise<'idle' | 'blocked' | undefined> {
    const { pid, loops } = this.#before;
    const thread = await readMainThread(pid);
    if (!thread) throw noSuchProcess(pid);
    const idle = pollsMainLoop(thread, loops) && !(await this.#mayWaitForChild(thread));
    const ms = this.#staysAt(idle ? 'idle' : sleepingAt(thread));
    if (idle) return ms > IDLE_MISS_MS ? 'idle' : undefined;
    return ms > ASLEEP_MS ? 'blocked' : undefined;
  }

  /** Without the right to see which loop is polled (yama), a child beside a fourth loop decides. */
  async #mayWaitForChild(thread: MainThread): Promise<boolean> {
    const { pid, loops } = this.#before;
    if (thread.syscall || loops.length <= LOOPS_WITHOUT_INSPECTOR) return false;
    return (await readChildren(pid)).length > 0;
  }

  /** For how long it has been found at this one place, in milliseconds; 0 for no place. */
  #staysAt(where: string): number {
    if (where !== this.#where || where === '') this.#since = performance.now();
    this.#where = where;
    return performance.now() - this.#since;
  }
}

/** Where it sleeps in the kernel; empty while it runs, and on a lock, where it may wait for the collector's helpers. */
function sleepingAt({ state, syscall, waitChannel }: MainThread): string {
  const place = syscall ? `${syscall.name} ${syscall.args}` : (waitChannel ?? '');
  return state === 'R' || place.startsWith('futex') ? '' : place;
}

/** The descriptors of the process are looked at only when somebody opened a port: a busy server has thousands. */
async function freshInspector(before: Before): Promise<InspectorAddress | undefined> {
  const fresh = (await readTcp(before.pid)).filter(
    socket => isListening(socket) && !before.listening.has(socket.inode),
  );
  if (fresh.length === 0) return undefined;
  const own = await socketInodes(before.pid);
  const candidates = fresh.filter(socket => own.has(socket.inode));
  return firstInspector(candidates, { connect: before.options.connect });
}

function isListening(socket: TcpSocket): boolean {
  return socket.state === 'LISTEN';
}

/** The signal stays pending: the inspector opens by itself when the block ends, and is closed then, by this run or the next. */
async function blocked(before: Before): Promise<TargetBlockedError> {
  await rememberSignal(before.pid);
  const block = await describeNativeBlock(before.pid, performance.now() - before.startedAt);
  return new TargetBlockedError(block, timeoutMs => closeLate(before, timeoutMs));
}

/** Waits for what a pending signal opens, and closes it; true when that was done in time. */
async function closeLate(before: Before, timeoutMs: number): Promise<boolean> {
  const { connect, debugPort } = before.options;
  const until = performance.now() + timeoutMs;
  while (performance.now() < until) {
    const address = await freshInspector(before).catch(() => undefined); // gone is as good as closed
    if (address) return (await takeRememberedSignal(before.pid)) && closeInspectorAt(address.url, connect, debugPort);
    await sleep(LATER_POLL_MS);
  }
  return false;
}
