import type { EntrySample, GrowingContainer } from '../model/evidence/collection-growth.js';

/** A quarter of what a leak needs to be told: below it growth is the ordinary noise of lists and counters. */
const NOISE_BYTES_PER_SECOND = 1250;
/** Listeners, timers and their like are told by their number: fewer new ones are noise. */
const NOISE_GAIN = 3;
const COUNTED: ReadonlySet<EntrySample['type']> = new Set([
  'function',
  'timer',
  'promise',
  'deferred',
  'module',
  'context',
]);

export function isWorthWatching({ bytesPerSecond, sizes, entry }: GrowingContainer): boolean {
  if (bytesPerSecond > NOISE_BYTES_PER_SECOND) return true;
  const known = sizes.filter(size => size !== null);
  return COUNTED.has(entry.type) && (known.at(-1) ?? 0) - (known[0] ?? 0) >= NOISE_GAIN;
}

/** With a cause known: what goes on to grow. Work that waits has timers, and those that leak are seen by handles too. */
export function isWorthWatchingStill(row: GrowingContainer): boolean {
  const known = row.sizes.filter(size => size !== null);
  const gains = (known.at(-1) ?? 0) > (known[known.length >> 1] ?? 0);
  return gains && row.entry.type !== 'timer' && isWorthWatching(row);
}

/** The second half's rate against the first: below, it clearly settles; above, traffic alone varies so much. */
const UNDECIDED = { from: 0.45, to: 0.95 } as const;
/**
 * Standard deviations. Steady arrivals at random seem to slow down so much once in ten times, which costs them a longer
 * window; of eight thousand keys that come at random at 90 a second nine in ten windows of 20 s show it.
 */
const CHANCE = 1.3;

export function isSlowing({ sizes }: GrowingContainer): boolean {
  const known = sizes.filter(size => size !== null);
  const middle = known[known.length >> 1] ?? 0;
  const early = middle - (known[0] ?? 0);
  const late = (known.at(-1) ?? 0) - middle;
  const ratio = late / early;
  return early > 0 && ratio >= UNDECIDED.from && ratio <= UNDECIDED.to && earliness(known) >= CHANCE;
}

/** How much earlier than evenly spread the entries came, in standard deviations of the mean of so many random moments. */
function earliness(sizes: readonly number[]): number {
  const steps = sizes.slice(1).map((size, i) => size - (sizes[i] ?? 0));
  const all = steps.reduce((sum, step) => sum + step, 0);
  const mean = steps.reduce((sum, step, i) => sum + step * (i + 0.5), 0) / all;
  return (steps.length / 2 - mean) / (steps.length / Math.sqrt(12 * all));
}

/** A window of three seconds counts few requests. */
const ALIKE = 0.25;
/** A request leaves one entry in a list, or two: an error's and an answer's listener. */
const MOST_EACH = 2;
/** A request that waits keeps itself, its socket and closures: 1 to 8 kB measured. */
const MOST_BYTES = 16 * 1024;

/** True for what gains an entry for each request that begins to wait: how that goes on is known. */
export function isPilingUp({ perSecond, entry }: GrowingContainer, ratesPerSecond: readonly number[]): boolean {
  if (entry.bytes > MOST_BYTES) return false;
  return ratesPerSecond.some(rate => {
    const each = Math.round(perSecond / rate);
    return each >= 1 && each <= MOST_EACH && Math.abs(perSecond - each * rate) <= ALIKE * each * rate;
  });
}
