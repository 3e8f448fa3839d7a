import { LensError } from '../../model/error.js';
import { isOwnMetric } from '../../model/vital-metrics.js';
import type { AlertRule } from '../../monitor/alert.js';
import { DEFAULT_RULES, ruleOf } from '../../monitor/rules.js';
import type { MonitorOptions } from '../../monitor/target-monitor.js';
import { problemOfReading } from '../../source/numeric-expression.js';
import { durationMs } from '../duration.js';
import type { LoadedSettings, RuleSettings } from '../settings.js';
import type { WatchPlan } from './keeper.js';

export interface WatchFlags {
  readonly interval?: number;
  readonly learn?: number;
  readonly threshold: readonly string[];
  /** `my.queue=globalThis.queue.length`. */
  readonly expression: readonly string[];
  readonly withModel?: boolean;
}

/** Settings and flags as what a watch does. Throws LensError `usage` for what doesn't fit together. */
export function watchPlan(settings: LoadedSettings['watch'], flags: WatchFlags): WatchPlan {
  const intervalMs = flags.interval ?? ms(settings.interval);
  const own = { ...settings.expressions, ...Object.fromEntries(flags.expression.map(ownMetric)) };
  const every = Object.fromEntries(Object.entries(settings.every).map(([metric, time]) => [metric, ms(time)]));
  const monitor = monitorOptions(settings, flags, intervalMs);
  for (const { metric } of monitor.rules)
    if (isOwnMetric(metric) && !(metric in own))
      throw new LensError(
        'usage',
        `A threshold names ${metric}, and there is no such expression.`,
        `Say what it is: --expression '${metric}=globalThis.queue.length'`,
      );
  return { intervalMs, monitor, own, every, model: flags.withModel ?? settings.model };
}

function ownMetric(text: string): readonly [name: string, expression: string] {
  const [, name = '', expression = ''] = /^\s*([\w.]+)\s*=\s*(\S.*)$/s.exec(text) ?? [];
  if (!isOwnMetric(name))
    throw new LensError('usage', `“${text}” is not NAME=EXPRESSION.`, 'Write it like my.queue=globalThis.queue.length');
  const problem = problemOfReading(expression);
  if (problem !== undefined) throw new LensError('usage', problem);
  return [name, expression];
}

function monitorOptions(settings: LoadedSettings['watch'], flags: WatchFlags, intervalMs: number): MonitorOptions {
  const retentionMs = ms(settings.history);
  const rules = [
    ...(settings.defaultRules ? DEFAULT_RULES : []),
    ...settings.thresholds.map(ruleFrom),
    ...flags.threshold.map(ruleFrom),
  ];
  return {
    // The last word on one limit counts: two rules of one id would share a state.
    rules: [...new Map(rules.map(rule => [rule.id, rule])).values()],
    detector: {
      learningMs: flags.learn ?? ms(settings.learn),
      z: settings.z,
      consecutive: settings.consecutive,
      cooldownMs: ms(settings.cooldown),
    },
    policy: { suppressMs: ms(settings.suppress), escalateMs: ms(settings.escalate) },
    retentionMs,
    maxSamples: Math.min(MOST_SAMPLES, Math.ceil(retentionMs / intervalMs)),
  };
}

/** 16 bytes each for two dozen metrics: 1.1 MB an application, whatever the interval. */
const MOST_SAMPLES = 2_880;

/** The schema has checked that it is a time. */
const ms = (text: string): number => durationMs(text) ?? Number.NaN;

function ruleFrom(setting: RuleSettings): AlertRule {
  const { limit, level, soak, cool, over, share } = typeof setting === 'string' ? { limit: setting } : setting;
  const parsed = ruleOf(limit, level);
  if ('problem' in parsed) throw new LensError('usage', parsed.problem);
  const window =
    over === undefined
      ? undefined
      : share === undefined
        ? ({ ms: ms(over), mode: 'average' } as const)
        : ({ ms: ms(over), mode: 'percentage', share } as const);
  return {
    ...parsed.rule,
    ...(soak !== undefined && { soakMs: ms(soak) }),
    ...(cool !== undefined && { coolMs: ms(cool) }),
    ...(window && { window, soakMs: 0 }),
  };
}
