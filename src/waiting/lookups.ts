import type { Base, Finding } from './finding.js';
import type { WaitGroup } from './stuck.js';
import { placeKey, type Wait, type Waits } from './waits.js';

const LOOKUP = 'GETADDRINFOREQWRAP';
/** A resolver answers within some milliseconds, a slow one within a few hundred. */
const SLOW_LOOKUP_MS = 500;
/** Of a group's calls so many must still be without an address before it is the names that they wait for. */
const WITHOUT_ADDRESS = 0.5;

/** Calls that have not begun, since the address of their host is still looked up: it is not the host that is slow. */
export function fromLookups(group: WaitGroup, base: Base, waits: Waits): Finding | undefined {
  if (!group.natives.includes(LOOKUP)) return undefined;
  const { windowMs } = waits.dump;
  const slow = waits.all.filter(
    ({ type, pending, request, at }) => type === LOOKUP && pending && request > 0 && windowMs - at >= SLOW_LOOKUP_MS,
  );
  // The machine's own name is known at once, given a thread: whoever asks for other names has the threads.
  const others = slow.filter(({ detail }) => !isOwnName(detail?.peer ?? ''));
  const asking = slowestPlace(others.length > 0 ? others : slow);
  if (!asking || slow.length < WITHOUT_ADDRESS * Math.max(group.calls.length, group.requests)) return undefined;
  const lookups = {
    count: slow.length,
    oldestMs: Math.round(windowMs - Math.min(...slow.map(({ at }) => at))),
    host: asking.detail?.peer ?? '',
  };
  const own =
    asking.user.length > 0 ? { user: asking.user, place: asking.user[0], others: group.user.slice(0, 1) } : {};
  return { ...base, ...own, faultClass: 'downstream.slow', confidence: 'high', lookups };
}

const isOwnName = (host: string): boolean => /^(localhost$|127\.|::1$)/.test(host);

/** One of the place that most of them were begun at. */
function slowestPlace(slow: readonly Wait[]): Wait | undefined {
  const places = new Map<string, Wait[]>();
  for (const wait of slow) {
    const key = placeKey(wait.user[0]);
    places.set(key, [...(places.get(key) ?? []), wait]);
  }
  return [...places.values()].sort((a, b) => b.length - a.length)[0]?.[0];
}
