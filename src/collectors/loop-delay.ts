import type { RawWindow } from '../agents/vitals/raw.js';
import type { LoopDelay } from '../model/evidence/vitals.js';

/** The histogram's timer in the target (src/agents/vitals). */
const HISTOGRAM_STEP_MS = 10;
/** Rounding of up to 283 ticks left 20 ms unaccounted in an undisturbed window of 4 s. */
const STALL_MS = 100;

/**
 * The histogram learns of a stall only when it is over. What its ticks don't account for is a stall still under way:
 * a loop that never turned within the window has a delay of the whole window, not of 0.
 */
export function loopDelay({ delay }: RawWindow, wallMs: number): LoopDelay {
  const unaccounted = wallMs - delay.count * (delay.mean + HISTOGRAM_STEP_MS);
  const stalledMs = unaccounted > STALL_MS ? unaccounted : 0;
  if (delay.count === 0 && stalledMs > 0) {
    const all = stalledMs;
    return { minMs: all, meanMs: all, p50Ms: all, p90Ms: all, p99Ms: all, maxMs: all, count: 0 };
  }
  return {
    minMs: delay.min,
    meanMs: delay.mean,
    p50Ms: delay.p50,
    p90Ms: delay.p90,
    p99Ms: delay.p99,
    maxMs: Math.max(delay.max, stalledMs),
    count: delay.count,
  };
}
