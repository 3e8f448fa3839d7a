// Deterministic grades: what lens said against what is true. No model judges.
import type { Insight } from '../../src/model/insight.js';
import type { Report } from '../../src/model/report.js';
import type { Case, Truth } from './case.js';
import type { LensRun } from './lens.js';
import { isMarked, isMarkedFile, type Mark, type MarkedLine } from './truth.js';

export interface Grade {
  readonly ran: boolean;
  readonly verdict: string;
  /** Class, file and line of the first insight (of every truth, when there are two), or silence on the healthy. */
  readonly right: boolean;
  readonly classRight: boolean;
  readonly fileRight: boolean;
  readonly lineRight: boolean;
  /** Titles of warnings on a healthy program, and of insights that blame the innocent. */
  readonly falseAlarms: readonly string[];
  /** Warnings on a sick program that belong to none of its truths; counted, not punished. */
  readonly extras: number;
  /** Things wrong with the run itself: evidence that doesn't exist, exit codes, no report. */
  readonly flaws: readonly string[];
  readonly firstConfidence?: Insight['confidence'];
  readonly said: string;
}

const CALM_VERDICTS = new Set(['healthy', 'observing']);
const GOOD_EXITS = new Set([0, 1, 3]);
const alarming = (insight: Insight) => insight.severity !== 'info';

export function grade(one: Case, run: LensRun, marks: readonly MarkedLine[]): Grade {
  if (!run.report) return notRun(run);
  const insights = [...run.report.insights].sort((a, b) => a.rank - b.rank);
  return one.truths.length === 0
    ? gradeHealthy(run.report, insights, run)
    : gradeSick(one, run.report, insights, run, marks);
}

function notRun(run: LensRun): Grade {
  const last = run.stderr
    .trim()
    .split('\n')
    .filter(line => line.trim() && !line.startsWith('Node.js v'))
    .slice(-3);
  const why = `no report, exit ${run.exitCode}: ${last.join(' | ')}`;
  return { ...NOTHING_RIGHT, ran: false, verdict: '-', falseAlarms: [], extras: 0, flaws: [], said: why };
}

const NOTHING_RIGHT = { right: false, classRight: false, fileRight: false, lineRight: false };

function gradeHealthy(report: Report, insights: readonly Insight[], run: LensRun): Grade {
  const alarms = insights.filter(alarming).map(sentence);
  const calm = alarms.length === 0 && CALM_VERDICTS.has(report.verdict);
  return {
    ...{ right: calm, classRight: calm, fileRight: calm, lineRight: calm },
    ...{ ran: true, verdict: report.verdict, falseAlarms: alarms, extras: 0 },
    flaws: flawsOf(report, insights, run),
    said: insights[0] ? sentence(insights[0]) : report.summary,
  };
}

function gradeSick(
  one: Case,
  report: Report,
  insights: readonly Insight[],
  run: LensRun,
  marks: readonly MarkedLine[],
): Grade {
  const first = insights.find(alarming) ?? insights[0];
  const looked = one.truths.map((_, index) => insights[index]).filter(insight => insight !== undefined);
  const all = (test: (truth: Truth, insight: Insight) => boolean) =>
    one.truths.every(truth => looked.some(insight => test(truth, insight)));
  const classRight = all(classFits);
  const fileRight = all((truth, insight) => placeFits(truth, insight, marks, isMarkedFileOf));
  const lineRight = all((truth, insight) => placeFits(truth, insight, marks, isMarkedLineOf));
  const right = all((truth, insight) => classFits(truth, insight) && placeFits(truth, insight, marks, isMarkedLineOf));
  const blamed = insights.filter(insight => alarming(insight) && blamesInnocent(one, insight, marks));
  return {
    ...{ ran: true, verdict: report.verdict, right: right && blamed.length === 0, classRight, fileRight, lineRight },
    falseAlarms: blamed.map(sentence),
    extras: insights.filter(insight => alarming(insight) && !one.truths.some(truth => belongs(truth, insight, marks)))
      .length,
    flaws: flawsOf(report, insights, run),
    ...(first && { firstConfidence: first.confidence }),
    said: first ? sentence(first) : silence(report),
  };
}

type PlaceTest = (marks: readonly MarkedLine[], mark: Mark, place: { file: string; line: number }) => boolean;
const isMarkedLineOf: PlaceTest = isMarked;
const isMarkedFileOf: PlaceTest = (marks, mark, place) => isMarkedFile(marks, mark, place.file);

const classFits = (truth: Truth, insight: Insight) => truth.classes.includes(insight.faultClass);

/** The culprit lies at a marked line; or in the right dependency while a related place lies at a marked line. */
function placeFits(truth: Truth, insight: Insight, marks: readonly MarkedLine[], test: PlaceTest): boolean {
  if (truth.anywhere) return true;
  const { culprit, related = [] } = insight;
  if (!culprit) return false;
  if (test(marks, truth.mark, culprit)) return true;
  return (
    truth.package !== undefined &&
    culprit.package === truth.package &&
    related.some(place => test(marks, truth.mark, place))
  );
}

const belongs = (truth: Truth, insight: Insight, marks: readonly MarkedLine[]) =>
  classFits(truth, insight) || placeFits(truth, insight, marks, isMarkedLineOf);

function blamesInnocent(one: Case, { culprit }: Insight, marks: readonly MarkedLine[]): boolean {
  if (!culprit) return false;
  const inside = (name: string) => culprit.file.includes(`node_modules/${name}/`);
  if (one.innocentPackages?.some(inside)) return true;
  return isMarked(marks, 'innocent', culprit);
}

function flawsOf(report: Report, insights: readonly Insight[], run: LensRun): string[] {
  const known = run.evidenceIds;
  const missing = known ? insights.flatMap(insight => insight.evidenceIds.filter(id => !known.has(id))) : [];
  return [
    ...(known ? [] : ['the run left no run.ndjson']),
    ...missing.map(id => `evidence ${id} is cited and doesn't exist`),
    ...insights
      .filter(insight => alarming(insight) && insight.evidenceIds.length === 0)
      .map(insight => `"${insight.title}" cites no evidence`),
    ...(GOOD_EXITS.has(run.exitCode ?? -1) ? [] : [`exit code ${run.exitCode}`]),
    ...report.detached.residue.map(text => `residue reported: ${text}`),
    ...report.failures.map(failure => `failure in ${failure.where}: ${failure.message}`),
  ];
}

/** Why lens kept silent, as far as it says so. */
const silence = (report: Report) =>
  [
    report.summary,
    ...report.inconclusive.map(text => `inconclusive: ${text}`),
    ...report.operators.map(one => `${one.skill} ${one.state}`),
  ].join(' | ');

function sentence(insight: Insight): string {
  const { culprit } = insight;
  const place = culprit
    ? `${culprit.package ? `${culprit.package} ` : ''}${culprit.file.split('/').slice(-2).join('/')}:${culprit.line}`
    : 'nowhere';
  return `${insight.faultClass} ${insight.confidence} @ ${place} "${insight.title}"`;
}
