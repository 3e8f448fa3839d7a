import { readFileSync } from 'node:fs';
import { parseTcp, type TcpSocket } from '../inspector/proc/sockets.js';
import type { ConnectionGroup } from '../model/evidence/handles.js';

/** A host with more sockets than this in one table is told by its descriptors alone. */
const MAX_TABLE_BYTES = 8_000_000;
const MAX_GROUPS = 40;

const UDP = 'UDP';

/** The kernel's view of the target's TCP and UDP sockets at one moment, by inode. */
export type ConnectionReading = ReadonlyMap<number, TcpSocket>;

/**
 * The program's own list leaves out what doesn't keep the loop alive (idle sockets of an http agent): the kernel's
 * doesn't. Undefined off Linux and when the table can't be read.
 */
export function readConnections(pid: number, inodes: ReadonlySet<number>): ConnectionReading | undefined {
  const tables = ['tcp', 'tcp6'].map(name => readTable(`/proc/${pid}/net/${name}`));
  if (tables.every(table => table === undefined)) return undefined;
  // The table of UDP has the same columns; its states say nothing.
  const udp = ['udp', 'udp6'].flatMap(name => parseTcp(readTable(`/proc/${pid}/net/${name}`) ?? ''));
  const all = [...tables.flatMap(table => parseTcp(table ?? '')), ...udp.map(socket => ({ ...socket, state: UDP }))];
  const own = all.filter(({ inode }) => inodes.has(inode));
  return new Map(own.map(socket => [socket.inode, socket]));
}

/** Readings of one window, oldest first, by peer. */
export function connectionSeries(readings: readonly ConnectionReading[]): ConnectionGroup[] {
  const listening = new Set<number>();
  for (const reading of readings) {
    for (const { state, localPort } of reading.values()) if (state === 'LISTEN') listening.add(localPort);
  }
  const groups = new Map<string, Group>();
  readings.forEach((reading, at) => {
    for (const socket of reading.values()) {
      if (socket.state !== 'LISTEN') add(groups, socket, at, readings, listening);
    }
  });
  return [...groups.values()]
    .map(group => ({ ...group, ...comings(group.key, readings, listening) }))
    .map(({ key: _, ...group }) => group)
    .sort((a, b) => (b.counts.at(-1) ?? 0) - (a.counts.at(-1) ?? 0))
    .slice(0, MAX_GROUPS);
}

interface Group {
  readonly key: string;
  readonly direction: ConnectionGroup['direction'];
  readonly peer: string;
  readonly counts: number[];
  readonly closeWait: number[];
}

function add(
  groups: Map<string, Group>,
  socket: TcpSocket,
  at: number,
  readings: readonly ConnectionReading[],
  listening: ReadonlySet<number>,
): void {
  const key = keyOf(socket, listening);
  const [direction, peer] = key.split(' ') as [ConnectionGroup['direction'], string]; // made by keyOf
  const group = groups.get(key) ?? {
    key,
    direction,
    peer,
    counts: readings.map(() => 0),
    closeWait: readings.map(() => 0),
  };
  groups.set(key, group);
  group.counts[at] = (group.counts[at] ?? 0) + 1;
  if (socket.state === 'CLOSE_WAIT') group.closeWait[at] = (group.closeWait[at] ?? 0) + 1;
}

const keyOf = ({ state, localPort, remoteAddress, remotePort }: TcpSocket, listening: ReadonlySet<number>): string =>
  state === UDP ? 'udp ' : listening.has(localPort) ? `in ${localPort}` : `out ${remoteAddress}:${remotePort}`;

/** Opened since the first reading and still there; seen in one reading and not in the next. */
function comings(key: string, readings: readonly ConnectionReading[], listening: ReadonlySet<number>) {
  const inodes = readings.map(
    reading =>
      new Set([...reading.values()].filter(socket => keyOf(socket, listening) === key).map(({ inode }) => inode)),
  );
  const born = [...(inodes.at(-1) ?? [])].filter(inode => !inodes[0]?.has(inode)).length;
  const gone = inodes.reduce(
    (sum, now, i) => sum + [...(inodes[i - 1] ?? [])].filter(inode => !now.has(inode)).length,
    0,
  );
  return { born, gone };
}

function readTable(path: string): string | undefined {
  try {
    const text = readFileSync(path, 'latin1');
    return text.length > MAX_TABLE_BYTES ? undefined : text;
  } catch {
    return undefined;
  }
}
