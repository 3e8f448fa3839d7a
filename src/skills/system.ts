import { z } from 'zod';
import { sayBytes, sayCount, sayMs, sayShare } from '../base/say.js';
import type { Disk, Host } from '../model/evidence/host.js';
import { isUsable } from '../model/evidence/index.js';
import type { ProcessReading } from '../model/evidence/process.js';
import type { FaultClass } from '../model/fault.js';
import type { Metric, NotificationDraft } from '../model/notification.js';
import type { Conclusion, OperatorView, Step } from '../model/skill.js';
import { defineQuery, defineSkill } from '../model/skill.js';
import type { SnapshotData } from '../model/snapshot.js';
import { unread } from './unread.js';

/** Kubernetes' own alert (CPUThrottlingHigh) begins at a quarter of the periods. */
const THROTTLED_SHARE = 0.25;
/** Ten periods of 100 ms with work in them: fewer is a burst, not a state. */
const MIN_PERIODS = 10;
/** Below this much standstill a request is not noticeably slower, however many periods ended early. */
const THROTTLED_TIME_SHARE = 0.1;

/** Two runnable threads per core halve everybody's speed: beyond that the wait exceeds the work. */
const WAITED_SHARE = 0.5;
/** Somebody else must be using the cores: with fewer in use the wait has another cause. */
const BUSY_SHARE = 0.95;

/** Health thresholds of the design (§7), on what the kernel could not give back. */
const MEMORY_WARNING = 0.9;
const MEMORY_CRITICAL = 0.95;
/** The process itself fills the container: that is the runtime operator's finding, not the host's. */
const OWN_SHARE = 0.6;
/** Linux begins to reclaim in earnest when this little of the machine is left. */
const AVAILABLE_SHARE = 0.05;

/** ext4 keeps 5 % for root; a log or a temporary file fails soon after 2 %. */
const DISK_SHARE = 0.02;
const DISK_CRITICAL_SHARE = 0.005;
/** A small file system may be nearly full and still fine for what it is for; a large one never is. */
const DISK_ENOUGH_BYTES = 2 * 2 ** 30;

const FD_WARNING = 0.8;
const FD_CRITICAL = 0.95;

export const system = defineSkill({
  id: 'system',
  title: 'Host and container',
  description: 'Causes outside of the program: cpu quota, memory of the machine, disks, descriptor limit',
  scope:
    'What the machine and the container give to the process, and its descriptor limit. Not what the program does with it (cpu, heap, handles).',
  words: [
    'host',
    'system',
    'container',
    'cgroup',
    'throttle',
    'throttled',
    'quota',
    'disk',
    'full',
    'swap',
    'emfile',
    'enospc',
    'kubernetes',
    'docker',
  ],
  needs: { host: { kind: 'host', params: {} }, process: { kind: 'process', params: {} } },
  snapshot: ({ host, process }) => (host === undefined ? undefined : { ...numbersOf(host), ...descriptorsOf(process) }),
  rules: [],
  playbook,
  queries: [
    defineQuery({
      name: 'limits',
      doc: 'Memory and cpu limits of the container, with what is used and how often the cpu quota ran out in two seconds.',
      params: z.object({}),
      async run(_, probe) {
        const reading = await probe.ask('host', {});
        if (!isUsable(reading)) return { status: reading.status, reason: reading.reason ?? '' };
        return JSON.parse(JSON.stringify({ cpus: reading.data.cpus, cgroup: reading.data.cgroup ?? null }));
      },
    }),
    defineQuery({
      name: 'disks',
      doc: 'Room and inodes of the file systems that the process writes to.',
      params: z.object({}),
      async run(_, probe) {
        const reading = await probe.ask('host', {});
        return isUsable(reading) ? reading.data.disks.map(disk => ({ ...disk })) : unread(reading);
      },
    }),
    defineQuery({
      name: 'descriptors',
      doc: 'Open file descriptors by kind, sockets by TCP state, and the limit.',
      params: z.object({}),
      async run(_, probe) {
        const reading = await probe.ask('process', {});
        if (!isUsable(reading)) return unread(reading);
        const { fds, sockets } = reading.data;
        return { total: fds.total, limit: fds.limit ?? null, byKind: { ...fds.byKind }, tcp: { ...sockets.tcp } };
      },
    }),
  ],
  prompt:
    'Throttling is judged within the window, not since boot. A busy program in a tight quota is throttled because it is busy: say both numbers.',
});

const STATE = { info: 'observing', warning: 'warning', critical: 'critical' } as const;

type Alarm = Omit<NotificationDraft, 'evidenceIds'>;

/** What a second window of the host says. */
interface Crowd {
  readonly alarms: readonly Alarm[];
  readonly evidenceIds: readonly string[];
}

async function* playbook(see: OperatorView): Step<Conclusion> {
  const snapshot = yield* see.snapshot();
  const host = yield* see.ask('host', {});
  const own = yield* see.ask('process', {});
  if (!isUsable(host)) {
    return { outcome: 'inconclusive', summary: `The host could not be read: ${host.reason ?? 'no reason'}.` };
  }
  const process = isUsable(own) ? own.data : undefined;
  const crowd = yield* contention(see, host.data);
  const alarms = [...hostAlarms(host.data, process), ...crowd.alarms];
  for (const alarm of alarms) {
    yield* see.setState(STATE[alarm.severity], alarm.title ?? alarm.observation);
    yield* see.notify({
      ...alarm,
      evidenceIds: [host.id, ...(isUsable(own) ? [own.id] : []), ...crowd.evidenceIds],
      ...(snapshot ? { snapshotIds: [snapshot.id] } : {}),
    });
  }
  const [first] = alarms.filter(alarm => alarm.severity !== 'info');
  if (first) return { outcome: 'found', summary: first.observation };
  return { outcome: 'healthy', summary: healthySentence(host.data, process) };
}

function hostAlarms(host: Host, process: ProcessReading | undefined): Alarm[] {
  return [
    throttled(host),
    memoryOfContainer(host, process),
    memoryOfMachine(host, process),
    ...host.disks.map(diskAlarm),
    process && descriptors(process),
  ].filter(alarm => alarm !== undefined);
}

function throttled({ cgroup, seconds, mainThread }: Host): Alarm | undefined {
  const cpu = cgroup?.cpu;
  if (cpu?.quotaCpus === undefined || cpu.periods < MIN_PERIODS) return undefined;
  const share = cpu.throttledPeriods / cpu.periods;
  // Summed over the threads of the group; one of them standing still is what a request feels.
  const lost = cpu.throttledMs / (seconds * 1000);
  if (share < THROTTLED_SHARE || lost < THROTTLED_TIME_SHARE) return undefined;
  return {
    anomalyType: 'cpu-quota-exhausted',
    faultClass: 'host.cpu-throttled',
    severity: share >= 2 * THROTTLED_SHARE ? 'critical' : 'warning',
    title: `The container's cpu quota of ${cpu.quotaCpus} cores runs out in ${sayShare(share)} of its periods`,
    context: `The main thread ran ${sayShare(mainThread?.ranShare ?? 0)} of the time and waited for a core ${sayShare(mainThread?.waitedShare ?? 0)} of it.`,
    observation: `Within ${sayMs(seconds * 1000)} the kernel stopped the container in ${sayCount(cpu.throttledPeriods)} of ${sayCount(cpu.periods)} periods, for ${sayMs(cpu.throttledMs)} in all.`,
    hypothesis:
      'The quota is smaller than what the program needs at its peaks; every pause of it looks like a slow event loop.',
    fix: 'Raise the cpu limit of the container (or remove it and keep the request), or lower the work per second.',
    metrics: [
      { name: 'cpu quota', value: cpu.quotaCpus, unit: 'cores' },
      percent('throttled periods', share),
      { name: 'throttled', value: Math.round(cpu.throttledMs), unit: 'ms' },
    ],
    mechanism: true,
    confidence: 'high',
  };
}

/**
 * Without a quota only a second window tells a crowded machine from a moment's crowd. It excuses delays, and lens itself is
 * part of the crowd: information, never an alarm.
 */
async function* contention(see: OperatorView, first: Host): Step<Crowd> {
  if (!isCrowded(first)) return { alarms: [], evidenceIds: [] };
  const again = yield* see.ask('host', {}, 0);
  if (!isUsable(again) || !isCrowded(again.data)) return { alarms: [], evidenceIds: [] };
  const { mainThread, load, cpus, cpuBusyShare, stolenShare } = again.data;
  const alarms: Alarm[] = [
    {
      anomalyType: 'main-thread-waits-for-a-core',
      faultClass: 'host.cpu-throttled',
      severity: 'info',
      title: `The main thread waits for a core ${sayShare(mainThread?.waitedShare ?? 0)} of the time: other work uses the machine`,
      context: `${cpus} cores, ${sayShare(cpuBusyShare ?? 0)} in use, ${sayShare(stolenShare ?? 0)} taken by the hypervisor; load ${load?.[0] ?? '?'}.`,
      observation: `In two windows of ${sayMs(again.data.seconds * 1000)} the main thread was ready to run without getting a core ${sayShare(first.mainThread?.waitedShare ?? 0)} and ${sayShare(mainThread?.waitedShare ?? 0)} of the time.`,
      fix: 'Give the program a machine or cores of its own, or move the other work away.',
      metrics: [percent('waited for a core', mainThread?.waitedShare ?? 0), percent('ran', mainThread?.ranShare ?? 0)],
      confidence: 'low',
    },
  ];
  return { alarms, evidenceIds: [again.id] };
}

function isCrowded({ mainThread, cpuBusyShare }: Host): boolean {
  return (mainThread?.waitedShare ?? 0) >= WAITED_SHARE && (cpuBusyShare ?? 0) >= BUSY_SHARE;
}

function memoryOfContainer({ cgroup }: Host, process: ProcessReading | undefined): Alarm | undefined {
  const memory = cgroup?.memory;
  if (memory?.limitBytes === undefined) return undefined;
  const share = memory.workingSetBytes / memory.limitBytes;
  const own = (process?.rssBytes ?? 0) / memory.limitBytes;
  if (share < MEMORY_WARNING || own >= OWN_SHARE) return undefined;
  return {
    anomalyType: 'container-memory-used-by-others',
    faultClass: 'host.memory',
    severity: share >= MEMORY_CRITICAL ? 'critical' : 'warning',
    title: `The container's memory is ${sayShare(share)} full, most of it not this process`,
    context: `This process has ${sayBytes(process?.rssBytes ?? 0)} resident (${sayShare(own)}); ${sayCount(memory.oomKills)} processes were killed for memory so far.`,
    observation: `${sayBytes(memory.workingSetBytes)} of ${sayBytes(memory.limitBytes)} are in use that the kernel cannot give back.`,
    fix: 'Look for other processes in the same container, files on tmpfs and shared memory; or raise the limit.',
    metrics: [bytes('in use', memory.workingSetBytes), bytes('limit', memory.limitBytes), percent('share', share)],
    confidence: 'medium',
  };
}

function memoryOfMachine({ memory, pressure }: Host, process: ProcessReading | undefined): Alarm | undefined {
  if (!memory || memory.availableBytes / memory.totalBytes >= AVAILABLE_SHARE) return undefined;
  const own = (process?.rssBytes ?? 0) / memory.totalBytes;
  const stalled = pressure.memory ? `; tasks waited for memory ${pressure.memory.some10} % of ten seconds` : '';
  return {
    anomalyType: 'machine-out-of-memory',
    faultClass: 'host.memory',
    severity: 'critical',
    title: `The machine has ${sayBytes(memory.availableBytes)} of memory left`,
    context: `This process has ${sayBytes(process?.rssBytes ?? 0)} resident (${sayShare(own)})${stalled}.`,
    observation: `${sayBytes(memory.availableBytes)} of ${sayBytes(memory.totalBytes)} are available (${sayShare(memory.availableBytes / memory.totalBytes)}).`,
    fix:
      own >= OWN_SHARE
        ? 'This process holds most of it: find out what (operators heap, collections, allocator).'
        : 'Look at the other processes of the machine by resident size: `ps aux --sort=-rss | head`.',
    metrics: [bytes('available', memory.availableBytes), bytes('total', memory.totalBytes)],
    confidence: 'high',
  };
}

function diskAlarm(disk: Disk): Alarm | undefined {
  const room = disk.totalBytes === 0 ? 1 : disk.availableBytes / disk.totalBytes;
  const inodes = disk.totalInodes === 0 ? 1 : disk.freeInodes / disk.totalInodes;
  const short = room < DISK_SHARE && disk.availableBytes < DISK_ENOUGH_BYTES;
  if (!short && inodes >= DISK_SHARE) return undefined;
  const left = Math.min(short ? room : 1, inodes);
  const what = short
    ? `${sayBytes(disk.availableBytes)} of ${sayBytes(disk.totalBytes)}`
    : `${sayCount(disk.freeInodes)} of ${sayCount(disk.totalInodes)} inodes`;
  return {
    anomalyType: short ? 'disk-full' : 'inodes-exhausted',
    faultClass: 'host.disk',
    severity: left < DISK_CRITICAL_SHARE ? 'critical' : 'warning',
    title: `The file system of ${disk.path} is full: ${what} left`,
    context: `The process works in, or has files open on, this file system (${disk.path}).`,
    observation: `${what} are left (${sayShare(left)}).`,
    fix: short
      ? `Find what fills it: \`du -xh ${disk.path.startsWith('/') ? disk.path : '.'} | sort -h | tail\`; rotate logs, remove temporary files.`
      : 'Find the folder with too many files: `du -x --inodes | sort -n | tail`.',
    metrics: [bytes('available', disk.availableBytes), bytes('total', disk.totalBytes), percent('left', left)],
    confidence: 'high',
  };
}

function descriptors({ fds, sockets }: ProcessReading): Alarm | undefined {
  if (fds.limit === undefined || fds.total < fds.limit * FD_WARNING) return undefined;
  const [kind = 'descriptor', count = 0] = Object.entries(fds.byKind).sort(([, a], [, b]) => b - a)[0] ?? [];
  const share = fds.total / fds.limit;
  const states = Object.entries(sockets.tcp).map(([state, n]) => `${sayCount(n)} ${state}`);
  return {
    anomalyType: 'descriptors-near-limit',
    faultClass: LEAK_OF[kind] ?? 'handles.leak.fd',
    severity: share >= FD_CRITICAL ? 'critical' : 'warning',
    title: `${sayCount(fds.total)} of ${sayCount(fds.limit)} file descriptors are open, most of them ${kind}s`,
    context: states.length > 0 ? `TCP: ${states.join(', ')}.` : 'No TCP sockets.',
    observation: `${sayCount(fds.total)} descriptors are open (${sayShare(share)} of the limit), ${sayCount(count)} of kind ${kind}; at the limit every open and accept fails with EMFILE.`,
    hypothesis: `Something opens ${kind}s and does not close them, or the limit is too low for the load.`,
    fix: 'Close what is opened (operator handles names the creator); if all of them are needed, raise `ulimit -n`.',
    metrics: [
      { name: 'open descriptors', value: fds.total, unit: 'count' },
      { name: 'limit', value: fds.limit, unit: 'count' },
    ],
    confidence: 'low',
  };
}

const LEAK_OF: Readonly<Record<string, FaultClass>> = {
  socket: 'handles.leak.socket',
  inotify: 'handles.leak.watcher',
};

function healthySentence(host: Host, process: ProcessReading | undefined): string {
  const { cgroup, memory, disks } = host;
  const fullest = disks.map(disk => 1 - disk.availableBytes / Math.max(1, disk.totalBytes)).sort((a, b) => b - a)[0];
  const parts = [
    `cores ${sayShare(host.cpuBusyShare ?? 0)} in use`,
    host.mainThread && `main thread waited for one ${sayShare(host.mainThread.waitedShare)} of the time`,
    cgroup?.cpu?.quotaCpus !== undefined &&
      `quota ran out in ${cgroup.cpu.throttledPeriods} of ${cgroup.cpu.periods} periods`,
    memory && `${sayBytes(memory.availableBytes)} of memory available`,
    fullest !== undefined && `fullest disk ${sayShare(fullest)}`,
    process?.fds.limit !== undefined && `${sayCount(process.fds.total)} of ${sayCount(process.fds.limit)} descriptors`,
  ];
  return `The host has room: ${parts.filter(Boolean).join(', ')}.`;
}

function numbersOf({ cpus, load, cpuBusyShare, mainThread, memory, cgroup, pressure, disks }: Host): SnapshotData {
  return {
    cpus,
    ...(load && { load1: load[0] }),
    ...(cpuBusyShare !== undefined && { cpuBusyPercent: hundredths(cpuBusyShare) }),
    ...(mainThread && { waitedForCorePercent: hundredths(mainThread.waitedShare) }),
    ...(memory && { memoryTotalBytes: memory.totalBytes, memoryAvailableBytes: memory.availableBytes }),
    ...(cgroup?.memory?.limitBytes !== undefined && {
      containerLimitBytes: cgroup.memory.limitBytes,
      containerWorkingSetBytes: cgroup.memory.workingSetBytes,
    }),
    ...(cgroup?.cpu?.quotaCpus !== undefined && {
      quotaCpus: cgroup.cpu.quotaCpus,
      periods: cgroup.cpu.periods,
      throttledPeriods: cgroup.cpu.throttledPeriods,
    }),
    ...(pressure.memory && { memoryPressure: pressure.memory.some10 }),
    ...(pressure.cpu && { cpuPressure: pressure.cpu.some10 }),
    ...(pressure.io && { ioPressure: pressure.io.some10 }),
    disks: disks.map(({ path, availableBytes, totalBytes }) => ({ path, availableBytes, totalBytes })),
  };
}

function descriptorsOf(process: ProcessReading | undefined): SnapshotData {
  if (!process) return {};
  return {
    openDescriptors: process.fds.total,
    ...(process.fds.limit !== undefined && { descriptorLimit: process.fds.limit }),
  };
}

const hundredths = (share: number): number => Math.round(share * 10_000) / 100;
const bytes = (name: string, value: number): Metric => ({ name, value, unit: 'bytes' });
const percent = (name: string, share: number): Metric => ({ name, value: hundredths(share), unit: '%' });
