import type { Baseline } from '../../base/normal.js';
import type { Alert } from '../watch-event.js';

/** What earlier watches of the same application learned. Empty where lens has not watched it: that is an answer too. */
export interface Normal {
  /** By metric name (src/model/vital-metrics.ts). */
  readonly baselines: { readonly [metric: string]: Baseline };
  /** When the newest of them last learned, in milliseconds since 1970. */
  readonly learnedAt?: number;
  /** Alerts that burn, or burnt when the last watch ended. */
  readonly open: readonly Alert[];
}
