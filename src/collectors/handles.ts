import type { RawCreator, RawCreators, RawGroup, RawReading, RawTimers } from '../agents/handles/raw.js';
import type { Session } from '../inspector/session.js';
import type {
  Counts,
  Creator,
  HandleKind,
  Handles,
  OtherGroup,
  SocketGroup,
  TimerGroup,
} from '../model/evidence/handles.js';
import type { Json } from '../model/json.js';
import type { Collector } from './collector.js';
import { type ConnectionReading, connectionSeries, readConnections } from './connections.js';
import { type DescriptorReading, descriptorSeries, readDescriptors } from './descriptors.js';
import { toFrames } from './frames.js';
import { scriptIds } from './script-ids.js';

const DEFAULT_SECONDS = 6;
const READ_EVERY_MS = 1000;
const CALL_TIMEOUT_MS = 20_000;

const KIND_OF_TYPE: { readonly [type: string]: HandleKind } = {
  Timeout: 'timer',
  TCPWRAP: 'socket',
  PIPEWRAP: 'socket',
  UDPWRAP: 'socket',
  PROCESSWRAP: 'child',
  FSEVENTWRAP: 'watcher',
  STATWATCHER: 'watcher',
  FILEHANDLE: 'file',
  fd: 'file',
  WORKER: 'worker',
};

let askers = 0;

/** Timers, sockets, children, watchers and descriptors over a window, and on demand where they are made. */
export const handlesCollector: Collector<'handles'> = {
  kind: 'handles',
  title: 'Handles',
  cost: 'light',
  async collect(session, { seconds = DEFAULT_SECONDS, creators, timerMs }, context) {
    await session.agent.install('handles');
    const asker = `window-${++askers}`;
    const readings: RawReading[] = [];
    const kernel: KernelReading = { descriptors: [], connections: [] };
    const read = async () => {
      readings.push(await call<RawReading>(session, 'read', asker));
      readKernel(session.target.pid, kernel);
    };
    let made: RawCreators | undefined;
    try {
      await read();
      if (creators) await call(session, 'watch', { kinds: creators, ...(timerMs ? { timerMs } : {}) });
      for (let i = 0; i < seconds; i++) {
        await context.sleep(READ_EVERY_MS);
        await read();
      }
    } finally {
      // The hook must not stay in the target; a lost target needs no closing.
      if (creators) made = await call<RawCreators>(session, 'creators').catch(() => undefined);
      await call(session, 'close', asker).catch(() => undefined);
    }
    const frames = made?.creators.flatMap(creator => creator.frames.map(({ url }) => url)) ?? [];
    const urls = frames.length > 0 ? await scriptIds(session, frames) : undefined;
    const fault = readings.at(-1)?.timerFault;
    return {
      data: {
        ...toHandles(readings),
        ...toKernel(session.target.pid, kernel),
        ...(made ? toMade(made, urls?.ids) : {}),
      },
      pausedMs: urls?.pausedMs ?? 0,
      ...(fault === undefined ? {} : { partial: `Timers could not be read: ${fault}.` }),
    };
  },
};

/** What the kernel says, beside each reading of the program's own lists. */
interface KernelReading {
  readonly descriptors: DescriptorReading[];
  readonly connections: ConnectionReading[];
}

function readKernel(pid: number, { descriptors, connections }: KernelReading): void {
  const table = readDescriptors(pid);
  if (table === undefined) return;
  descriptors.push(table);
  const open = readConnections(pid, table.socketInodes);
  if (open !== undefined) connections.push(open);
}

function toKernel(
  pid: number,
  { descriptors, connections }: KernelReading,
): Pick<Handles, 'descriptors' | 'connections'> {
  const table = descriptorSeries(pid, descriptors);
  return {
    ...(table === undefined ? {} : { descriptors: table }),
    ...(connections.length === 0 ? {} : { connections: connectionSeries(connections) }),
  };
}

function toMade({ creators, clientRequests }: RawCreators, ids: ReadonlyMap<string, string> = new Map()) {
  return { creators: creators.map(creator => toCreator(creator, ids)), clientRequests };
}

const call = <T>(session: Session, method: string, argument?: Json): Promise<T> =>
  session.agent.call<T>('handles', method, argument === undefined ? [] : [argument], { timeoutMs: CALL_TIMEOUT_MS });

function toCreator({ type, count, followed, alive, frames }: RawCreator, ids: ReadonlyMap<string, string>): Creator {
  return {
    kind: KIND_OF_TYPE[type] ?? 'other',
    type,
    count,
    followed,
    alive,
    frames: toFrames(frames, ids),
  };
}

function toHandles(readings: readonly RawReading[]): Handles {
  const first = readings[0] as RawReading; // read before the window began
  const last = readings.at(-1) as RawReading;
  const groups = series(readings, reading => reading.groups, groupKey);
  return {
    seconds: (last.now - first.now) / 1000,
    at: readings.map(({ now }) => (now - first.now) / 1000),
    uptimeSeconds: last.uptimeSeconds,
    timers: series(
      readings,
      reading => reading.timers,
      timer => timer.key,
    ).map(toTimerGroup),
    timerTotal: readings.map(({ timerTotal }) => timerTotal),
    sockets: groups.filter(({ newest }) => newest.kind === 'socket').map(toSocketGroup),
    others: groups.filter(({ newest }) => newest.kind !== 'socket').map(toOtherGroup),
    listeners: last.listeners,
    requests: last.requests,
    resources: resourceSeries(readings),
    truncated: readings.some(({ truncated }) => truncated),
  };
}

/** One group through all readings: its newest state and, per reading, the group or nothing. */
interface Series<T> {
  readonly newest: T;
  readonly all: readonly (T | undefined)[];
}

function series<T extends { readonly count: number }>(
  readings: readonly RawReading[],
  pick: (reading: RawReading) => readonly T[],
  key: (item: T) => string,
): Series<T>[] {
  const byKey = new Map<string, { newest: T; all: (T | undefined)[] }>();
  readings.forEach((reading, i) => {
    for (const item of pick(reading)) {
      const known = byKey.get(key(item)) ?? { newest: item, all: readings.map(() => undefined) };
      byKey.set(key(item), known);
      known.newest = item;
      known.all[i] = item;
    }
  });
  return [...byKey.values()];
}

const groupKey = ({ kind, type, direction, name }: RawGroup): string => `${kind} ${type} ${direction} ${name}`;
const countsOf = (all: readonly ({ readonly count: number } | undefined)[]): Counts =>
  all.map(item => item?.count ?? 0);

function toTimerGroup({ newest, all }: Series<RawTimers>): TimerGroup {
  const { ms, repeat, name, location } = newest;
  return {
    ms,
    repeat,
    name,
    ...(location === undefined
      ? {}
      : { callback: { scriptId: location.scriptId, line: location.lineNumber, column: location.columnNumber } }),
    counts: countsOf(all),
  };
}

function toSocketGroup({ newest, all }: Series<RawGroup>): SocketGroup {
  const present = all.at(-1) !== undefined;
  const { born, gone, idle, idleBorn, settledBorn, busy, bytesRead, bytesWritten } = newest;
  const now = present
    ? { born, idle, idleBorn, settledBorn, busy, bytesRead, bytesWritten }
    : { born: 0, idle: 0, idleBorn: 0, settledBorn: 0, busy: 0, bytesRead: 0, bytesWritten: 0 };
  return {
    direction: newest.direction as SocketGroup['direction'], // the agent writes only these four
    peer: newest.name,
    counts: countsOf(all),
    gone: present ? gone : gone + newest.count,
    halfClosed: all.map(item => item?.halfClosed ?? 0),
    ...now,
  };
}

function toOtherGroup({ newest, all }: Series<RawGroup>): OtherGroup {
  const present = all.at(-1) !== undefined;
  return {
    kind: newest.kind,
    type: newest.type,
    ...(newest.name === '' ? {} : { name: newest.name }),
    counts: countsOf(all),
    born: present ? newest.born : 0,
    gone: present ? newest.gone : newest.gone + newest.count,
    ...(newest.busy > 0 ? { unread: all.map(item => item?.busy ?? 0) } : {}),
    ...(newest.pids.length === 0 ? {} : { pids: newest.pids }),
  };
}

function resourceSeries(readings: readonly RawReading[]): { [type: string]: Counts } {
  const types = new Set(readings.flatMap(({ resources }) => Object.keys(resources)));
  return Object.fromEntries([...types].map(type => [type, readings.map(({ resources }) => resources[type] ?? 0)]));
}
