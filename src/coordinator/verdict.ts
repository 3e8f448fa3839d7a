import type { Insight } from '../model/insight.js';
import type { OperatorResult, Verdict } from '../model/report.js';

/** Worst of the insights; without any, healthy only when somebody really looked and nobody was cut off. */
export function verdictOf(insights: readonly Insight[], operators: readonly OperatorResult[], lost: boolean): Verdict {
  if (insights.some(i => i.severity === 'critical')) return 'critical';
  if (insights.some(i => i.severity === 'warning')) return 'warning';
  const looked = operators.filter(o => o.outcome === 'healthy' || o.outcome === 'found');
  if (lost || looked.length === 0) return 'inconclusive';
  if (operators.some(o => o.incomplete)) return 'inconclusive';
  return insights.length > 0 || operators.some(o => o.state === 'observing') ? 'observing' : 'healthy';
}
