import { readdir, readlink } from 'node:fs/promises';
import { readProc } from './status.js';

/** One row of /proc/net/tcp or tcp6. */
export interface TcpSocket {
  readonly state: string;
  readonly localAddress: string;
  readonly localPort: number;
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly inode: number;
  /** For a listening socket: connections that wait to be accepted. */
  readonly receiveQueue: number;
  readonly sendQueue: number;
}

const STATES: Readonly<Record<string, string>> = {
  '01': 'ESTABLISHED',
  '02': 'SYN_SENT',
  '03': 'SYN_RECV',
  '04': 'FIN_WAIT1',
  '05': 'FIN_WAIT2',
  '06': 'TIME_WAIT',
  '07': 'CLOSE',
  '08': 'CLOSE_WAIT',
  '09': 'LAST_ACK',
  '0A': 'LISTEN',
  '0B': 'CLOSING',
};

/** Rows of a /proc/net/tcp or tcp6 file; the header and torn lines are skipped. */
export function parseTcp(text: string): TcpSocket[] {
  return text
    .split('\n')
    .slice(1)
    .flatMap(line => {
      const columns = line.trim().split(/\s+/);
      const [, local, remote, state, queues, , , , , inode] = columns;
      if (local === undefined || remote === undefined || state === undefined || inode === undefined) return [];
      const [sendQueue = '0', receiveQueue = '0'] = (queues ?? '').split(':');
      return [
        {
          state: STATES[state] ?? state,
          ...endpoint(local, 'local'),
          ...endpoint(remote, 'remote'),
          inode: Number(inode),
          receiveQueue: Number.parseInt(receiveQueue, 16),
          sendQueue: Number.parseInt(sendQueue, 16),
        },
      ];
    });
}

type Endpoint<S extends 'local' | 'remote'> = { [K in `${S}Address`]: string } & { [K in `${S}Port`]: number };

function endpoint<S extends 'local' | 'remote'>(text: string, side: S): Endpoint<S> {
  const [address = '', port = '0'] = text.split(':');
  // The keys are computed from the side, which TypeScript does not follow.
  return { [`${side}Address`]: parseAddress(address), [`${side}Port`]: Number.parseInt(port, 16) } as Endpoint<S>;
}

/** The kernel prints each 32-bit word in host (little-endian) order. */
export function parseAddress(hex: string): string {
  const bytes = (hex.match(/.{8}/g) ?? []).flatMap(word =>
    (word.match(/../g) ?? []).reverse().map(byte => Number.parseInt(byte, 16)),
  );
  if (bytes.length === 4) return bytes.join('.');
  if (/^0{16}ffff0000/i.test(hex)) return bytes.slice(12).join('.');
  const groups = Array.from({ length: 8 }, (_, i) =>
    (((bytes[2 * i] ?? 0) << 8) | (bytes[2 * i + 1] ?? 0)).toString(16),
  );
  return groups.join(':').replace(/(^|:)0(:0)+(:|$)/, '::');
}

/** Inode of each socket a process has open. Empty when its fds may not be read. */
export async function socketInodes(pid: number): Promise<Set<number>> {
  return socketInodesOf(await fdLinks(pid));
}

export function socketInodesOf(links: readonly string[]): Set<number> {
  const inodes = links.flatMap(link => {
    const inode = /^socket:\[(\d+)\]$/.exec(link)?.[1];
    return inode === undefined ? [] : [Number(inode)];
  });
  return new Set(inodes);
}

/** How many rows of these /proc/PID/net tables name one of the inodes. */
export async function countRows(pid: number, tables: readonly string[], inodes: ReadonlySet<number>): Promise<number> {
  const texts = await Promise.all(tables.map(table => readProc(pid, table)));
  const lines = texts.flatMap(text => text?.trim().split('\n') ?? []);
  const [header] = lines;
  // net/unix prints "Num RefCount Protocol Flags Type St Inode Path"; the others have the inode where tcp has it.
  const column = header?.trim().startsWith('Num') ? 6 : 9;
  return lines.filter(line => inodes.has(Number(line.trim().split(/\s+/)[column]))).length;
}

/** What each open file descriptor points at; empty when they may not be read. */
export async function fdLinks(pid: number): Promise<string[]> {
  return [...(await descriptors(pid)).values()];
}

/** Descriptor number to what it points at. */
export async function descriptors(pid: number): Promise<Map<number, string>> {
  const names = await readdir(`/proc/${pid}/fd`).catch(() => []);
  const entries = names.map(
    async name => [Number(name), await readlink(`/proc/${pid}/fd/${name}`).catch(() => '')] as const,
  );
  return new Map(await Promise.all(entries));
}

/** Every tcp socket of the network namespace that the process lives in, owned by whomever. */
export async function readTcp(pid: number | 'self'): Promise<TcpSocket[]> {
  const texts = await Promise.all([readProc(pid, 'net/tcp'), readProc(pid, 'net/tcp6')]);
  return texts.flatMap(text => (text === undefined ? [] : parseTcp(text)));
}

/** The sockets on which this very process listens; `port` asks for one alone, which spares most looks at its descriptors. */
export async function listeningSockets(pid: number, port?: number): Promise<TcpSocket[]> {
  const listening = (await readTcp(pid)).filter(
    ({ state, localPort }) => state === 'LISTEN' && (port ?? localPort) === localPort,
  );
  if (listening.length === 0) return [];
  const inodes = await socketInodes(pid);
  return listening.filter(socket => inodes.has(socket.inode));
}
