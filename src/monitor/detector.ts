import { type Baseline, distance, follow, learn } from '../base/normal.js';
import { mannKendall } from '../base/statistics.js';

/** DESIGN §7 defaults. */
export const DETECTOR_DEFAULTS = { learningMs: 2 * 3_600_000, z: 3, consecutive: 3, cooldownMs: 15 * 60_000 } as const;

export interface DetectorOptions {
  readonly learningMs: number;
  readonly z: number;
  readonly consecutive: number;
  readonly cooldownMs: number;
  /** A change below this is none, in the metric's unit. */
  readonly floor?: number;
  /** True where less is never worse. */
  readonly upwardOnly?: boolean;
}

/** One series' detector. A plain value: `observe` returns the next one. */
export type DetectorState =
  | { readonly phase: 'learning'; readonly since: number; readonly values: readonly number[] }
  | { readonly phase: 'active'; readonly baseline: Baseline; readonly consecutive: number }
  | {
      readonly phase: 'cooldown';
      readonly baseline: Baseline;
      readonly until: number;
      readonly values: readonly number[];
    };

export interface Anomaly {
  readonly at: number;
  readonly value: number;
  readonly z: number;
  readonly baseline: Baseline;
}

/** Enough for two hours at 30 s, and bounded whatever the interval. */
const MAX_LEARNING_SAMPLES = 2_000;

/** A saved baseline starts active at once; without one a series learns first. */
export function startDetector(at: number, saved?: Baseline): DetectorState {
  return saved ? { phase: 'active', baseline: saved, consecutive: 0 } : { phase: 'learning', since: at, values: [] };
}

/** One sample further. `anomaly` is set at the moment the n-th consecutive sample lies outside. */
export function observe(
  state: DetectorState,
  value: number,
  at: number,
  options: DetectorOptions = DETECTOR_DEFAULTS,
): { readonly state: DetectorState; readonly anomaly?: Anomaly } {
  switch (state.phase) {
    case 'learning':
      return { state: learning(state, value, at, options) };
    case 'cooldown':
      return at < state.until
        ? { state: { ...state, values: [...state.values, value].slice(-MAX_LEARNING_SAMPLES) } }
        : observe({ phase: 'active', baseline: afterCooldown(state, at), consecutive: 0 }, value, at, options);
    case 'active':
      return active(state, value, at, options);
    default:
      return state satisfies never;
  }
}

/** True when the value lies within what is normal. */
export function isNormal(
  { baseline }: { readonly baseline: Baseline },
  value: number,
  options: DetectorOptions = DETECTOR_DEFAULTS,
): boolean {
  const z = distance(baseline, value, (options.floor ?? 0) / options.z);
  return (options.upwardOnly ? z : Math.abs(z)) <= options.z;
}

function learning(
  state: Extract<DetectorState, { phase: 'learning' }>,
  value: number,
  at: number,
  options: DetectorOptions,
): DetectorState {
  const values = [...state.values, value].slice(-MAX_LEARNING_SAMPLES);
  const baseline = at - state.since >= options.learningMs ? learn(values, at) : undefined;
  return baseline ? { phase: 'active', baseline, consecutive: 0 } : { ...state, values };
}

/** Two-sided 1 %: values that still move are no new normal. */
const TREND_Z = 2.58;

/** A level that has held for the whole cooldown is the new normal (more traffic, a deploy); one that still rises is not. */
function afterCooldown({ baseline, values }: Extract<DetectorState, { phase: 'cooldown' }>, at: number): Baseline {
  if (Math.abs(mannKendall(values)) >= TREND_Z) return baseline;
  return learn(values, at) ?? baseline;
}

function active(
  state: Extract<DetectorState, { phase: 'active' }>,
  value: number,
  at: number,
  options: DetectorOptions,
): { readonly state: DetectorState; readonly anomaly?: Anomaly } {
  const z = distance(state.baseline, value, (options.floor ?? 0) / options.z);
  if (isNormal(state, value, options))
    return { state: { ...state, baseline: follow(state.baseline, value, at), consecutive: 0 } };
  const consecutive = state.consecutive + 1;
  if (consecutive < options.consecutive) return { state: { ...state, consecutive } };
  return {
    state: { phase: 'cooldown', baseline: state.baseline, until: at + options.cooldownMs, values: [] },
    anomaly: { at, value, z, baseline: state.baseline },
  };
}
