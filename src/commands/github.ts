import { appendFileSync } from 'node:fs';
import { isAbsolute, join, relative } from 'node:path';
import type { Insight } from '../model/insight.js';
import type { CodeLocation } from '../model/location.js';
import type { Report } from '../model/report.js';
import { annotationsOf, stepSummaryOf } from '../report/github.js';

/** Files relative to the checked-out repository instead of the target's working directory: what GitHub and SARIF link. */
export function fromWorkspace(report: Report, workspace: string): Report {
  const moved = (at: CodeLocation): CodeLocation => ({ ...at, file: rebase(at.file, report.target.cwd, workspace) });
  const insights = report.insights.map(
    (insight): Insight => ({
      ...insight,
      ...(insight.culprit && { culprit: moved(insight.culprit) }),
      ...(insight.related && { related: insight.related.map(moved) }),
    }),
  );
  return { ...report, insights };
}

function rebase(file: string, cwd: string, workspace: string): string {
  const inside = relative(workspace, isAbsolute(file) ? file : join(cwd, file));
  return inside.startsWith('..') || isAbsolute(inside) ? file : inside;
}

/**
 * Inside of GitHub Actions: annotations on the culprits' lines, the step's summary, and `verdict`, `exit-code`, `fault`,
 * `culprit` as the step's outputs. Annotations go to stderr, which the runner reads too: stdout stays the result's.
 */
export function tellGithub(report: Report, code: number, env: NodeJS.ProcessEnv): void {
  if (env.GITHUB_ACTIONS !== 'true') return;
  process.stderr.write(annotationsOf(report));
  if (report.verdict === 'inconclusive')
    process.stderr.write(`::warning title=lens::inconclusive: ${oneLine(report.inconclusive[0] ?? report.summary)}\n`);
  append(env.GITHUB_STEP_SUMMARY, stepSummaryOf(report));
  append(env.GITHUB_OUTPUT, outputs(report, code));
}

function outputs({ verdict, insights }: Report, code: number): string {
  const [first] = insights;
  const at = first?.culprit;
  const values = {
    verdict,
    'exit-code': String(code),
    fault: first?.faultClass ?? '',
    culprit: at ? `${at.file}:${at.line}` : '',
  };
  return Object.entries(values)
    .map(([name, value]) => `${name}=${oneLine(value)}\n`)
    .join('');
}

/** A newline would end the value, or the command, and begin another that the runner obeys. */
const oneLine = (text: string): string => text.replace(/\s+/g, ' ').trim();

function append(path: string | undefined, text: string): void {
  if (path === undefined || path === '') return;
  try {
    appendFileSync(path, text);
  } catch (error) {
    process.stderr.write(`lens: ${path} can't be written: ${error instanceof Error ? error.message : error}\n`);
  }
}
