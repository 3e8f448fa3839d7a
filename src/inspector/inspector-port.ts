import { get } from 'node:http';
import type { Duplex } from 'node:stream';
import { descriptors, listeningSockets, type TcpSocket } from './proc/sockets.js';

export interface InspectorAddress {
  readonly host: string;
  readonly port: number;
  /** ws:// address of the main thread. */
  readonly url: string;
}

export interface ProbeOptions {
  readonly timeoutMs?: number;
  readonly connect?: ((port: number, host: string) => Duplex) | undefined;
  /** Asks only the ports that inspectors usually have, never one that is probably the program's own. */
  readonly likelyOnly?: boolean;
}

/** A stuck program accepts and never answers. */
const PROBE_TIMEOUT_MS = 1_000;

/** Node without an inspector polls in three loops (main, platform, signal); the inspector's thread adds a fourth. 18–26. */
export const LOOPS_WITHOUT_INSPECTOR = 3;

/** Asks for /json/list; undefined unless an inspector answers. */
export async function probeInspector(
  host: string,
  port: number,
  options: ProbeOptions = {},
): Promise<InspectorAddress | undefined> {
  const url = await listedUrl(host, port, options).catch(() => undefined);
  return url === undefined ? undefined : { host, port, url };
}

function listedUrl(host: string, port: number, options: ProbeOptions): Promise<string | undefined> {
  const { connect } = options;
  return new Promise((resolve, reject) => {
    const signal = AbortSignal.timeout(options.timeoutMs ?? PROBE_TIMEOUT_MS);
    // An own connection is used only without an agent. Node takes any Duplex; its type asks for a net.Socket.
    const way = connect ? { createConnection: (() => connect(port, host)) as never } : { agent: false as const };
    // A name other than localhost or an address is refused by the inspector (DNS rebinding), so none is sent.
    const request = get({ host, port, path: '/json/list', signal, ...way }, response => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        try {
          resolve(debuggerUrl(Buffer.concat(chunks).toString(), host, port));
        } catch (notJson) {
          reject(notJson); // the program's own server, which answers in HTML
        }
      });
    });
    request.on('error', reject);
  });
}

/** The inspector writes the address from the Host header; the host lens came by is the one that works. */
function debuggerUrl(text: string, host: string, port: number): string | undefined {
  const list = JSON.parse(text) as unknown;
  const first: unknown = Array.isArray(list) ? list[0] : undefined;
  const url: unknown =
    typeof first === 'object' && first !== null ? Reflect.get(first, 'webSocketDebuggerUrl') : undefined;
  const id = typeof url === 'string' ? /^ws:\/\/[^/]+\/(.+)$/.exec(url)?.[1] : undefined;
  return id === undefined ? undefined : `ws://${host.includes(':') ? `[${host}]` : host}:${port}/${id}`;
}

/** Where to connect for a listening socket: one bound to all interfaces is reached by loopback. */
export function reachableHost(socket: TcpSocket): string {
  if (socket.localAddress === '0.0.0.0') return '127.0.0.1';
  return socket.localAddress === '::' ? '::1' : socket.localAddress;
}

/**
 * The inspector a process already has open. A program's own ports are asked only when the process polls in more loops
 * than Node needs without an inspector, the likely ones first.
 */
export async function openInspector(pid: number, options: ProbeOptions = {}): Promise<InspectorAddress | undefined> {
  if ((await loopDescriptors(pid)).length <= LOOPS_WITHOUT_INSPECTOR) return undefined;
  const sockets = await listeningSockets(pid);
  const likely = sockets.filter(looksLikeInspector);
  const found = await firstInspector(likely, options);
  if (found || options.likelyOnly) return found;
  const others = sockets.filter(socket => !likely.includes(socket));
  return firstInspector(others, options);
}

/** The first of these sockets behind which an inspector answers. */
export async function firstInspector(
  sockets: readonly TcpSocket[],
  options: ProbeOptions = {},
): Promise<InspectorAddress | undefined> {
  const found = await Promise.all(
    sockets.map(socket => probeInspector(reachableHost(socket), socket.localPort, options)),
  );
  return found.find(address => address !== undefined);
}

function looksLikeInspector(socket: TcpSocket): boolean {
  return socket.localPort >= 9_200 && socket.localPort < 9_400;
}

/** The epoll descriptors of a process: one per libuv loop. */
export async function loopDescriptors(pid: number): Promise<number[]> {
  return [...(await descriptors(pid))].filter(([, link]) => link === 'anon_inode:[eventpoll]').map(([fd]) => fd);
}
