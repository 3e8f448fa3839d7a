import { z } from 'zod';
import type { Report } from '../model/report.js';

const place = z.object({
  file: z.string(),
  line: z.number(),
  function: z.string().optional(),
  package: z.string().optional(),
});

/** A report as an assistant reads it: conclusions with their places and ids; the rest lies in the run's resources. */
export const reportShape = {
  run: z.string(),
  verdict: z.enum(['healthy', 'observing', 'warning', 'critical', 'inconclusive']),
  summary: z.string(),
  insights: z.array(
    z.object({
      title: z.string(),
      fault_class: z.string(),
      severity: z.string(),
      confidence: z.string(),
      summary: z.string(),
      culprit: place.optional(),
      fix: z.string().optional(),
      evidence_ids: z.array(z.string()),
      marks: z.array(z.string()).optional(),
    }),
  ),
  operators: z.array(z.object({ skill: z.string(), outcome: z.string(), summary: z.string() })),
  inconclusive: z.array(z.string()),
  failures: z.array(z.string()),
  paused_ms: z.number(),
  resources: z.array(z.string()),
};

export type BriefReport = z.infer<z.ZodObject<typeof reportShape>>;

export function briefReport(report: Report): BriefReport {
  return {
    run: report.run.id,
    verdict: report.verdict,
    summary: report.summary,
    insights: report.insights.map(insight => ({
      title: insight.title,
      fault_class: insight.faultClass,
      severity: insight.severity,
      confidence: insight.confidence,
      summary: insight.summary,
      ...(insight.culprit && { culprit: placeOf(insight.culprit) }),
      ...(insight.fix && { fix: insight.fix }),
      evidence_ids: [...insight.evidenceIds],
      ...(insight.marks && { marks: [...insight.marks] }),
    })),
    operators: report.operators.map(({ skill, outcome, summary }) => ({ skill, outcome, summary })),
    inconclusive: [...report.inconclusive],
    failures: report.failures.map(({ where, message }) => `${where}: ${message}`),
    paused_ms: report.disturbance.pausedMs,
    resources: ['report.md', 'report.json'].map(file => `lens://runs/${report.run.id}/${file}`),
  };
}

function placeOf({ file, line, function: name, package: from }: NonNullable<Report['insights'][number]['culprit']>) {
  return { file, line, ...(name && { function: name }), ...(from && { package: from }) };
}
