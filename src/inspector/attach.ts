import { LensError } from '../model/error.js';
import { LeasedAgentHost } from './agent-host.js';
import { ProtocolConnection } from './connection.js';
import { probeInspector } from './inspector-port.js';
import { LiveSession } from './live-session.js';
import { type Opened, openByPid } from './open.js';
import { listeningSockets } from './proc/sockets.js';
import type { Session } from './session.js';
import { readTargetInfo } from './target-info.js';
import { openWebSocket, type Wire } from './wire.js';

export type AttachTarget =
  | { readonly pid: number }
  | { readonly url: string }
  | { readonly port: number; readonly host?: string };

export interface AttachOptions {
  /** Gives up; whatever was opened so far is closed again. */
  readonly signal?: AbortSignal;
}

const CONNECT_TIMEOUT_MS = 3_000;
const FIRST_ANSWER_MS = 3_000;

/** Reaches a running Node process and installs the leased agent host in it. Throws LensError; leaves nothing behind then. */
export async function attach(spec: AttachTarget, options: AttachOptions = {}): Promise<Session> {
  const opened = await locate(spec, options.signal);
  const dial = () => openWebSocket(opened.url, { timeoutMs: CONNECT_TIMEOUT_MS, signal: options.signal });
  const connection = new ProtocolConnection(await dial());
  return settle(spec, opened, connection, dial);
}

async function settle(
  spec: AttachTarget,
  opened: Opened,
  connection: ProtocolConnection,
  dial: () => Promise<Wire>,
): Promise<Session> {
  const knownPid = 'pid' in spec ? spec.pid : undefined;
  const target = await readTargetInfo(connection, { url: opened.url, knownPid, timeoutMs: FIRST_ANSWER_MS });
  const { agent, opened: mustClose } = await LeasedAgentHost.start(connection, opened.opened);
  return new LiveSession({
    connection,
    target,
    url: opened.url,
    openedInspector: mustClose,
    agent,
    dial,
    portClosed: async () => !(await stillListens(target.pid, opened.port)),
    release: async () => {},
  });
}

async function locate(spec: AttachTarget, signal?: AbortSignal): Promise<Opened> {
  if ('pid' in spec) return openByPid(spec.pid, signal);
  if ('url' in spec) {
    const { hostname, port } = new URL(spec.url);
    return { url: spec.url, host: hostname, port: Number(port), opened: false };
  }
  const host = spec.host ?? '127.0.0.1';
  const address = await probeInspector(host, spec.port);
  if (!address) throw new LensError('inspector-unreachable', `No inspector answers on ${host}:${spec.port}.`);
  return { ...address, opened: false };
}

async function stillListens(pid: number, port: number): Promise<boolean> {
  return (await listeningSockets(pid)).some(socket => socket.localPort === port);
}
