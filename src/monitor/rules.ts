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

type Window = NonNullable<AlertRule['window']>;
const TIME_MS: { readonly [unit: string]: number } = { ms: 1, s: 1000, m: MINUTE, h: 60 * MINUTE };

/**
 * A rule that a user wrote as `METRIC>LIMIT`, `METRIC>LIMIT over 2m` (the mean of that time) or `METRIC>LIMIT in 80% of
 * 2m` (the share of its readings); else a sentence that says what is wrong.
 */
export function ruleOf(
  text: string,
  level: AlertRule['level'] = 'warning',
): { readonly rule: AlertRule } | { readonly problem: string } {
  const [limit, window] = windowOf(text);
  const parsed = parseThreshold(limit);
  return 'problem' in parsed ? parsed : { rule: { ...rule(limit, level, window), id: text.trim() } };
}

function windowOf(text: string): [limit: string, window?: Window] {
  const [, limit, share, digits, unit = ''] =
    /^(.*?)\s+(?:over|in\s+(\d+(?:\.\d+)?)\s*%\s+of)\s+(\d+(?:\.\d+)?)(ms|s|m|h)\s*$/.exec(text) ?? [];
  if (limit === undefined) return [text];
  const ms = Number(digits) * (TIME_MS[unit] ?? Number.NaN);
  return [
    limit,
    share === undefined ? { ms, mode: 'average' } : { ms, mode: 'percentage', share: Number(share) / 100 },
  ];
}
