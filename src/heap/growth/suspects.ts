import type { CollectionGrowth, GrowingContainer, SizedContainer } from '../../model/evidence/collection-growth.js';
import { type Curve, curveOf } from './curve.js';
import { faultOf, type GrowthFault } from './fault.js';
import { type Holder, holderOf } from './holder.js';

/** Healthy services showed nothing above 1.5 KB/s, leaks 12 to 1845 KB/s; small entries of a busy one cost 4. */
export const LEAK_BYTES_PER_SECOND = 4_000;
/** Listeners, intervals and modules have no business growing with traffic, however small they are: entries a second … */
const COUNTED_PER_SECOND = 0.4;
/** … and in all, so that a few connections opening are not a leak. */
const COUNTED_GAIN = 8;
const COUNTED: ReadonlySet<GrowthFault> = new Set([
  'memory.leak.listener',
  'memory.leak.timer',
  'memory.leak.closure',
  'memory.leak.promise',
  'memory.leak.context',
  'code.growth',
]);
/** Of two readings the first speaks as well: at the same rate this long (or since the start) it holds a part of that. */
const GROWN_SECONDS = 30;
const GROWN_SHARE = 0.2;
/** A timer that fires once bounds itself; only when it waits this long does the heap fill before it fires. */
const LONG_TIMEOUT_MS = 15 * 60_000;
/** Two containers whose rates differ by less than this gain the same entries. */
const SAME_RATE = 0.06;
/** Fewer entries than this don't tell two rates apart. */
const RATE_GAIN = 10;
/** What is weighed against a named variable of the application when two containers grow in step. */
const PACKAGE_WEIGHT = 0.6;
const NAMELESS_WEIGHT = 0.4;
/** The second container of the same entries counts only when it explains this much more. */
const LISTENER_WEIGHT = 1.5;

export interface Suspect {
  readonly row: GrowingContainer;
  readonly holder: Holder;
  readonly fault: GrowthFault;
  readonly curve: Curve;
  readonly gained: number;
  /** Containers that gain the same entries: the same cause seen from elsewhere. */
  readonly inStep: readonly Suspect[];
}

export interface Sorted {
  /** Grow without a sign of an end, the costliest first. */
  readonly leaking: readonly Suspect[];
  /** Grow, but slow down, come in bursts, shrink in between, or expire by themselves. */
  readonly settling: readonly Suspect[];
}

/** Tells containers that grow on from those still filling or churning. Bounds in the source are not known here. */
export function sortGrowth(growth: CollectionGrowth): Sorted {
  const all = growth.growing.map(row => suspectOf(row, growth.times)).filter(isNoticeable);
  const own = all.filter(one => !isShadow(one, all));
  const settling = own.filter(one => isSettling(one, growth));
  return { leaking: grouped(own.filter(one => !settling.includes(one))), settling };
}

/** Keepers of texts weigh nothing by themselves: what they keep may be the texts that theirs were cut from. */
const KEPT_GAIN = 10;

/** Containers that gain texts steadily, however little those weigh; the fastest first. */
export function textKeepers(growth: CollectionGrowth): Suspect[] {
  return growth.growing
    .filter(({ kind, entry }) => kind !== 'timers' && kind !== 'string' && isText(entry))
    .map(row => suspectOf(row, growth.times))
    .filter(({ curve, gained }) => curve.shape === 'growing' && gained >= KEPT_GAIN)
    .sort((a, b) => b.row.perSecond - a.row.perSecond);
}

const isText = ({ type, key }: GrowingContainer['entry']): boolean => type === 'string' || key !== undefined;

/** What a container that doesn't grow would be, to ask where it is held. */
export const resting = (row: SizedContainer): Suspect =>
  suspectOf({ ...row, sizes: [row.size], perSecond: 0, bytesPerSecond: 0 }, [0]);

function suspectOf(row: GrowingContainer, times: readonly number[]): Suspect {
  const known = row.sizes.filter(size => size !== null);
  return {
    row,
    holder: holderOf(row),
    fault: faultOf(row),
    curve: curveOf(times, row.sizes),
    gained: (known.at(-1) ?? 0) - (known[0] ?? 0),
    inStep: [],
  };
}

function isNoticeable({ row, fault, gained }: Suspect): boolean {
  if (gained < 2) return false;
  if (row.bytesPerSecond >= LEAK_BYTES_PER_SECOND) return true;
  return COUNTED.has(fault) && row.perSecond >= COUNTED_PER_SECOND && gained >= COUNTED_GAIN;
}

/** A chain or a size field beside a real container that gains the same entries says nothing of its own. */
function isShadow(one: Suspect, all: readonly Suspect[]): boolean {
  const { kind } = one.row;
  if (kind !== 'chain' && kind !== 'list') return false;
  return all.some(other => other.row.kind !== 'chain' && other.row.kind !== 'list' && sameRate(one, other));
}

function isSettling({ curve, row }: Suspect, growth: CollectionGrowth): boolean {
  if (row.timer && !row.timer.repeats && row.timer.ms < LONG_TIMEOUT_MS) return true;
  return curve.shape === 'unknown' ? !hasGrownBefore(row, growth) : curve.shape !== 'growing';
}

/** A list of calls in flight is another one each time, and now empty, now full. */
function hasGrownBefore({ sizes, perSecond }: GrowingContainer, { uptimeSeconds, times }: CollectionGrowth): boolean {
  const before = Math.min(uptimeSeconds - (times.at(-1) ?? 0), GROWN_SECONDS);
  return (sizes[0] ?? 0) >= GROWN_SHARE * perSecond * before;
}

function sameRate(a: Suspect, b: Suspect): boolean {
  const [x, y] = [a.row.perSecond, b.row.perSecond];
  if (Math.min(a.gained, b.gained) < RATE_GAIN) return a.gained === b.gained;
  return Math.abs(x - y) <= SAME_RATE * Math.max(x, y);
}

/** Containers that grow in step are one cause; the one that names it best leads. */
function grouped(suspects: readonly Suspect[]): Suspect[] {
  const byWeight = [...suspects].sort((a, b) => weight(b) - weight(a));
  const leaders: { readonly leader: Suspect; readonly inStep: Suspect[] }[] = [];
  for (const one of byWeight) {
    const group = leaders.find(({ leader }) => sameRate(leader, one));
    if (group) group.inStep.push(one);
    else leaders.push({ leader: one, inStep: [] });
  }
  return leaders.map(({ leader, inStep }) => ({ ...leader, inStep }));
}

function weight({ row, holder, fault }: Suspect): number {
  const bytes = Math.max(row.bytesPerSecond, 1);
  const place = holder.package !== undefined ? PACKAGE_WEIGHT : isNameless(row, holder) ? NAMELESS_WEIGHT : 1;
  return bytes * place * (fault === 'memory.leak.listener' ? LISTENER_WEIGHT : 1);
}

const isNameless = (row: GrowingContainer, holder: Holder): boolean =>
  row.kind !== 'timers' && holder.variable === undefined && holder.moduleFile === undefined;
