import type { Insight } from '../model/insight.js';
import type { Report } from '../model/report.js';
import { markdownOf } from './markdown.js';

const COMMAND = { critical: 'error', warning: 'warning', info: 'notice' } as const;

/** GitHub shows ten annotations of a kind per step and drops the rest without a word. */
const MAX_PER_KIND = 10;
/** A larger step summary is refused as a whole (limit 1 MiB). */
const MAX_SUMMARY_BYTES = 1_000_000;

/** Workflow commands, one line an insight: printed to a step's log they become annotations on the culprit's line. */
export function annotationsOf(report: Report): string {
  const shown = new Map<string, number>();
  return report.insights
    .filter(({ severity }) => {
      const count = (shown.get(severity) ?? 0) + 1;
      shown.set(severity, count);
      return count <= MAX_PER_KIND;
    })
    .map(insight => `${annotation(insight)}\n`)
    .join('');
}

function annotation(insight: Insight): string {
  const at = insight.culprit;
  const properties = [
    ...(at ? [`file=${property(at.file)}`, `line=${at.line}`] : []),
    `title=${property(`lens: ${insight.faultClass}`)}`,
  ];
  return `::${COMMAND[insight.severity]} ${properties.join(',')}::${data([insight.title, insight.fix ?? []].flat().join('\n'))}`;
}

function data(text: string): string {
  return text.replace(/%/g, '%25').replace(/\r/g, '%0D').replace(/\n/g, '%0A');
}

function property(text: string): string {
  return data(text).replace(/:/g, '%3A').replace(/,/g, '%2C');
}

/** Markdown for $GITHUB_STEP_SUMMARY, cut at a line so that it stays under the limit. */
export function stepSummaryOf(report: Report): string {
  const text = markdownOf(report);
  if (new TextEncoder().encode(text).length <= MAX_SUMMARY_BYTES) return text;
  const cut = text.slice(0, MAX_SUMMARY_BYTES / 4);
  return `${cut.slice(0, cut.lastIndexOf('\n'))}\n\n… cut: the whole report is in the run's folder.\n`;
}
