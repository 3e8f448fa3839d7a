import { sayCount, sayMs } from '../base/say.js';
import type { Insight } from '../model/insight.js';
import type { CodeLocation } from '../model/location.js';
import { sayUse } from '../model/model-use.js';
import type { OperatorResult, Report } from '../model/report.js';
import { sayDisturbance } from './report.js';

const VERDICT = {
  healthy: '✔ healthy',
  observing: '○ worth watching',
  warning: '▲ warning',
  critical: '✖ critical',
  inconclusive: '? inconclusive',
} as const;

/** The report for a person: the cause in the first lines, then its evidence, then what was fine and what was not seen. */
export function markdownOf(report: Report): string {
  const [first, ...others] = report.insights;
  const parts = [
    head(report, first),
    ...(first ? [insightSection(first)] : []),
    ...others.map(insightSection),
    section(
      'Looked at and found fine',
      report.operators.filter(isFine).map(o => `- ${o.skill}: ${o.summary}`),
    ),
    section(
      'Not looked at',
      report.inconclusive.map(line => `- ${line}`),
    ),
    section(
      'Failures inside lens',
      report.failures.map(f => `- ${f.where}: ${f.message}`),
    ),
    section('The run', runLines(report)),
  ];
  return `${parts.filter(Boolean).join('\n\n')}\n`;
}

function head(report: Report, first: Insight | undefined): string {
  const lines = [`# ${VERDICT[report.verdict]}: ${first ? first.title : report.summary}`];
  if (first?.culprit) lines.push('', `**Where:** ${place(first.culprit)}`);
  if (first?.fix) lines.push('', `**Fix:** ${first.fix}`);
  return lines.join('\n');
}

function insightSection(insight: Insight): string {
  const lines = [
    `## ${insight.rank}. ${insight.title}`,
    '',
    `\`${insight.faultClass}\` · ${insight.severity} · confidence ${insight.confidence}${insight.grounded ? ', grounded' : ''}`,
    '',
    ...insight.matchedObservations.map(o => `- ${o}`),
  ];
  if (insight.rootCause) lines.push('', `Probably: ${insight.rootCause}`);
  if (insight.culprit) lines.push('', ...culpritLines(insight.culprit));
  for (const other of insight.related ?? []) lines.push('', `Also: ${place(other)}`, ...frameLines(other));
  if (insight.fix && insight.rank > 1) lines.push('', `Fix: ${insight.fix}`);
  for (const mark of insight.marks ?? []) lines.push('', `Checked and not confirmed: ${mark}`);
  lines.push('', `Evidence: ${insight.evidenceIds.join(', ') || 'none'}`);
  return lines.join('\n');
}

function culpritLines(culprit: CodeLocation): string[] {
  const via = culprit.via && culprit.via.length > 0 ? [`By way of: ${culprit.via.join(' → ')}`] : [];
  return [`At ${place(culprit)}`, ...via, ...frameLines(culprit)];
}

function frameLines(location: CodeLocation): string[] {
  return location.frame ? ['', '```', location.frame, '```'] : [];
}

/** Nobody writes lines this long: in a minified file the line alone says nothing. */
const LONG_LINE = 160;

/** `handle (src/server.ts:12, package express)`. */
export function place(at: CodeLocation): string {
  const column = at.column !== undefined && at.column > LONG_LINE ? `:${at.column}` : '';
  const where = `${at.file}:${at.line}${column}${at.package ? `, package ${at.package}` : ''}`;
  return at.function ? `${at.function} (${where})` : where;
}

function isFine(operator: OperatorResult): boolean {
  return !operator.incomplete && operator.outcome === 'healthy';
}

function section(title: string, lines: readonly string[]): string {
  return lines.length === 0 ? '' : `## ${title}\n\n${lines.join('\n')}`;
}

function runLines(report: Report): string[] {
  const { run, target, detached } = report;
  const who = [target.name ?? target.entry ?? target.command, `pid ${target.pid}`, `Node ${target.nodeVersion}`];
  const took = sayMs(run.finishedAt - run.startedAt);
  return [
    `- Target: ${who.filter(Boolean).join(', ')}, in ${target.cwd}`,
    `- Took ${took}, ${sayCount(report.operators.reduce((n, o) => n + o.iterations, 0))} calls, ${run.planner === 'rules' ? 'by rules alone' : `model ${run.model ?? ''}${run.usage ? ` (${sayUse(run.usage)})` : ''}`}${run.reason ? `, reason: “${run.reason}”` : ''}`,
    `- ${sayDisturbance(report.disturbance)}`,
    `- ${detached.residue.length === 0 ? 'Nothing of lens is left in the target.' : `Left in the target: ${detached.residue.join(' ')}`}`,
    ...report.artifacts.map(a => `- Saved ${a.kind}: ${a.path}`),
  ];
}
