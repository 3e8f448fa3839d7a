// The evaluation: lens, as users run it, against programs whose truth is known.
//   npm run eval -- [--quick] [--only a,b] [--repeat K] [--node 18|20|22|24|26] [--json] [--min-right 0.95] [--max-alarms 0]
//                 [--model competent|hostile|real [--protocol anthropic|openai|ollama]]
// Fails when a case did not run, when none ran, when a target died or kept something of lens, or a given bound is missed;
// with a scripted model also when a secret got out or a lie got in.

import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { promptTokens } from '../../src/model/model-use.js';
import type { Case } from './case.js';
import { CASES } from './cases.js';
import { type Grade, grade } from './grade.js';
import { BY_RULES, type LensRun, type Manner, runLens } from './lens.js';
import { PROTOCOLS, type Protocol } from './model/conversation.js';
import { PLANTED_ENV } from './model/secrets.js';
import { isMindName, MINDS, type MindName, modelWay, usageText, withMind } from './model/way.js';
import { listeningPorts, residue } from './residue.js';
import { ImpossibleHere, NODE_VERSIONS, type NodeVersion, raise, type Staging } from './stage.js';
import { type Row, rowText, type Summary, summarize, summaryText } from './table.js';
import { readMarks } from './truth.js';

const DEFAULT_SETTLE_SECONDS = 3;

const { values: options } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    only: { type: 'string' },
    repeat: { type: 'string', default: '1' },
    node: { type: 'string' },
    'min-right': { type: 'string', default: '0' },
    'max-alarms': { type: 'string' },
    model: { type: 'string' },
    protocol: { type: 'string' },
  },
});

const mind = mindNamed(options.model);
const wanted = options.only?.split(',');
const cases = CASES.filter(one => (options.quick ? one.quick : true) && (wanted ? wanted.includes(one.app) : true));
const rows: Row[] = [];
for (let repeat = 0; repeat < Number(options.repeat); repeat++) {
  for (const one of cases) rows.push(...(await judged(one, repeat)));
}
const summary = summarize(rows);
console.log(options.json ? JSON.stringify({ summary, rows }, undefined, 2) : summaryText(summary));
process.exitCode = isFailure(summary) ? 1 : 0;

async function judged(one: Case, repeat: number): Promise<Row[]> {
  const node = versionFor(one, repeat);
  const say = options.json ? console.error : console.log;
  try {
    const row = await attempt(one, node, repeat);
    say(rowText(row));
    return [row];
  } catch (error) {
    const skipped = error instanceof ImpossibleHere;
    const row = failedRow(one, node, repeat, error as Error); // raise and runLens throw Errors only
    say(skipped ? `skipped      ${one.app}: ${error.message}` : rowText(row));
    return skipped ? [] : [row];
  }
}

/** Versions take turns, over the cases and over the repeats. */
function versionFor(one: Case, repeat: number): NodeVersion {
  const asked = NODE_VERSIONS.find(version => String(version) === options.node);
  const { from = 0, to = Number.POSITIVE_INFINITY } = one;
  const able = NODE_VERSIONS.filter(version => version >= from && version <= to);
  return asked ?? able[(CASES.indexOf(one) + repeat) % able.length]!;
}

function mindNamed(name: string | undefined): MindName | undefined {
  if (name === undefined || isMindName(name)) return name;
  throw new Error(`There is no model ${name}. There are: ${Object.keys(MINDS).join(', ')}, real.`);
}

/** The protocols take turns, too. */
function protocolFor(one: Case): Protocol {
  const asked = PROTOCOLS.find(protocol => protocol === options.protocol);
  return asked ?? PROTOCOLS[CASES.indexOf(one) % PROTOCOLS.length]!;
}

async function attempt(one: Case, node: NodeVersion, repeat: number): Promise<Row> {
  if (!mind) return attemptIn(one, node, repeat, BY_RULES, {}, graded => graded);
  await using way = await modelWay(mind, protocolFor(one));
  const staging = { apart: false, env: { ...PLANTED_ENV, WORLD_SECONDS: '260' } };
  const row = await attemptIn(one, node, repeat, way.manner, staging, (graded, run) =>
    withMind(one, mind, graded, run, way.used()),
  );
  const used = way.used();
  return {
    ...row,
    usage: usageText(used),
    promptTokens: used.uses.reduce((sum, use) => sum + promptTokens(use.tokens), 0),
  };
}

async function attemptIn(
  one: Case,
  node: NodeVersion,
  repeat: number,
  manner: Manner,
  staging: Staging,
  judge: (graded: Grade, run: LensRun) => Grade,
): Promise<Row> {
  await using stage = await raise(one.app, node, staging);
  await sleep((one.settle ?? DEFAULT_SETTLE_SECONDS) * 1000);
  const ports = listeningPorts(stage.pid);
  const before = await stage.counts();
  const ranBefore = mainThreadMs(stage.pid);
  const run = await runLens(stage, one.reason, manner);
  const after = await stage.counts();
  const ranAfter = mainThreadMs(stage.pid);
  const fate = stage.fate();
  const disturbance = run.report?.disturbance;
  const longest = [...(disturbance?.readings ?? [])].sort((a, b) => b.pausedMs - a.pausedMs)[0];
  return {
    ...{ case: one, node, repeat, seconds: run.seconds },
    ...(fate && { fate }),
    grade: spoiltBy(fate, judge(grade(one, run, readMarks(stage.folder)), run)),
    longestPauseMs: disturbance?.longestPauseMs ?? 0,
    longestPauseBy: longest?.kind ?? '-',
    targetCpuMs: disturbance?.targetCpuMs ?? 0,
    lensPeakBytes: run.peakBytes,
    failedRequests: one.truths.length === 0 ? (after?.failed ?? 0) - (before?.failed ?? 0) : 0,
    slowestAnswerMs: after?.slowest ?? Number.NaN,
    waitedForCore: waitedShare(ranBefore, ranAfter),
    residue: fate ? [] : residue(stage, ports),
  };
}

/** What the kernel says of a process' main thread: milliseconds it ran, and was ready but had no core. */
function mainThreadMs(pid: number): { readonly ran: number; readonly waited: number } | undefined {
  try {
    const [ran, waited] = readFileSync(`/proc/${pid}/schedstat`, 'utf8').split(' ').map(Number);
    return { ran: (ran ?? 0) / 1e6, waited: (waited ?? 0) / 1e6 };
  } catch {
    return undefined; // ended, or not Linux
  }
}

/** Of the time that the main thread could have run, how much it waited: on a quiet machine below a tenth. */
function waitedShare(before: ReturnType<typeof mainThreadMs>, after: ReturnType<typeof mainThreadMs>): number {
  if (!before || !after) return 0;
  const waited = after.waited - before.waited;
  return waited / Math.max(1, waited + after.ran - before.ran);
}

/** The right words about a program that died of the looking are not right. */
function spoiltBy(fate: string | undefined, graded: Grade): Grade {
  return fate ? { ...graded, right: false } : graded;
}

function failedRow(one: Case, node: NodeVersion, repeat: number, error: Error): Row {
  const said = error.message;
  const nothing = {
    right: false,
    classRight: false,
    fileRight: false,
    lineRight: false,
    falseAlarms: [],
    extras: 0,
    flaws: [],
  };
  const none = {
    seconds: 0,
    longestPauseMs: 0,
    longestPauseBy: '-',
    targetCpuMs: 0,
    lensPeakBytes: 0,
    residue: [],
    failedRequests: 0,
    slowestAnswerMs: Number.NaN,
    waitedForCore: 0,
  };
  return { case: one, node, repeat, ...none, grade: { ...nothing, ran: false, verdict: '-', said } };
}

function isFailure(summary: Summary): boolean {
  const right = summary.sickRuns > 0 ? summary.firstRight / summary.sickRuns : 1;
  const tooMany = options['max-alarms'] !== undefined && summary.healthyAlarmed > Number(options['max-alarms']);
  return (
    summary.runs === 0 ||
    summary.notRun > 0 ||
    summary.deaths > 0 ||
    summary.residues > 0 ||
    // With a mind a flaw is a secret that got out, a lie that got in, or a cause that came another way.
    (mind !== undefined && summary.flaws > 0) ||
    tooMany ||
    right < Number(options['min-right'])
  );
}
