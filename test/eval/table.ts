// How an evaluation reads: one line per run, then what to conclude.
import type { Case } from './case.js';
import type { Grade } from './grade.js';
import type { NodeVersion } from './stage.js';

export interface Row {
  readonly case: Case;
  readonly node: NodeVersion;
  readonly repeat: number;
  readonly grade: Grade;
  readonly seconds: number;
  readonly longestPauseMs: number;
  /** What paused it longest. */
  readonly longestPauseBy: string;
  readonly targetCpuMs: number;
  readonly residue: readonly string[];
  /** What the program's callers saw while lens was there. */
  readonly slowestAnswerMs: number;
  /** Share of its runnable time that the target's main thread had no core: what a crowded machine does to it. */
  readonly waitedForCore: number;
  /** The most memory that lens itself had resident. */
  readonly lensPeakBytes: number;
  /** Requests to a healthy program that got no answer while lens was there. */
  readonly failedRequests: number;
  /** With a scripted model: calls and prompt tokens by who asked. */
  readonly usage?: string;
  readonly promptTokens?: number;
  /** How the target died, when it did. */
  readonly fate?: string;
}

/** What lens promises not to exceed without consent. */
const LONG_PAUSE_MS = 1500;
/** Above this a program may be slow, or fail its callers, without lens. */
const CROWDED = 0.25;
const TEXT_WIDTH = 900;

export function rowText({
  case: one,
  node,
  grade,
  seconds,
  longestPauseMs,
  longestPauseBy,
  lensPeakBytes,
  slowestAnswerMs,
  residue,
  failedRequests,
  waitedForCore,
  fate,
  usage,
}: Row): string {
  const kind = one.truths.length === 0 ? 'healthy' : one.truths.map(truth => truth.classes[0]).join(' + ');
  const marks =
    one.truths.length === 0 ? '' : `${tick(grade.classRight)}${tick(grade.fileRight)}${tick(grade.lineRight)}`;
  const cells = [
    grade.ran ? (grade.right ? 'ok  ' : 'WRONG') : 'DID NOT RUN',
    one.app.padEnd(12),
    `node ${node}`,
    kind.padEnd(26),
    marks.padEnd(3),
    grade.verdict.padEnd(9),
    `${seconds.toFixed(1)} s`.padStart(7),
    `pause ${Math.round(longestPauseMs)} ms`.padStart(13),
    `lens ${Math.round(lensPeakBytes / 2 ** 20)} MB`.padStart(11),
    `answers ≤ ${slowestAnswerMs > 0 ? Math.round(slowestAnswerMs) : '-'} ms`.padStart(16),
  ];
  const said = grade.right && grade.flaws.length === 0 ? '' : grade.said.slice(0, TEXT_WIDTH);
  const notes = [
    ...grade.falseAlarms.slice(1),
    ...grade.flaws,
    ...residue.map(text => `RESIDUE ${text}`),
    ...(longestPauseMs > LONG_PAUSE_MS
      ? [
          `PAUSE ${Math.round(longestPauseMs)} ms by ${longestPauseBy}; the slowest answer took ${Math.round(slowestAnswerMs)} ms`,
        ]
      : []),
    ...(waitedForCore > CROWDED ? [`crowded machine: waited ${Math.round(waitedForCore * 100)} % for a core`] : []),
    ...(failedRequests > 0 ? [`HARM ${failedRequests} requests failed`] : []),
    ...(fate ? [`TARGET DIED ${fate}`] : []),
    ...(usage ? [usage] : []),
  ];
  return [[...cells, said].join('  ').trimEnd(), ...notes.map(text => `        ${text.slice(0, TEXT_WIDTH)}`)].join(
    '\n',
  );
}

const tick = (right: boolean) => (right ? '+' : '-');

export interface Summary {
  readonly runs: number;
  readonly notRun: number;
  readonly sickRuns: number;
  readonly firstRight: number;
  readonly classRight: number;
  readonly healthyRuns: number;
  readonly healthyAlarmed: number;
  readonly innocentsBlamed: number;
  readonly medianSeconds: { readonly sick: number; readonly healthy: number };
  readonly longestPauseMs: number;
  readonly lensPeakBytes: number;
  /** Median over healthy runs of the slowest answer while lens was there. */
  readonly healthySlowestMs: number;
  readonly residues: number;
  readonly deaths: number;
  readonly flaws: number;
  /** Median of a run's prompt tokens, where a model was asked. */
  readonly promptTokens?: number;
  readonly high: { readonly said: number; readonly right: number };
  readonly byClass: { readonly [faultClass: string]: { readonly right: number; readonly of: number } };
}

export function summarize(rows: readonly Row[]): Summary {
  const ran = rows.filter(row => row.grade.ran);
  const sick = ran.filter(row => row.case.truths.length > 0);
  const well = ran.filter(row => row.case.truths.length === 0);
  const high = sick.filter(row => row.grade.firstConfidence === 'high');
  return {
    runs: rows.length,
    notRun: rows.length - ran.length,
    sickRuns: sick.length,
    firstRight: sick.filter(row => row.grade.right).length,
    classRight: sick.filter(row => row.grade.classRight).length,
    healthyRuns: well.length,
    healthyAlarmed: well.filter(row => row.grade.falseAlarms.length > 0).length,
    innocentsBlamed: sick.filter(row => row.grade.falseAlarms.length > 0).length,
    medianSeconds: { sick: median(sick.map(row => row.seconds)), healthy: median(well.map(row => row.seconds)) },
    longestPauseMs: Math.max(0, ...ran.map(row => row.longestPauseMs)),
    lensPeakBytes: Math.max(0, ...ran.map(row => row.lensPeakBytes)),
    healthySlowestMs: median(well.map(row => row.slowestAnswerMs).filter(ms => ms > 0)),
    residues: ran.filter(row => row.residue.length > 0).length,
    deaths: rows.filter(row => row.fate !== undefined).length,
    flaws: ran.filter(row => row.grade.flaws.length > 0).length,
    ...promptTokensOf(ran),
    high: { said: high.length, right: high.filter(row => row.grade.right).length },
    byClass: byClass(sick),
  };
}

function byClass(rows: readonly Row[]): Summary['byClass'] {
  const table: Record<string, { right: number; of: number }> = {};
  for (const { case: one, grade } of rows) {
    const name = one.truths.map(truth => truth.classes[0]).join(' + ');
    table[name] ??= { right: 0, of: 0 };
    table[name].of++;
    if (grade.right) table[name].right++;
  }
  return table;
}

function promptTokensOf(rows: readonly Row[]): Pick<Summary, 'promptTokens'> {
  const counted = rows.flatMap(row => row.promptTokens ?? []);
  return counted.length > 0 ? { promptTokens: median(counted) } : {};
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

export function summaryText(summary: Summary): string {
  const classes = Object.entries(summary.byClass).sort(([a], [b]) => a.localeCompare(b));
  return [
    '',
    ...classes.map(([name, { right, of }]) => `  ${name.padEnd(52)} ${right}/${of}`),
    '',
    `first insight right   ${share(summary.firstRight, summary.sickRuns)} (class alone ${share(summary.classRight, summary.sickRuns)})`,
    `false alarms          ${summary.healthyAlarmed} of ${summary.healthyRuns} healthy runs; innocents blamed in ${summary.innocentsBlamed} sick runs`,
    `"high" was right      ${share(summary.high.right, summary.high.said)}`,
    `median seconds        sick ${summary.medianSeconds.sick.toFixed(1)}, healthy ${summary.medianSeconds.healthy.toFixed(1)}`,
    `longest pause         ${Math.round(summary.longestPauseMs)} ms; slowest answer of a healthy program, median ${Math.round(summary.healthySlowestMs)} ms`,
    `lens itself           at most ${Math.round(summary.lensPeakBytes / 2 ** 20)} MB resident`,
    `residue ${summary.residues}, targets died ${summary.deaths}, runs with flaws ${summary.flaws}, did not run ${summary.notRun}`,
    ...(summary.promptTokens === undefined ? [] : [`prompt tokens         ${summary.promptTokens} in the median run`]),
  ].join('\n');
}

const share = (part: number, whole: number) =>
  `${part}/${whole}${whole > 0 ? ` = ${Math.round((100 * part) / whole)} %` : ''}`;
