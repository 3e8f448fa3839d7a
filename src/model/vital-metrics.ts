import { sayBytes, sayCount, sayMs, sayShare } from '../base/say.js';
import { mean } from '../base/statistics.js';
import type { Disk, Host } from './evidence/host.js';
import type { ProcessReading } from './evidence/process.js';
import type { Vitals, VitalsSample } from './evidence/vitals.js';
import type { Measures } from './watch-event.js';

/** What a metric's number is: decides how it is said, and how a threshold's suffix is read. */
export type Unit = 'bytes' | 'ms' | 'share' | 'percent' | 'count';

export interface MetricKind {
  readonly name: string;
  readonly unit: Unit;
  readonly doc: string;
  /** A change smaller than this is nothing, whatever its deviations: what an idle Node 24 wobbles by, doubled. */
  readonly floor: number;
  /** Absent where more is not worse: such a metric never regresses. */
  readonly moreIsWorse?: true;
}

const MIB = 1_048_576;
const worse = (name: string, unit: Unit, floor: number, doc: string): MetricKind => ({
  name,
  unit,
  floor,
  doc,
  moreIsWorse: true,
});

/** For limits, pictures and sinks: what is unusual about these says nothing by itself. */
const plain = (name: string, unit: Unit, doc: string): MetricKind => ({ name, unit, floor: 0, doc });

/** What a watch itself knows of a target (src/monitor/health.ts). */
export const STABILITY = 'health.stability';

/** Every cheap metric of a target: no reading behind them is felt by it. The names are what thresholds and sinks use. */
export const METRICS: readonly MetricKind[] = [
  worse('memory.rssBytes', 'bytes', 16 * MIB, 'resident size'),
  worse('memory.externalBytes', 'bytes', 8 * MIB, 'buffers and other memory outside of the V8 heap'),
  worse('heap.usedBytes', 'bytes', 16 * MIB, 'V8 heap in use, garbage included'),
  worse('heap.liveBytes', 'bytes', 8 * MIB, 'V8 heap right after a full collection'),
  worse('heap.liveShare', 'share', 0.05, 'live heap by the heap limit'),
  worse('memory.limitShare', 'share', 0.05, 'resident size by the memory limit of the container'),
  worse('heap.limitShare', 'share', 0.05, 'used heap by the heap limit'),
  worse('gc.share', 'share', 0.02, 'time in garbage collection'),
  worse('gc.longestMs', 'ms', 20, 'longest collection'),
  worse('cpu.percent', 'percent', 10, 'of one core, all threads'),
  worse('loop.utilization', 'share', 0.1, 'event-loop utilization'),
  worse('loop.delayMeanMs', 'ms', 5, 'mean delay of the event loop'),
  worse('loop.delayP99Ms', 'ms', 10, '99th percentile of its delay'),
  worse('loop.delayMaxMs', 'ms', 50, 'longest delay'),
  worse('handles.active', 'count', 10, 'timers, sockets, servers and others that keep the loop alive'),
  worse('requests.active', 'count', 10, 'file, dns, connect and write operations under way'),
  worse('fds.open', 'count', 10, 'open descriptors'),
  worse('fds.limitShare', 'share', 0.05, 'open descriptors by their limit'),
  plain('threads.count', 'count', 'threads'),
  plain('sockets.established', 'count', 'TCP connections'),
  worse('sockets.closeWait', 'count', 5, 'TCP connections that the peer has closed and the program has not'),
  worse('sockets.unreadBytes', 'bytes', MIB, 'received by the kernel, not read by the program'),
  worse('children.count', 'count', 3, 'child processes'),
  plain('memory.arrayBuffersBytes', 'bytes', 'array buffers, a part of the external memory'),
  plain('memory.mallocedBytes', 'bytes', 'what V8 itself has allocated'),
  plain('memory.swapBytes', 'bytes', 'swapped out'),
  plain('heap.totalBytes', 'bytes', 'V8 heap reserved'),
  plain('heap.limitBytes', 'bytes', 'heap limit'),
  plain('heap.contexts', 'count', 'global contexts of V8'),
  plain('heap.detachedContexts', 'count', 'contexts that nobody uses and something still holds'),
  plain('loop.delayMinMs', 'ms', 'shortest delay of the event loop'),
  plain('loop.delayP50Ms', 'ms', 'median of its delay'),
  plain('loop.delayP90Ms', 'ms', '90th percentile of its delay'),
  plain('loop.waitedShare', 'share', 'time that the main thread was ready and had no core'),
  plain('cpu.timeMs', 'ms', 'cpu time since the start'),
  plain('process.uptimeMs', 'ms', 'time since the start'),
  plain('fds.limit', 'count', 'most open descriptors'),
  plain('sockets.acceptWaiting', 'count', 'connections that wait to be accepted'),
  plain('sockets.unsentBytes', 'bytes', 'written by the program, not taken by the peer'),
  plain('host.cpuShare', 'share', 'all cores of the machine in use'),
  plain('host.memoryShare', 'share', 'memory of the machine in use'),
  plain('host.diskShare', 'share', 'fullest file system that the program writes to'),
  plain('host.throttledShare', 'share', 'accounting periods in which the container ran out of its cpu quota'),
  plain(STABILITY, 'share', 'mean health of the last hour of `lens watch`'),
];

const byName = new Map(METRICS.map(kind => [kind.name, kind]));

/** A user's own metric: its number is what the expression says, and only limits speak of it. */
const OWN = /^my\.[a-zA-Z]\w*$/;
export const isOwnMetric = (name: string): boolean => OWN.test(name);

/** Undefined for a name that is neither in METRICS nor a user's own. */
export const metricKind = (name: string): MetricKind | undefined =>
  byName.get(name) ?? (isOwnMetric(name) ? { name, unit: 'count', floor: 0, doc: 'a metric of your own' } : undefined);

/** One window as metrics, in the order of METRICS; what could not be read is absent, never 0. */
export function measured(vitals: Vitals, process?: ProcessReading, host?: Host): Measures {
  const all = { ...ofVitals(vitals), ...(process && ofProcess(process)), ...(host && ofHost(host)) };
  return Object.fromEntries(
    METRICS.map(({ name }) => [name, all[name]] as const).filter(
      (entry): entry is [string, number] => entry[1] !== undefined && Number.isFinite(entry[1]),
    ),
  );
}

function ofVitals(vitals: Vitals): { readonly [metric: string]: number | undefined } {
  const of = (read: (sample: VitalsSample) => number) => mean(vitals.samples.map(read));
  const last = vitals.samples.at(-1);
  const live = vitals.liveHeap.at(-1);
  return {
    'memory.rssBytes': of(s => s.rssBytes),
    'memory.externalBytes': of(s => s.externalBytes),
    'memory.arrayBuffersBytes': of(s => s.arrayBuffersBytes),
    'memory.mallocedBytes': of(s => s.mallocedBytes),
    'heap.usedBytes': of(s => s.heapUsedBytes),
    'heap.totalBytes': of(s => s.heapTotalBytes),
    'heap.limitBytes': vitals.oldLimitBytes ?? last?.heapLimitBytes,
    'heap.contexts': last?.nativeContexts,
    'heap.detachedContexts': last?.detachedContexts,
    'heap.liveBytes': live?.usedBytes,
    'heap.liveShare': live && last && live.usedBytes / (vitals.oldLimitBytes ?? last.heapLimitBytes),
    'memory.limitShare': vitals.memoryLimitBytes && of(s => s.rssBytes / (vitals.memoryLimitBytes ?? 1)),
    'heap.limitShare': of(s => s.heapUsedBytes / (vitals.oldLimitBytes ?? s.heapLimitBytes)),
    // Collections are timed by the wall: on a host without a free core they last long and take little.
    'gc.share': Math.min(vitals.gcShare, vitals.cpuPercent / 100),
    'gc.longestMs': Math.max(0, ...vitals.gc.map(gc => gc.maxMs)),
    'cpu.percent': vitals.cpuPercent,
    'loop.utilization': vitals.elu,
    'loop.waitedShare': vitals.runQueueShare,
    'loop.delayMinMs': vitals.loopDelay.minMs,
    'loop.delayMeanMs': vitals.loopDelay.meanMs,
    'loop.delayP50Ms': vitals.loopDelay.p50Ms,
    'loop.delayP90Ms': vitals.loopDelay.p90Ms,
    'loop.delayP99Ms': vitals.loopDelay.p99Ms,
    'loop.delayMaxMs': vitals.loopDelay.maxMs,
    'handles.active': last && sum(Object.values(last.activeResources)) - last.requests,
    'requests.active': last?.requests,
    'process.uptimeMs': vitals.uptimeSeconds * 1000,
  };
}

function ofProcess(process: ProcessReading): { readonly [metric: string]: number | undefined } {
  const { fds, sockets } = process;
  return {
    'cpu.timeMs': process.cpuMs,
    'memory.swapBytes': process.swapBytes,
    'fds.open': fds.total,
    'fds.limit': fds.limit,
    'fds.limitShare': fds.limit === undefined ? undefined : fds.total / fds.limit,
    'threads.count': process.threads.length,
    'sockets.established': sockets.tcp.ESTABLISHED ?? 0,
    'sockets.closeWait': sockets.tcp.CLOSE_WAIT ?? 0,
    'sockets.acceptWaiting': sum(sockets.listening.map(({ waiting }) => waiting)),
    'sockets.unreadBytes': sockets.unreadBytes,
    'sockets.unsentBytes': sockets.unsentBytes,
    'children.count': process.children.length,
  };
}

function ofHost({ cpuBusyShare, memory, disks, cgroup }: Host): { readonly [metric: string]: number | undefined } {
  const { periods = 0, throttledPeriods = 0 } = cgroup?.cpu ?? {};
  return {
    'host.cpuShare': cpuBusyShare,
    'host.memoryShare': memory && 1 - memory.availableBytes / memory.totalBytes,
    'host.diskShare': disks.length > 0 ? Math.max(...disks.map(fullness)) : undefined,
    'host.throttledShare': periods > 0 ? throttledPeriods / periods : undefined,
  };
}

/** By bytes or by inodes, whichever ends first. */
function fullness({ totalBytes, availableBytes, totalInodes, freeInodes }: Disk): number {
  const ofInodes = totalInodes > 0 ? 1 - freeInodes / totalInodes : 0;
  return Math.max(totalBytes > 0 ? 1 - availableBytes / totalBytes : 0, ofInodes);
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

const SAY: { readonly [U in Unit]: (value: number) => string } = {
  bytes: sayBytes,
  ms: sayMs,
  share: sayShare,
  percent: value => `${value >= 10 ? Math.round(value) : value.toFixed(1)} %`,
  count: sayCount,
};

/** A metric's value as a person says it: `512 MB`, `48 ms`, `81 %`. */
export function sayMetric({ unit }: Pick<MetricKind, 'unit'>, value: number): string {
  return SAY[unit](value);
}
