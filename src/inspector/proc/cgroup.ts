import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { readProc } from './status.js';

export interface CgroupMemory {
  /** The tightest limit of the group and those above it; undefined: none. */
  readonly limitBytes?: number;
  /** Of the group that has this limit (or the process' own group). */
  readonly usedBytes: number;
  /** Used, without file pages that the kernel would give up first. */
  readonly workingSetBytes: number;
  /** Since the group was made. */
  readonly oomKills: number;
}

export interface CgroupCpu {
  /** Cores' worth of time per second; undefined: no quota. */
  readonly quotaCpus?: number;
  /** Since the group was made. */
  readonly periods: number;
  readonly throttledPeriods: number;
  readonly throttledMs: number;
}

export interface Cgroup {
  readonly version: 1 | 2;
  readonly memory?: CgroupMemory;
  readonly cpu?: CgroupCpu;
}

/** Where a controller's files of a group are, innermost first, up to the mount point. */
interface Chain {
  readonly version: 1 | 2;
  readonly folders: readonly string[];
}

/** "No limit" in version 1 is the largest page-aligned number. */
const NO_LIMIT = 2 ** 60;

/** Limits and throttling of the groups that a process is in; undefined where none are mounted. */
export async function readCgroup(pid: number | 'self'): Promise<Cgroup | undefined> {
  const [groups, mounts] = await Promise.all([readProc(pid, 'cgroup'), readProc('self', 'mountinfo')]);
  if (groups === undefined || mounts === undefined) return undefined;
  const [memoryChain, cpuChain] = [chainOf('memory', groups, mounts), chainOf('cpu', groups, mounts)];
  const [memory, cpu] = await Promise.all([memoryChain && readMemory(memoryChain), cpuChain && readCpu(cpuChain)]);
  if (!memory && !cpu) return undefined;
  return { version: (memoryChain ?? cpuChain)?.version ?? 2, ...(memory && { memory }), ...(cpu && { cpu }) };
}

/** Version 1 has a line and a mount for each controller; version 2 one for all, with id 0. */
export function chainOf(controller: string, groups: string, mounts: string): Chain | undefined {
  const lines = groups
    .trim()
    .split('\n')
    .map(line => line.split(':'));
  const own = lines.find(([, names]) => names?.split(',').includes(controller));
  const [, , path] = own ?? lines.find(([id]) => id === '0') ?? [];
  const mount = parseMounts(mounts).find(m =>
    own ? m.type === 'cgroup' && m.options.includes(controller) : m.type === 'cgroup2',
  );
  if (path === undefined || !mount) return undefined;
  return { version: own ? 1 : 2, folders: climb(mount.point, inside(mount.root, path)) };
}

interface Mount {
  readonly root: string;
  readonly point: string;
  readonly type: string;
  readonly options: readonly string[];
}

function parseMounts(text: string): Mount[] {
  return text.split('\n').flatMap(line => {
    const [before, after] = line.split(' - ');
    const [, , , root, point] = before?.split(' ') ?? [];
    const [type, , options] = after?.split(' ') ?? [];
    if (root === undefined || point === undefined || type === undefined) return [];
    return [{ root, point, type, options: options?.split(',') ?? [] }];
  });
}

/** A container's mount shows only its own part of the tree. */
function inside(root: string, path: string): string {
  if (root === '/' || path.includes('..')) return path.includes('..') ? '/' : path;
  return path.startsWith(root) ? path.slice(root.length) || '/' : path;
}

function climb(point: string, path: string): string[] {
  const folders: string[] = [];
  for (let at = join('/', path); ; at = dirname(at)) {
    folders.push(at === '/' ? point : join(point, at));
    if (at === '/') return folders;
  }
}

async function readMemory({ version, folders }: Chain): Promise<CgroupMemory | undefined> {
  const files = version === 2 ? ['memory.max', 'memory.current'] : ['memory.limit_in_bytes', 'memory.usage_in_bytes'];
  const levels = await Promise.all(
    folders.map(async folder => {
      const [limit, used] = await Promise.all(files.map(file => readNumber(join(folder, file))));
      return { folder, limit: limit !== undefined && limit < NO_LIMIT ? limit : undefined, used };
    }),
  );
  const known = levels.filter(level => level.used !== undefined);
  const tightest = known.filter(level => level.limit !== undefined).sort((a, b) => (a.limit ?? 0) - (b.limit ?? 0))[0];
  const level = tightest ?? known[0];
  if (level?.used === undefined) return undefined;
  const [stat, events] = await Promise.all([
    readFlat(join(level.folder, 'memory.stat')),
    readFlat(join(level.folder, version === 2 ? 'memory.events' : 'memory.oom_control')),
  ]);
  const inactive = stat.get('total_inactive_file') ?? stat.get('inactive_file') ?? 0;
  return {
    ...(level.limit !== undefined && { limitBytes: level.limit }),
    usedBytes: level.used,
    workingSetBytes: Math.max(0, level.used - inactive),
    oomKills: events.get('oom_kill') ?? 0,
  };
}

async function readCpu({ version, folders }: Chain): Promise<CgroupCpu | undefined> {
  const levels = await Promise.all(folders.map(async folder => ({ folder, quota: await readQuota(folder, version) })));
  const limited = levels.filter(level => level.quota !== undefined).sort((a, b) => (a.quota ?? 0) - (b.quota ?? 0))[0];
  const level = limited ?? levels[0];
  if (!level) return undefined;
  const stat = await readFlat(join(level.folder, 'cpu.stat'));
  if (stat.size === 0) return undefined;
  return {
    ...(level.quota !== undefined && { quotaCpus: level.quota }),
    periods: stat.get('nr_periods') ?? 0,
    throttledPeriods: stat.get('nr_throttled') ?? 0,
    // Microseconds in version 2, nanoseconds in version 1.
    throttledMs: (stat.get('throttled_usec') ?? 0) / 1e3 + (stat.get('throttled_time') ?? 0) / 1e6,
  };
}

/** Cores; undefined without a quota ("max", -1). */
async function readQuota(folder: string, version: 1 | 2): Promise<number | undefined> {
  if (version === 2) return parseCpuMax((await read(join(folder, 'cpu.max'))) ?? '');
  const [quota, period] = await Promise.all([
    readNumber(join(folder, 'cpu.cfs_quota_us')),
    readNumber(join(folder, 'cpu.cfs_period_us')),
  ]);
  return quota === undefined || quota <= 0 || !period ? undefined : quota / period;
}

export function parseCpuMax(text: string): number | undefined {
  const [quota, period] = text.trim().split(' ').map(Number);
  return quota === undefined || !Number.isFinite(quota) || !period ? undefined : quota / period;
}

async function readFlat(path: string): Promise<Map<string, number>> {
  const lines = ((await read(path)) ?? '').trim().split('\n');
  return new Map(lines.filter(Boolean).map(line => [line.split(' ')[0] ?? '', Number(line.split(' ')[1])]));
}

async function readNumber(path: string): Promise<number | undefined> {
  const text = await read(path);
  const number = Number(text?.trim() || Number.NaN);
  return Number.isNaN(number) ? undefined : number;
}

async function read(path: string): Promise<string | undefined> {
  return readFile(path, 'utf8').catch(() => undefined);
}
