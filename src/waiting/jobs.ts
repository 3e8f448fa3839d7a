import type { AsyncDump } from '../model/evidence/async-dump.js';
import { codeFrame, type Frame, isResourceMade, placeKey, type Wait, Waits } from './waits.js';

/** Jobs for libuv's threads from one place. */
export interface JobGroup {
  readonly type: string;
  readonly place: Frame | undefined;
  readonly user: readonly Frame[];
  readonly package: string | undefined;
  readonly count: number;
  readonly pending: number;
  readonly totalMs: number;
  /** Computing jobs occupy a thread; file and name lookups usually only wait for one. */
  readonly computes: boolean;
}

const COMPUTES =
  /^(PBKDF2|SCRYPT|ZLIB|RANDOMBYTES|RANDOMPRIME|CHECKPRIME|KEYPAIRGEN|KEYGEN|CIPHER|HASH|SIGN|DERIVEBITS|BROTLI|ZSTD)/;
/** True for a native resource that occupies a thread of the pool with computing. */
export const computes = (type: string): boolean => COMPUTES.test(type);
const LOOKUPS = /^(FSREQ|GETADDRINFO|GETNAMEINFO|FILEHANDLE|DIRHANDLE)/;
/** Resources of Node that are no jobs; what a native addon queues carries a name of its own. */
const NOT_JOBS =
  /^(PROMISE|Timeout|HTTP|TCP|PIPE|TTY|UDP|TLS|PROCESS|STREAM|WRITE|SHUTDOWN|FSEVENT|MESSAGEPORT|WORKER|QUERYWRAP|DNSCHANNEL|ELDHISTOGRAM|Immediate|[a-z]*(Req|Resource)$)/;

/** Grouped by type and place, those that occupy the threads longest first. */
export function jobGroups(dump: AsyncDump): JobGroup[] {
  const groups = new Map<string, Wait[]>();
  for (const wait of new Waits(dump).all) {
    if (isSynchronous(wait)) continue;
    if (!COMPUTES.test(wait.type) && !LOOKUPS.test(wait.type) && !isAddon(wait)) continue;
    const key = `${wait.type} ${placeKey(codeFrame(wait))}`;
    groups.set(key, [...(groups.get(key) ?? []), wait]);
  }
  const rows = [...groups.values()].map(waits => toGroup(waits, dump.windowMs));
  return rows.sort((a, b) => Number(b.computes) - Number(a.computes) || b.totalMs - a.totalMs);
}

/** `pbkdf2Sync` makes the same resource as `pbkdf2`, but works on the main thread. */
const isSynchronous = ({ frames }: Wait): boolean =>
  frames.some(frame => frame.kind === 'node' && frame.function.endsWith('Sync'));

const isAddon = (wait: Wait): boolean =>
  wait.kind === 'native' &&
  !NOT_JOBS.test(wait.type) &&
  !isMadeByScript(wait) &&
  wait.frames.some(frame => frame.kind === 'package');

/** An AsyncResource of a library carries context and does no work; an addon's own is made in C++. */
const isMadeByScript = ({ frames }: Wait): boolean => frames.slice(0, 2).some(isResourceMade);

function toGroup(waits: readonly Wait[], windowMs: number): JobGroup {
  const first = waits[0] as Wait; // a group has a member
  return {
    type: first.type,
    place: codeFrame(first),
    user: first.user,
    package: first.frames.find(frame => frame.kind === 'package')?.package,
    count: waits.length,
    pending: waits.filter(wait => wait.pending).length,
    totalMs: Math.round(waits.reduce((sum, wait) => sum + (wait.end > 0 ? wait.end : windowMs) - wait.at, 0)),
    computes: !LOOKUPS.test(first.type),
  };
}
