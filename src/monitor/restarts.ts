import { deviation, mean } from '../base/statistics.js';
import { metricKind } from '../model/vital-metrics.js';
import type { Measures } from '../model/watch-event.js';

export interface Restart {
  readonly at: number;
  readonly child: string;
  readonly reason: string;
  /** The first readings of the process that ended, and the last: what rose in between may have met a limit. */
  readonly first?: Measures;
  readonly before?: Measures;
}

export type RestartPattern =
  | {
      readonly kind: 'storm';
      readonly count: number;
      readonly windowMs: number;
      readonly level: 'warning' | 'critical';
    }
  | { readonly kind: 'recurring'; readonly child: string; readonly count: number; readonly windowMs: number }
  | { readonly kind: 'cascade'; readonly children: readonly string[]; readonly spanMs: number }
  | {
      readonly kind: 'periodic';
      readonly child: string;
      readonly everyMs: number;
      readonly nextAt: number;
      readonly confidence: number;
    }
  | { readonly kind: 'resource'; readonly metric: string; readonly child: string; readonly level: number };

/** DESIGN §7: more than 5 in 5 minutes is a warning, more than 10 critical; one child more than 3 times an anomaly. */
export const RESTART_WINDOW_MS = 5 * 60_000;
const STORM_WARNING = 5;
const STORM_CRITICAL = 10;
const RECURRING = 3;
/** Different children that end this close together end for one reason. */
const CASCADE_SPAN_MS = 10_000;
const CASCADE_CHILDREN = 3;
/** Fewer gaps than this are chance. */
const PERIODIC_GAPS = 4;
/** Gaps that differ less than this from their mean are a clock, not load. */
const PERIODIC_VARIATION = 0.15;
/** Levels before the end that lie this close together point at a limit. */
const RESOURCE_VARIATION = 0.05;
const RESOURCE_MIN = 3;
/** What rises by less than this share in a life was always there: twelve threads end no process. */
const RESOURCE_RISE = 0.25;

/** Every pattern in the restarts seen up to `now`. */
export function restartPatterns(restarts: readonly Restart[], now: number): RestartPattern[] {
  const recent = restarts.filter(r => now - r.at <= RESTART_WINDOW_MS && r.at <= now);
  return [...storm(recent), ...recurring(recent), ...cascade(recent), ...periodic(restarts), ...resource(restarts)];
}

function storm(recent: readonly Restart[]): RestartPattern[] {
  if (recent.length <= STORM_WARNING) return [];
  const level = recent.length > STORM_CRITICAL ? 'critical' : 'warning';
  return [{ kind: 'storm', count: recent.length, windowMs: RESTART_WINDOW_MS, level }];
}

function byChild(restarts: readonly Restart[]): Map<string, Restart[]> {
  const groups = new Map<string, Restart[]>();
  for (const restart of restarts) groups.set(restart.child, [...(groups.get(restart.child) ?? []), restart]);
  return groups;
}

function recurring(recent: readonly Restart[]): RestartPattern[] {
  return [...byChild(recent)]
    .filter(([, all]) => all.length > RECURRING)
    .map(([child, all]) => ({ kind: 'recurring', child, count: all.length, windowMs: RESTART_WINDOW_MS }));
}

function cascade(recent: readonly Restart[]): RestartPattern[] {
  const sorted = [...recent].sort((a, b) => a.at - b.at);
  for (const [i, first] of sorted.entries()) {
    const near = sorted.slice(i).filter(r => r.at - first.at <= CASCADE_SPAN_MS);
    const children = [...new Set(near.map(r => r.child))];
    if (children.length >= CASCADE_CHILDREN)
      return [{ kind: 'cascade', children, spanMs: (near.at(-1)?.at ?? first.at) - first.at }];
  }
  return [];
}

function periodic(restarts: readonly Restart[]): RestartPattern[] {
  return [...byChild(restarts)].flatMap(([child, all]): RestartPattern[] => {
    const times = all.map(r => r.at).sort((a, b) => a - b);
    const gaps = times.slice(1).map((at, i) => at - (times[i] ?? at));
    if (gaps.length < PERIODIC_GAPS) return [];
    const everyMs = mean(gaps);
    const variation = deviation(gaps) / everyMs;
    if (!(variation <= PERIODIC_VARIATION)) return [];
    return [
      {
        kind: 'periodic',
        child,
        everyMs,
        nextAt: (times.at(-1) ?? 0) + everyMs,
        confidence: 1 - variation / PERIODIC_VARIATION / 2,
      },
    ];
  });
}

/** A child that always ends at the same level of a resource that it took up meanwhile has met a limit: the one that rose most. */
function resource(restarts: readonly Restart[]): RestartPattern[] {
  return [...byChild(restarts)].flatMap(([child, all]) => {
    const metrics = [...new Set(all.flatMap(r => Object.keys(r.before ?? {})))];
    const [most] = metrics.flatMap(metric => limitMet(metric, all)).sort((a, b) => b.rise - a.rise);
    return most ? [{ kind: 'resource', metric: most.metric, child, level: most.level }] : [];
  });
}

function limitMet(metric: string, lives: readonly Restart[]): { metric: string; level: number; rise: number }[] {
  const kind = metricKind(metric);
  const levels = lives.flatMap(({ before }) => before?.[metric] ?? []);
  const starts = lives.flatMap(({ first }) => first?.[metric] ?? []);
  if (!kind?.moreIsWorse || levels.length < RESOURCE_MIN || starts.length === 0) return [];
  const [level, start] = [mean(levels), mean(starts)];
  const rise = (level - start) / Math.max(Math.abs(start), kind.floor);
  const isSame = deviation(levels) / Math.abs(level) <= RESOURCE_VARIATION;
  return isSame && level - start > kind.floor && rise >= RESOURCE_RISE ? [{ metric, level, rise }] : [];
}
