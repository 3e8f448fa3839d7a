export type AlertLevel = 'warning' | 'critical';

/** A rule on one metric. A window is its own debounce: it needs no soak. */
export interface AlertRule {
  readonly id: string;
  readonly metric: string;
  readonly comparison: 'above' | 'below';
  readonly limit: number;
  readonly level: AlertLevel;
  readonly soakMs: number;
  readonly coolMs: number;
  readonly window?:
    | { readonly ms: number; readonly mode: 'average' }
    | { readonly ms: number; readonly mode: 'percentage'; readonly share: number };
}

/** DESIGN §7. */
export const ALERT_DEFAULTS = { soakMs: 5_000, coolMs: 30_000 } as const;

/** clear → pending (soaking) → firing → cooling → clear. A breach while cooling fires on, without a second event. */
export type AlertState =
  | { readonly phase: 'clear' }
  | { readonly phase: 'pending'; readonly since: number }
  | { readonly phase: 'firing'; readonly since: number }
  | { readonly phase: 'cooling'; readonly since: number; readonly firedAt: number };

export type AlertChange = 'fired' | 'resolved';

export const CLEAR: AlertState = { phase: 'clear' };

/** Undefined verdict: the metric could not be read; that neither fires nor heals. */
export type AlertVerdict = 'breached' | 'healthy' | undefined;

/** One step of the machine at time `at`. Also called with undefined, to let timers pass. */
export function step(
  rule: Pick<AlertRule, 'soakMs' | 'coolMs'>,
  state: AlertState,
  verdict: AlertVerdict,
  at: number,
): { readonly state: AlertState; readonly change?: AlertChange } {
  switch (state.phase) {
    case 'clear':
      if (verdict !== 'breached') return { state };
      return rule.soakMs === 0
        ? { state: { phase: 'firing', since: at }, change: 'fired' }
        : { state: { phase: 'pending', since: at } };
    case 'pending':
      if (verdict === 'healthy') return { state: CLEAR };
      return at - state.since >= rule.soakMs && verdict === 'breached'
        ? { state: { phase: 'firing', since: at }, change: 'fired' }
        : { state };
    case 'firing':
      if (verdict !== 'healthy') return { state };
      return rule.coolMs === 0
        ? { state: CLEAR, change: 'resolved' }
        : { state: { phase: 'cooling', since: at, firedAt: state.since } };
    case 'cooling':
      if (verdict === 'breached') return { state: { phase: 'firing', since: state.firedAt } };
      return at - state.since >= rule.coolMs ? { state: CLEAR, change: 'resolved' } : { state };
    default:
      return state satisfies never;
  }
}

/** Judges a rule on its samples, oldest first, at time `at`. */
export function judge(
  rule: AlertRule,
  samples: readonly { readonly at: number; readonly value: number }[],
  at: number,
): AlertVerdict {
  const breaches = (value: number) => (rule.comparison === 'above' ? value > rule.limit : value < rule.limit);
  const last = samples.at(-1);
  if (!rule.window) return last === undefined ? undefined : breaches(last.value) ? 'breached' : 'healthy';
  const { ms } = rule.window;
  const inside = samples.filter(sample => at - sample.at <= ms);
  if (inside.length === 0) return undefined;
  if (rule.window.mode === 'average')
    return breaches(inside.reduce((sum, { value }) => sum + value, 0) / inside.length) ? 'breached' : 'healthy';
  const share = inside.filter(({ value }) => breaches(value)).length / inside.length;
  return share >= rule.window.share ? 'breached' : 'healthy';
}
