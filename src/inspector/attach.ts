import { LeasedAgentHost } from './agent-host.js';
import { closeInspectorAt, endInspector, setDebugPort } from './close-later.js';
import { closeOpened, closeWhenOpened } from './cluster-workers.js';
import { ProtocolConnection } from './connection.js';
import { probeInspector } from './inspector-port.js';
import { LiveSession } from './live-session.js';
import { lockTarget, rememberSignal } from './lock.js';
import { describeNativeBlock, TargetBlockedError } from './native-block.js';
import { type Opened, openByPid } from './open.js';
import { holderOf } from './port-holder.js';
import { listeningSockets, readTcp } from './proc/sockets.js';
import { readStatus } from './proc/status.js';
import { connectFailed, unreachable, wrongProcess } from './refusals.js';
import type { Session } from './session.js';
import { type ReadTarget, readTargetInfo } from './target-info.js';
import { openWebSocket, type Wire } from './wire.js';

export type AttachTarget =
  | { readonly pid: number }
  | { readonly url: string }
  | { readonly port: number; readonly host?: string };

export interface AttachOptions {
  /** Gives up; whatever was opened so far is closed again. */
  readonly signal?: AbortSignal;
  /** For who stays long: the inspector opens on a port of its own, and the usual one stays free for others. */
  readonly ownPort?: boolean;
  /** Told once, in a sentence, when the inspector's port is taken by another lens and waited for. */
  readonly onWait?: (why: string) => void;
  /** How long the target keeps lens' code when lens is killed, in milliseconds. Default 10 000. */
  readonly leaseMs?: number;
}

const CONNECT_TIMEOUT_MS = 3_000;

/** A loop of JavaScript is interrupted within a second; what takes longer is in native code. */
const FIRST_ANSWER_MS = 3_500;

/** Takes back what an attach did so far, newest first. */
type Undo = (() => Promise<unknown>)[];

/** Reaches a running Node process and installs the leased agent host in it. Throws LensError, and leaves nothing behind then. */
export async function attach(where: AttachTarget, options: AttachOptions = {}): Promise<Session> {
  const undo: Undo = [];
  try {
    return await reach(where, options, undo);
  } catch (error) {
    for (const step of undo.reverse()) await step().catch(() => {}); // the first error is the one to tell
    throw error;
  }
}

async function reach(where: AttachTarget, options: AttachOptions, undo: Undo): Promise<Session> {
  let release = 'pid' in where ? await lockTarget(where.pid) : undefined;
  if (release) undo.push(release);
  const opened = await locate(where, options);
  const leaveWorkers = closingWorkers(opened);
  undo.push(leaveWorkers);
  const dial = () => openConnection(opened, options.signal);
  const connection = new ProtocolConnection(await dial());
  undo.push(() => connection.close());
  if (opened.opened) undo.push(() => endInspector(connection));
  const target = await introduce(where, opened, connection);
  if (opened.sharedPort !== undefined) await setDebugPort(connection, opened.sharedPort);
  if (!release && target.pid !== 0) {
    release = await lockTarget(target.pid);
    undo.push(release);
  }
  const leaseMs = options.leaseMs;
  const { agent, opened: mustClose } = await LeasedAgentHost.start(connection, { opened: opened.opened, leaseMs });
  const { innerPid: _, ...info } = target;
  return new LiveSession({
    connection,
    target: info,
    url: opened.url,
    openedInspector: mustClose,
    agent,
    dial,
    portClosed: () => portIsClosed(target.pid, opened),
    release: async () => {
      await leaveWorkers();
      await release?.();
    },
  });
}

/** Begins at once to close what opened in cluster workers; the function it returns waits for that, and looks once more. */
function closingWorkers({ workers = [], connect }: Opened): () => Promise<void> {
  const closing = closeWhenOpened(workers, connect);
  return async () => {
    await closing;
    await closeOpened(workers, connect);
  };
}

async function locate(where: AttachTarget, options: AttachOptions): Promise<Opened> {
  if ('pid' in where) return openByPid(where.pid, options);
  if ('url' in where) return { ...parseUrl(where.url), opened: false };
  const host = where.host ?? '127.0.0.1';
  const address = await probeInspector(host, where.port);
  if (!address) throw unreachable(host, where.port);
  return { ...address, opened: false };
}

function parseUrl(url: string): { url: string; host: string; port: number } {
  if (!URL.canParse(url)) throw connectFailed(url, 'it is not a ws:// address');
  const { hostname, port } = new URL(url);
  return { url, host: hostname, port: Number(port || 80) };
}

async function openConnection({ url, host, port, connect }: Opened, signal: AbortSignal | undefined): Promise<Wire> {
  const through = connect && (() => connect(port, host));
  try {
    return await openWebSocket(url, { timeoutMs: CONNECT_TIMEOUT_MS, signal, connect: through });
  } catch (error) {
    throw signal?.aborted ? signal.reason : connectFailed(url, error);
  }
}

/** The inspector's own thread takes the connection even while the main thread is blocked: the first answer tells. */
async function introduce(where: AttachTarget, opened: Opened, connection: ProtocolConnection): Promise<ReadTarget> {
  const startedAt = performance.now();
  const knownPid = 'pid' in where ? where.pid : await ownerOf(opened);
  const reading = readTargetInfo(connection, { url: opened.url, knownPid, timeoutMs: FIRST_ANSWER_MS });
  const target = await reading.catch(async error => {
    if (error.code !== 'timeout' || knownPid === undefined) throw error;
    if (opened.opened) await rememberSignal(knownPid);
    const block = await describeNativeBlock(knownPid, performance.now() - startedAt);
    throw new TargetBlockedError(block, timeoutMs => closeInTime(opened, timeoutMs));
  });
  const inner = 'pid' in where ? (await readStatus(where.pid))?.innerPid : undefined;
  if ('pid' in where && inner !== undefined && inner !== target.innerPid)
    throw wrongProcess(where.pid, target.innerPid);
  return target;
}

/** The process of this machine behind an address, if it is one that lens may see. */
async function ownerOf({ host, port }: Opened): Promise<number | undefined> {
  if (!/^(localhost|127\.|\[?::1)/.test(host)) return undefined;
  const socket = (await readTcp('self')).find(({ state, localPort }) => state === 'LISTEN' && localPort === port);
  return socket && (await holderOf(socket))?.pid;
}

async function portIsClosed(pid: number, { port }: Opened): Promise<boolean> {
  return (await listeningSockets(pid, port)).length === 0;
}

/** Tries until the block ends or the time is over. */
async function closeInTime({ opened, url, connect, sharedPort }: Opened, timeoutMs: number): Promise<boolean> {
  if (!opened) return true;
  const until = performance.now() + timeoutMs;
  while (performance.now() < until) {
    if (await closeInspectorAt(url, connect, sharedPort).catch(() => false)) return true;
  }
  return false;
}
