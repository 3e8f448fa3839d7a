import { ownKeys, plainKeys, symbolsOf } from './intrinsics.js';
import { LIMITS, type Realm } from './realm.js';

/** A first probe of a dictionary's symbols takes a fifteenth of listing its keys. */
const LISTING_PER_PROBE = 15;
const KEYS_PER_PROBE_MS = 40_000;
/** Below this a probe says nothing about size. */
const SMALLEST_PROBE_MS = 0.25;

/** Own keys, or an estimate of their number when listing them would stop the program for too long. */
export function keysOf(object: object, { host: { now } }: Realm): PropertyKey[] | number {
  let from = now();
  const symbols = symbolsOf(object);
  let probe = now() - from;
  if (probe > SMALLEST_PROBE_MS) {
    from = now();
    symbolsOf(object);
    // The first probe may have met a garbage collection.
    probe = Math.min(probe, now() - from);
    if (probe * LISTING_PER_PROBE > LIMITS.longestListingMs) return Math.round(probe * KEYS_PER_PROBE_MS);
  }
  const names = plainKeys(object);
  if (names.length > 500) return symbols.length > 0 ? [...names, ...symbols] : names;
  return ownKeys(object);
}
