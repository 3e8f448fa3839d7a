import type { AsyncDump } from '../model/evidence/async-dump.js';
import type { InFlight, StalledStream } from '../model/evidence/in-flight.js';
import { type Frame, placeKey, Waits } from './waits.js';

/** Streams whose buffers are far past their high-water marks and keep growing over a window. */
export interface Clogged {
  readonly streams: number;
  readonly bytesBefore: number;
  readonly bytesAfter: number;
  readonly worst: StalledStream;
  /** What the peers took meanwhile. */
  readonly takenBytes: number;
  readonly listening: boolean;
}

/** A stream that fills this much in a window is being written to faster than it drains. */
const GROWTH_BYTES = 65_536;

/** Undefined while every stream drains. */
export function clogged(before: InFlight, after: InFlight): Clogged | undefined {
  const stuck = after.stalled.filter(
    stream => stream.needDrain || stream.writableLength > 4 * Math.max(1, stream.highWaterMark),
  );
  const worst = stuck[0];
  if (!worst) return undefined;
  const sum = (streams: readonly StalledStream[]) =>
    streams.reduce((total, stream) => total + stream.writableLength, 0);
  const [bytesBefore, bytesAfter] = [sum(before.stalled), sum(stuck)];
  if (bytesAfter - bytesBefore < GROWTH_BYTES) return undefined;
  const taken =
    stuck.reduce((total, stream) => total + stream.bytesWritten, 0) -
    before.stalled.reduce((total, stream) => total + stream.bytesWritten, 0);
  return {
    streams: stuck.length,
    bytesBefore,
    bytesAfter,
    worst,
    takenBytes: Math.max(0, taken),
    listening: stuck.some(stream => stream.drainListeners > 1),
  };
}

/** Who writes into clogged responses, the most frequent first; empty when nobody was caught writing. */
export function writers(dump: AsyncDump): (readonly Frame[])[] {
  const byPlace = new Map<string, { user: readonly Frame[]; count: number }>();
  for (const wait of new Waits(dump).all) {
    if (wait.type !== 'HTTPWRITE' || wait.user.length === 0) continue;
    const key = placeKey(wait.user[0]);
    const row = byPlace.get(key) ?? { user: wait.user, count: 0 };
    byPlace.set(key, row);
    row.count++;
  }
  return [...byPlace.values()].sort((a, b) => b.count - a.count).map(row => row.user);
}
