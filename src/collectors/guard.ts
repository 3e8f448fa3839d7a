import { sayBytes, sayMs } from '../base/say.js';
import type { EvidenceKind, EvidenceParams } from '../model/evidence/index.js';
import type { Collector, CostBasis } from './collector.js';

export const SAFETY_LEVELS = ['strict', 'normal', 'bold'] as const;
/** strict: nothing that stops the event loop; normal: short pauses; bold: also heavy readings, within memory. */
export type Safety = (typeof SAFETY_LEVELS)[number];

/** The longest standstill one reading may cause unless a person allows more (`--max-pause`). */
export const DEFAULT_MAX_PAUSE_MS = 1500;

/** Under `strict` a reading may not be noticed by users: below one frame of a 60 Hz display. */
const STRICT_PAUSE_MS = 16;

/** A reading may take at most this share of what is left before the kernel kills: the target goes on allocating meanwhile. */
const MEMORY_SHARE = 0.5;

export interface Guard {
  /** Undefined when the reading may be taken, else a sentence that says why not and what would allow it. */
  refusal<K extends EvidenceKind>(
    collector: Collector<K>,
    basis: CostBasis,
    params: EvidenceParams<K>,
  ): string | undefined;
  mayPause(estimateMs: number): boolean;
}

/** Admits or refuses a reading from its cost class, its estimated pause and memory, and the machine. */
export function guard(safety: Safety, maxPauseMs: number): Guard {
  const limitMs = safety === 'strict' ? Math.min(STRICT_PAUSE_MS, maxPauseMs) : maxPauseMs;
  return {
    mayPause: estimateMs => estimateMs <= limitMs,
    refusal(collector, basis, params) {
      if (collector.cost === 'free' || collector.cost === 'light') return undefined;
      const estimate = collector.estimate?.(basis, params) ?? { pauseMs: 0, memoryBytes: 0 };
      if (collector.cost === 'heavy' && safety !== 'bold')
        return `${collector.title} would stop the target for about ${sayMs(estimate.pauseMs)} and take ${sayBytes(estimate.memoryBytes)}; it needs --safety bold${estimate.pauseMs > maxPauseMs ? ` --max-pause ${Math.ceil(estimate.pauseMs)}` : ''}.`;
      if (estimate.pauseMs > limitMs)
        return `${collector.title} would stop the target for about ${sayMs(estimate.pauseMs)}, more than ${sayMs(limitMs)} (--max-pause).`;
      if (estimate.memoryBytes > basis.availableBytes * MEMORY_SHARE)
        return `${collector.title} would take about ${sayBytes(estimate.memoryBytes)} and only ${sayBytes(basis.availableBytes)} are left before the memory limit.`;
      return undefined;
    },
  };
}
