import { ALERT_DEFAULTS, type AlertRule } from './alert.js';
import { parseThreshold } from './threshold.js';

const rule = (text: string, level: AlertRule['level'], window?: AlertRule['window']): AlertRule => {
  const parsed = parseThreshold(text);
  if ('problem' in parsed) throw new Error(parsed.problem);
  const { metric, comparison, limit } = parsed;
  const soakMs = window ? 0 : ALERT_DEFAULTS.soakMs;
  return {
    id: text,
    metric,
    comparison,
    limit,
    level,
    soakMs,
    coolMs: ALERT_DEFAULTS.coolMs,
    ...(window && { window }),
  };
};

const MINUTE = 60_000;
/** Most of the last two minutes: a deploy, a report or a cold cache passes. */
const MOSTLY = { ms: 2 * MINUTE, mode: 'percentage', share: 0.8 } as const;

/** Limits that are wrong for every program (DESIGN §7: 75 % warning, 90 % critical; delays that users feel). */
export const DEFAULT_RULES: readonly AlertRule[] = [
  rule('heap.liveShare>75%', 'warning'),
  rule('heap.liveShare>90%', 'critical'),
  rule('memory.limitShare>90%', 'critical'),
  rule('fds.limitShare>75%', 'warning'),
  rule('fds.limitShare>90%', 'critical'),
  rule('gc.share>30%', 'warning', MOSTLY),
  rule('loop.delayP99Ms>500ms', 'warning', MOSTLY),
  rule('loop.utilization>98%', 'warning', { ms: 5 * MINUTE, mode: 'percentage', share: 0.9 }),
];

/** A rule that a user wrote as `METRIC>LIMIT`; else a sentence that says what is wrong. */
export function ruleOf(
  text: string,
  level: AlertRule['level'] = 'warning',
): { readonly rule: AlertRule } | { readonly problem: string } {
  const parsed = parseThreshold(text);
  return 'problem' in parsed ? parsed : { rule: rule(text, level) };
}
