import type { Emit } from '../model/event.js';
import type { Evidence } from '../model/evidence/index.js';
import type { Insight } from '../model/insight.js';
import type { Json } from '../model/json.js';
import type { Report } from '../model/report.js';
import { SEVERITIES } from '../model/severity.js';
import type { RunEnv } from '../run.js';

/** What an earlier pass concluded, and the readings it stands on. */
export interface Earlier {
  readonly report: Report;
  readonly evidence: ReadonlyMap<string, Evidence>;
}

const NOTE = 'Found by an earlier pass; this one looked elsewhere.';

/**
 * Runs a pass of some skills so that what others found before stays in its report, said to be so, with what it cites: a
 * question that looks elsewhere takes nothing back. What a skill does not find again is gone.
 */
export async function carryingOver(
  earlier: Earlier,
  only: readonly string[],
  env: RunEnv,
  pass: (env: RunEnv) => Promise<void>,
): Promise<void> {
  const produced: Insight[] = [];
  const emit: Emit = event => (event.type === 'insight.produced' ? void produced.push(event.insight) : env.emit(event));
  await pass({ ...env, emit });
  const kept = earlier.report.insights.filter(
    insight =>
      !produced.some(again => isSame(again, insight)) && supporters(insight, earlier).some(s => !only.includes(s)),
  );
  for (const insight of kept) cite(insight, earlier, env);
  for (const insight of ranked([...produced, ...kept.map(noted)])) env.emit({ type: 'insight.produced', insight });
}

function isSame(a: Insight, b: Insight): boolean {
  return a.faultClass === b.faultClass && a.culprit?.file === b.culprit?.file && a.culprit?.line === b.culprit?.line;
}

function supporters({ notificationIds }: Insight, { report }: Earlier): readonly string[] {
  return report.notifications.filter(n => notificationIds.includes(n.id)).map(n => n.operator);
}

/** The readings are not booked again: what they cost stands in the run that took them. */
function cite({ notificationIds, evidenceIds }: Insight, { report, evidence }: Earlier, env: RunEnv): void {
  const known = env.state();
  const missing = evidenceIds.filter(id => !known.readings.some(reading => reading.id === id));
  for (const { id, kind, status, ...read } of missing.flatMap(id => evidence.get(id) ?? [])) {
    const kept = env.keep({ id, kind, status, ...read }, {} as Json);
    const costs = { pausedMs: 0, costMs: 0, tookMs: 0 };
    env.emit({ type: 'evidence.collected', id, kind, params: {}, status, ...costs, ...kept });
  }
  for (const notification of report.notifications)
    if (notificationIds.includes(notification.id) && !known.notifications.some(n => n.id === notification.id))
      env.emit({ type: 'notification.raised', notification });
}

function noted(insight: Insight): Insight {
  return { ...insight, matchedObservations: [...new Set([...insight.matchedObservations, NOTE])] };
}

/** The worst first; among equals as they came, what was found just now before what was found earlier. */
function ranked(insights: readonly Insight[]): readonly Insight[] {
  const worst = (insight: Insight) => SEVERITIES.indexOf(insight.severity);
  return insights.toSorted((a, b) => worst(b) - worst(a)).map((insight, at) => ({ ...insight, rank: at + 1 }));
}
