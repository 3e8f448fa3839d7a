import type { AsyncDump } from '../model/evidence/async-dump.js';
import type { InFlight } from '../model/evidence/in-flight.js';
import { type Frame, placeKey, Waits } from './waits.js';

/** Sockets to one peer that are opened and not closed. */
export interface SocketGrowth {
  readonly peer: string;
  readonly before: number;
  readonly after: number;
  /** The peer has closed its side, ours is open. */
  readonly halfClosed: number;
}

/** A pool warming up opens up to a dozen at once; a leak goes on. Both windows must show it. */
const LEAST_GROWTH = 6;
const GROWTH_SHARE = 0.1;

/** Peers whose sockets grew over the window, most growth first. */
export function socketGrowth(before: InFlight, after: InFlight): SocketGrowth[] {
  return after.peers
    .flatMap(({ peer, count, halfClosed }) => {
      const earlier = before.peers.find(other => other.peer === peer)?.count ?? 0;
      const grew = peer !== 'local' && count - earlier >= Math.max(LEAST_GROWTH, earlier * GROWTH_SHARE);
      return grew ? [{ peer, before: earlier, after: count, halfClosed }] : [];
    })
    .sort((a, b) => b.after - b.before - (a.after - a.before));
}

/** Who opened connections in the window, the most frequent first. */
export function connectors(dump: AsyncDump, peer: string): (readonly Frame[])[] {
  const port = peer.slice(peer.lastIndexOf(':') + 1);
  const byPlace = new Map<string, { user: readonly Frame[]; count: number }>();
  for (const wait of new Waits(dump).all) {
    if (wait.type !== 'NETCONNECT' || wait.user.length === 0) continue;
    if (/:\d+$/.test(wait.detail?.peer ?? '') && !wait.detail?.peer?.endsWith(`:${port}`)) continue;
    const key = placeKey(wait.user[0]);
    const row = byPlace.get(key) ?? { user: wait.user, count: 0 };
    byPlace.set(key, row);
    row.count++;
  }
  return [...byPlace.values()].sort((a, b) => b.count - a.count).map(row => row.user);
}
