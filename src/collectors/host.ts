import { constants } from 'node:fs';
import { access, stat, statfs } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { dirname } from 'node:path';
import { type Cgroup, readCgroup } from '../inspector/proc/cgroup.js';
import { fdKind } from '../inspector/proc/fds.js';
import { readCpuTicks, readLoad, readPressure } from '../inspector/proc/host.js';
import { readMeminfo } from '../inspector/proc/memory.js';
import { fdLinks } from '../inspector/proc/sockets.js';
import { readRunTimes } from '../inspector/proc/threads.js';
import { LensError } from '../model/error.js';
import type { Disk, Host } from '../model/evidence/host.js';
import type { Collector } from './collector.js';

/** Twenty accounting periods of a cgroup's cpu quota (100 ms each). */
const SECONDS = 2;

/** Folders of open files beyond these are most likely on the same file systems. */
const MAX_FOLDERS = 12;

/** The machine and the container around the target, over two seconds; the target does nothing for it. */
export const hostCollector: Collector<'host'> = {
  kind: 'host',
  title: 'Host',
  cost: 'free',
  async collect(session, _params, context) {
    const { pid } = session.target;
    if (pid === 0 || process.platform !== 'linux') throw elsewhere();
    const before = await moment(pid, context.now());
    await context.sleep(SECONDS * 1000);
    const after = await moment(pid, context.now());
    const [load, memory, cpu, memoryPressure, io, disks] = await Promise.all([
      readLoad(),
      readMeminfo(),
      readPressure('cpu'),
      readPressure('memory'),
      readPressure('io'),
      readDisks(pid),
    ]);
    const data: Host = {
      takenAt: after.at,
      seconds: (after.at - before.at) / 1000,
      cpus: availableParallelism(),
      ...(load && { load }),
      ...(memory && { memory }),
      ...cores(before, after),
      ...mainThread(before, after),
      pressure: { ...(cpu && { cpu }), ...(memoryPressure && { memory: memoryPressure }), ...(io && { io }) },
      ...(after.cgroup && { cgroup: within(before.cgroup, after.cgroup) }),
      disks,
    };
    return { data, pausedMs: 0 };
  },
};

function elsewhere(): LensError {
  return new LensError(
    'target-not-permitted',
    'The host of the target is read from /proc, which is not here: another machine, or not Linux.',
  );
}

interface Moment {
  readonly at: number;
  readonly ticks: Awaited<ReturnType<typeof readCpuTicks>>;
  readonly run: Awaited<ReturnType<typeof readRunTimes>>;
  readonly cgroup: Cgroup | undefined;
}

async function moment(pid: number, at: number): Promise<Moment> {
  const [ticks, run, cgroup] = await Promise.all([readCpuTicks(), readRunTimes(pid), readCgroup(pid)]);
  return { at, ticks, run, cgroup };
}

function cores({ ticks: a }: Moment, { ticks: b }: Moment): Pick<Host, 'cpuBusyShare' | 'stolenShare'> {
  const total = a && b ? b.total - a.total : 0;
  if (!a || !b || total <= 0) return {};
  return { cpuBusyShare: 1 - (b.idle - a.idle) / total, stolenShare: (b.stolen - a.stolen) / total };
}

function mainThread(a: Moment, b: Moment): Pick<Host, 'mainThread'> {
  if (!a.run || !b.run) return {};
  const ms = b.at - a.at;
  return {
    mainThread: { ranShare: (b.run.ranMs - a.run.ranMs) / ms, waitedShare: (b.run.waitedMs - a.run.waitedMs) / ms },
  };
}

/** Throttling is counted since the group was made; the window's share of it is what is felt now. */
function within(before: Cgroup | undefined, after: Cgroup): NonNullable<Host['cgroup']> {
  if (!after.cpu) return { version: after.version, ...(after.memory && { memory: after.memory }) };
  const since = (field: 'periods' | 'throttledPeriods' | 'throttledMs') =>
    (after.cpu?.[field] ?? 0) - (before?.cpu?.[field] ?? after.cpu?.[field] ?? 0);
  const cpu = {
    periods: since('periods'),
    throttledPeriods: since('throttledPeriods'),
    throttledMs: since('throttledMs'),
  };
  return { ...after, cpu: { ...(after.cpu.quotaCpus !== undefined && { quotaCpus: after.cpu.quotaCpus }), ...cpu } };
}

/** Through the target's own root: in a container its paths are others than ours. */
async function readDisks(pid: number): Promise<Disk[]> {
  const root = `/proc/${pid}/root`;
  const files = (await fdLinks(pid)).filter(link => fdKind(link) === 'file');
  const open = [...new Set(files.map(file => dirname(file)))].slice(0, MAX_FOLDERS);
  const places = [
    { path: 'working folder', at: `/proc/${pid}/cwd/` },
    ...['/tmp', ...open].map(path => ({ path, at: `${root}${path}` })),
  ];
  const disks = new Map<number, Disk>();
  for (const { path, at } of places) {
    const found = await readDisk(path, at).catch(() => undefined);
    if (found && !disks.has(found.device)) disks.set(found.device, found.disk);
  }
  return [...disks.values()];
}

/** Rejects for what is read-only: its lack of room hurts nobody. */
async function readDisk(path: string, at: string): Promise<{ device: number; disk: Disk }> {
  await access(at, constants.W_OK);
  const [{ dev }, fs] = await Promise.all([stat(at), statfs(at)]);
  return {
    device: dev,
    disk: {
      path,
      totalBytes: fs.blocks * fs.bsize,
      availableBytes: fs.bavail * fs.bsize,
      totalInodes: fs.files,
      freeInodes: fs.ffree,
    },
  };
}
