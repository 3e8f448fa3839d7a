import { LensError } from '../../model/error.js';
import type { AlertRule } from '../../monitor/alert.js';
import { DEFAULT_RULES, ruleOf } from '../../monitor/rules.js';
import type { MonitorOptions } from '../../monitor/target-monitor.js';
import { durationMs } from '../duration.js';
import type { LoadedSettings, RuleSettings } from '../settings.js';

/** Settings and flags as the monitor's numbers. Throws LensError `usage` for a threshold that is none. */
export function monitorOptions(
  settings: LoadedSettings['watch'],
  flags: { readonly learn?: number; readonly threshold: readonly string[] },
  intervalMs: number,
): MonitorOptions {
  const retentionMs = ms(settings.history);
  return {
    rules: [
      ...(settings.defaultRules ? DEFAULT_RULES : []),
      ...settings.thresholds.map(ruleFrom),
      ...flags.threshold.map(ruleFrom),
    ],
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
