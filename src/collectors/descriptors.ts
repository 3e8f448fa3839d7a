import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import type { DescriptorGroup, Descriptors } from '../model/evidence/handles.js';

/** What one look at /proc/PID/fd says: how many point at what. */
export interface DescriptorReading {
  readonly total: number;
  readonly byTarget: ReadonlyMap<string, number>;
  readonly socketInodes: ReadonlySet<number>;
}

/** Reading a link takes about 3 µs; a table larger than this is told by its total and a share of its links. */
const MAX_LINKS = 20_000;
/** Groups that hold fewer and don't grow say nothing. */
const MAX_GROUPS = 40;
/** A directory stands for its files when the program opens this many different ones in it. */
const FILES_OF_A_DIRECTORY = 3;

/** Undefined off Linux, for remote targets, and when the process belongs to somebody else. */
export function readDescriptors(pid: number): DescriptorReading | undefined {
  if (process.platform !== 'linux' || pid <= 0) return undefined;
  try {
    const names = readdirSync(`/proc/${pid}/fd`);
    const byTarget = new Map<string, number>();
    const socketInodes = new Set<number>();
    for (const name of names.slice(0, MAX_LINKS)) {
      const link = linkOf(`/proc/${pid}/fd/${name}`);
      const inode = /^socket:\[(\d+)\]$/.exec(link ?? '')?.[1];
      if (inode !== undefined) socketInodes.add(Number(inode));
      if (link !== undefined) count(byTarget, targetOf(link));
    }
    return { total: names.length, byTarget, socketInodes };
  } catch {
    return undefined;
  }
}

/** Folds readings of one window, oldest first, into series. */
export function descriptorSeries(pid: number, readings: readonly DescriptorReading[]): Descriptors | undefined {
  if (readings.length === 0) return undefined;
  const folded = readings.map(foldDirectories(readings));
  const targets = new Set(folded.flatMap(counts => [...counts.keys()]));
  const groups = [...targets].map(target => ({
    kind: kindOf(target),
    target: target.replace(/^(socket|pipe):$/, '$1'),
    counts: folded.map(counts => counts.get(target) ?? 0),
  }));
  const limit = readLimit(pid);
  return {
    total: readings.map(({ total }) => total),
    groups: groups.sort((a, b) => growth(b) - growth(a) || last(b) - last(a)).slice(0, MAX_GROUPS),
    ...(limit === undefined ? {} : { limit }),
  };
}

const last = ({ counts }: DescriptorGroup): number => counts.at(-1) ?? 0;
const growth = (group: DescriptorGroup): number => last(group) - (group.counts[0] ?? 0);

/** Many files of one directory (one per request, say) are one group. */
function foldDirectories(readings: readonly DescriptorReading[]) {
  const files = new Map<string, Set<string>>();
  for (const { byTarget } of readings) {
    for (const target of byTarget.keys()) {
      if (kindOf(target) !== 'file') continue;
      const directory = directoryOf(target);
      files.set(directory, (files.get(directory) ?? new Set()).add(target));
    }
  }
  return ({ byTarget }: DescriptorReading): Map<string, number> => {
    const counts = new Map<string, number>();
    for (const [target, count] of byTarget) {
      const directory = directoryOf(target);
      const crowded = kindOf(target) === 'file' && (files.get(directory)?.size ?? 0) >= FILES_OF_A_DIRECTORY;
      const key = crowded ? `${directory}/*` : target;
      counts.set(key, (counts.get(key) ?? 0) + count);
    }
    return counts;
  };
}

const directoryOf = (path: string): string => path.slice(0, Math.max(0, path.lastIndexOf('/')));

const count = (counts: Map<string, number>, target: string) => counts.set(target, (counts.get(target) ?? 0) + 1);

function linkOf(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined; // closed meanwhile
  }
}

/** Sockets and pipes differ by inode only: one target each. Deleted files keep their path. */
const targetOf = (link: string): string => link.replace(/^(socket|pipe):\[\d+\]$/, '$1:').replace(/ \(deleted\)$/, '');

function kindOf(target: string): DescriptorGroup['kind'] {
  if (target.startsWith('socket:')) return 'socket';
  if (target.startsWith('pipe:')) return 'pipe';
  if (target === 'anon_inode:inotify') return 'inotify';
  if (target.startsWith('anon_inode:')) return 'event';
  if (target.startsWith('/dev/')) return 'device';
  return target.startsWith('/') ? 'file' : 'other';
}

function readLimit(pid: number): number | undefined {
  try {
    const soft = /^Max open files\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/limits`, 'utf8'))?.[1];
    return soft === undefined ? undefined : Number(soft);
  } catch {
    return undefined;
  }
}
