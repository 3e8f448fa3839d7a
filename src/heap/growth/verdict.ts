import type { CollectionGrowth, HolderLimit } from '../../model/evidence/collection-growth.js';
import type { Bounds } from './bounds.js';
import { isWaitingSignals } from './holder.js';
import type { Suspect } from './suspects.js';

/** Fields that bound how many entries, and fields that bound how long one stays. */
const SIZE_LIMIT = /^[_#]*(max(size|entries|items|length|keys|elements|count|cachesize)?|limit|capacity|bound)$/i;
const TIME_LIMIT =
  /^[_#]*(ttl(_?(ms|millis|milliseconds|s|sec|secs|seconds))?|std_?ttl|max_?age|expires?(in|after)?)$/i;
/** A time this long or longer is in milliseconds; a shorter one may be in seconds … */
const SURELY_MS = 100_000;
/** … but 5000 or 30 000 is a number of milliseconds: seconds are written in minutes and hours (600, 86 400). */
const ROUND_MS = 1000;
const HOUR_SECONDS = 3600;
/** What expires holds as many entries as come in its time; with so many times as many, expiry doesn't work. */
const OVERDUE = 2;
/** A bound that is passed by more than this doesn't work. */
const PASSED = 1.2;
/** An expiry that has not levelled growth off within this many seconds of uptime is not believed any more. */
const PATIENCE_SECONDS = 600;
/** Fewer connections may have come by chance. */
const FEWEST_CONNECTIONS = 8;
/** Some connections have no entry yet, some have closed since. */
const SAME_AS_CONNECTIONS = 0.25;
/** A batch that was never emptied holds all that came; traffic that has doubled since explains half. */
const EMPTIED_SHARE = 0.4;
/** What expires entry by entry may also be what a leak passes by: here the traffic must have grown fourfold to mislead. */
const EXPIRED_SHARE = 0.25;
/** A queue that was taken from so often within the window and grew steadily is not kept up with. */
const DRAINED_OFTEN = 5;
/** Before this nothing can be told from what is missing. */
const YOUNG_SECONDS = 60;
/** Live heap that rises by less than this share of what the containers gain contradicts them. */
const CONTRADICTED = 0.25;
/** Below this the live heap is too noisy to contradict anything, in bytes a second. */
const WEIGHABLE = 100_000;

/** Why a growing container is expected to stop by itself. */
export interface Rest {
  readonly reason: string;
  /** Entries it will rest at, when that is known. */
  readonly at?: number;
}

/** What bounds a container: its source, its fields, timers that take entries out. Undefined when nothing does. */
export function boundedBy(suspect: Suspect, bounds: Bounds, growth: CollectionGrowth): Rest | undefined {
  const connections = byConnections(suspect, growth);
  if (connections) return connections;
  // A signal of AbortSignal.timeout() leaves the list when its time is over.
  if (isWaitingSignals(suspect.row.path)) return byTimers(suspect, growth);
  if (suspect.fault === 'memory.leak.listener' || suspect.row.kind === 'timers') return undefined;
  return (
    byField(suspect.row) ??
    bySizeCheck(bounds, suspect.row, growth) ??
    byList(suspect.row, bounds, growth) ??
    byTimers(suspect, growth) ??
    byEmptying(suspect, bounds, growth) ??
    byExpiry(suspect, bounds, growth)
  );
}

/** It holds more than every field beside it allows: whatever its code checks, the removals miss. */
function isPassed({ limits, size, kin }: Suspect['row']): boolean {
  const most = limits.filter(({ name, value }) => SIZE_LIMIT.test(name) && value > 1 && Number.isFinite(value));
  return kin === undefined && most.length > 0 && most.every(({ value }) => size > value * PASSED);
}

function byField({ limits, size, perSecond }: Suspect['row']): Rest | undefined {
  const full = limits.find(({ name, value }) => SIZE_LIMIT.test(name) && value > 1 && Number.isFinite(value));
  if (full && size <= full.value * PASSED) return { reason: `its field \`${full.name}\` bounds it`, at: full.value };
  const ageing = limits.find(({ name, value }) => TIME_LIMIT.test(name) && value > 0 && Number.isFinite(value));
  if (!ageing || size > OVERDUE * perSecond * secondsOf(ageing)) return undefined;
  return { reason: `its field \`${ageing.name}\` lets entries expire` };
}

/** Of a time whose unit isn't known the longer reading. */
const secondsOf = ({ name, value }: HolderLimit): number =>
  /m(s|illis|illiseconds)$/i.test(name) || value >= SURELY_MS || isRoundMs(name, value) ? value / 1000 : value;

/** `ttlSeconds`, and `stdTTL` as node-cache has it, are in seconds whatever they are. */
const IN_SECONDS = /^[_#]*(?:std|ttl_?s)/i;
const isRoundMs = (name: string, value: number): boolean =>
  value % ROUND_MS === 0 && value % HOUR_SECONDS !== 0 && !IN_SECONDS.test(name);

/** An entry of a cache whose values can't be seen from its keys (they lie in lists of their own) is not heavier than this, in bytes. */
const HEAVIEST_VALUE = 32 * 1024;

/** What keeps growth that no entry explains: a cache that fills up to its own bound, with values stored elsewhere. */
export function fillingCache(
  { growing }: CollectionGrowth,
  bytesPerSecond: number,
): CollectionGrowth['growing'][number] | undefined {
  return growing.find(row => byField(row) !== undefined && bytesPerSecond <= HEAVIEST_VALUE * row.perSecond);
}

function bySizeCheck({ sizeCheck, removal }: Bounds, row: Suspect['row'], growth: CollectionGrowth): Rest | undefined {
  if (!sizeCheck) return undefined;
  const { size } = row;
  const limit = sizeCheck.limit === undefined ? undefined : sizeCheck.limit * (sizeCheck.each ?? 1);
  if (limit !== undefined && limit > 1) {
    return size <= limit * PASSED ? { reason: 'its code checks the size', at: limit } : undefined;
  }
  if (limit !== undefined || !removal || isPassed(row) || !isInStep(row, sizeCheck.companion, growth)) return undefined;
  return { reason: 'its code checks the size and removes entries' };
}

/** What is made for each item of a list that is there already has as many entries as the list. */
function byList({ size }: Suspect['row'], { keysFrom }: Bounds, { biggest }: CollectionGrowth): Rest | undefined {
  if (keysFrom === undefined) return undefined;
  const list = biggest.find(other => isNamed(other, keysFrom) && other.size >= size);
  return list && { reason: `it gets an entry for each of \`${keysFrom}\``, at: list.size };
}

function isNamed({ path }: Pick<Suspect['row'], 'path'>, name: string): boolean {
  const last = path.at(-1);
  return last !== undefined && 'name' in last && last.name === name;
}

/** Rates of two that get their entries together differ by what comes between two readings. */
const IN_STEP = 0.1;

/** What is compared in its place still grows as it does: one that has stopped shows that the removals miss. */
function isInStep(
  { perSecond }: Suspect['row'],
  companion: string | undefined,
  { growing }: CollectionGrowth,
): boolean {
  if (companion === undefined) return true;
  return growing.some(
    other => isNamed(other, companion) && Math.abs(other.perSecond - perSecond) <= IN_STEP * perSecond,
  );
}

/** As many connections have come and are open: each brings its entry, and takes it along when it closes. */
function byConnections({ gained }: Suspect, { memory }: CollectionGrowth): Rest | undefined {
  const opened = (memory.at(-1)?.sockets ?? 0) - (memory[0]?.sockets ?? 0);
  if (opened < FEWEST_CONNECTIONS || Math.abs(opened - gained) > SAME_AS_CONNECTIONS * gained) return undefined;
  return { reason: `${opened} connections were opened meanwhile and are open: each has its entry` };
}

/** One-shot timers that come with the entries will take them out again. */
function byTimers({ row, gained }: Suspect, growth: CollectionGrowth): Rest | undefined {
  const twin = growth.growing.find(
    other =>
      other.timer?.repeats === false && Math.abs(other.perSecond - row.perSecond) <= 0.1 * row.perSecond && gained >= 5,
  );
  if (!twin?.timer) return undefined;
  const at = Math.round((row.perSecond * twin.timer.ms) / 1000);
  return { reason: `each entry comes with a timer of ${Math.round(twin.timer.ms / 1000)} s`, at };
}

/** A batch: its code drops all of it at once, and either a timer does so or it holds too little never to have been. */
function byEmptying({ row }: Suspect, { emptied, sizeCheck }: Bounds, growth: CollectionGrowth): Rest | undefined {
  if (!emptied) return undefined;
  if (holdsLess(row, growth, EMPTIED_SHARE)) return { reason: 'it was emptied before and will be again' };
  if (growth.uptimeSeconds >= PATIENCE_SECONDS) return undefined;
  if (emptied.byTimer && !isOverdue(row, emptied.everyMs, growth)) return { reason: 'a timer in its code empties it' };
  // A check of the size that should have emptied it by now tells that it doesn't work.
  return emptied.byFeeder && sizeCheck === undefined
    ? { reason: 'whoever fills it empties it from time to time' }
    : undefined;
}

/** It should have lost entries several times, and holds more than comes in that time. */
function isOverdue(
  { size, perSecond }: Suspect['row'],
  everyMs: number | undefined,
  growth: CollectionGrowth,
): boolean {
  if (everyMs === undefined) return false;
  const rounds = (growth.uptimeSeconds * 1000) / everyMs;
  return rounds > OVERDUE && size > (OVERDUE * perSecond * everyMs) / 1000;
}

function byExpiry({ row }: Suspect, { expiry }: Bounds, growth: CollectionGrowth): Rest | undefined {
  if (!expiry) return undefined;
  // It ran again and again while the queue was watched, and did not keep up.
  if ((expiry.drainsEveryMs ?? Number.POSITIVE_INFINITY) * DRAINED_OFTEN <= growth.seconds * 1000) return undefined;
  const isYoung = growth.uptimeSeconds < PATIENCE_SECONDS && !isOverdue(row, expiry.overAfterMs, growth);
  return isYoung || holdsLess(row, growth, EXPIRED_SHARE)
    ? { reason: 'a timer in its code removes entries' }
    : undefined;
}

/** True when it holds less than so large a share of what its growth would have brought since the process began. */
function holdsLess({ size, perSecond }: Suspect['row'], { uptimeSeconds }: CollectionGrowth, share: number): boolean {
  return uptimeSeconds > YOUNG_SECONDS && size < share * perSecond * uptimeSeconds;
}

/** Live heap per second between two forced collections; undefined when none were allowed. */
export function liveRate({ liveHeap }: CollectionGrowth): number | undefined {
  return liveHeap && liveHeap.seconds > 1 ? (liveHeap.lastBytes - liveHeap.firstBytes) / liveHeap.seconds : undefined;
}

/** An entry may refer to what all of them share: no more can grow in the heap than lives there. */
export function believable({ row }: Suspect, growth: CollectionGrowth): number {
  const live = liveRate(growth) ?? 0;
  const external = row.perSecond * row.entry.externalBytes;
  return live > WEIGHABLE ? Math.round(Math.min(row.bytesPerSecond, live + external)) : row.bytesPerSecond;
}

/** True when the collector freed what the containers are said to gain. */
export function isContradicted({ row }: Suspect, growth: CollectionGrowth): boolean {
  const live = liveRate(growth);
  const inHeap = row.bytesPerSecond - row.perSecond * row.entry.externalBytes;
  return live !== undefined && inHeap > WEIGHABLE && live < CONTRADICTED * inHeap;
}
