import type { ChildProcess } from 'node:child_process';
import { Redactor } from '../base/redact.js';
import { sleep } from '../base/sleep.js';
import type { AttachTarget } from '../inspector/attach.js';
import { dryMind, type Mind, openMind } from '../mind.js';
import { LensError } from '../model/error.js';
import type { Emit, LensEvent } from '../model/event.js';
import type { Report } from '../model/report.js';
import type { RunState } from '../report/state.js';
import { investigate, type Plan, type RunEnv } from '../run.js';
import { skills } from '../skills/index.js';
import { type RunDirectory, sha256 } from '../stores/run-directory.js';
import { version } from '../version.js';
import { EXIT, exitOfReport } from './exit.js';
import { fitMarkdown } from './fit-markdown.js';
import { render, writeOutput } from './output.js';
import { progressLine } from './progress.js';
import { pageOfRun } from './recorded-page.js';
import { openRecording } from './recording.js';
import type { RunOptions } from './run.js';
import { type Interruption, watchSignals } from './signals.js';

/** What a command does otherwise than `lens run`. */
export interface RunShape {
  /** The pass over the target; absent: an investigation. */
  readonly pass?: (where: AttachTarget, plan: Plan, env: RunEnv) => Promise<Report>;
  /** Before anything is rendered: the report as this command's readers need it. */
  readonly finish?: (report: Report) => Report;
}

/** One investigation from the command line to its exit code: stream, store, report, files, clean detach. */
export async function runToEnd(
  where: AttachTarget,
  options: RunOptions,
  child?: StartedProgram,
  { pass = investigate, finish = report => report }: RunShape = {},
): Promise<number> {
  const only = options.skills === undefined ? undefined : knownSkills(options.skills);
  const interruption = watchSignals(options.deadline * 1000);
  const redactor = new Redactor();
  const { directory, env } = openRecording({
    redactor,
    interrupt: interruption.signal,
    path: options.dir,
    onEvent: event => tell(event, options, env.state().startedAt),
  });
  if (options.json === 'stream')
    process.stdout.write(`${JSON.stringify({ type: 'version', lens: version, schema: '1.0' })}\n`);
  try {
    const { safety, maxPause: maxPauseMs, saveHeapsnapshot: saveHeapSnapshot = false } = options;
    const plan = { reason: options.reason ?? '', skills, safety, maxPauseMs, saveHeapSnapshot };
    const mind = await mindFor(options, env.emit, redactor);
    const report = finish(await pass(where, only ? { ...plan, only } : plan, mind ? { ...env, mind } : env));
    deliver(report, directory, options);
    return exitCode(report, options, interruption, env.state());
  } catch (error) {
    return interruptedEarly(child ? endedEarly(error, child) : error, interruption);
  } finally {
    interruption.release();
    directory.close();
    child?.kill();
  }
}

function mindFor(options: RunOptions, emit: Emit, redactor: Redactor): Promise<Mind | undefined> {
  const env = { now: Date.now, sleep, random: Math.random, emit, redactor };
  if (options.dryRun) return dryMind(env, text => void process.stderr.write(text));
  return openMind(options, process.env, env);
}

/** The ids of a comma-separated list; throws LensError `usage` for one that there is not. */
export function knownSkills(list: string): readonly string[] {
  const asked = list.split(',').map(id => id.trim());
  const unknown = asked.filter(id => !skills.some(skill => skill.id === id));
  if (unknown.length > 0)
    throw new LensError(
      'usage',
      `There is no skill ${unknown.join(', ')}.`,
      `There are: ${skills.map(s => s.id).join(', ')}.`,
    );
  return asked;
}

function tell(event: LensEvent, options: RunOptions, startedAt: number): void {
  if (options.json === 'stream') process.stdout.write(`${JSON.stringify(event)}\n`);
  const line = options.quiet ? undefined : progressLine(event, startedAt, process.stderr.columns);
  if (line !== undefined) process.stderr.write(`${line}\n`);
}

function deliver(report: Report, directory: RunDirectory, options: RunOptions): void {
  const json = render(report, 'json');
  const markdown = render(report, 'md');
  directory.write('report.json', json);
  directory.write('report.md', markdown);
  if (directory.failed)
    process.stderr.write(`lens: the run could not be kept in ${directory.path}: ${directory.failed.message}.\n`);
  else if (!options.quiet)
    process.stderr.write(`kept in ${directory.path} (report.json ${sha256(json).slice(0, 12)})\n`);
  // What may fail comes last, so that a full disk under one of them takes nothing from the others.
  const failures = options.output.flatMap(output =>
    failureOf(() => writeOutput(report, output, done => pageOfRun(directory.path, done))),
  );
  if (options.json !== 'stream')
    process.stdout.write(options.json ? json : fitMarkdown(markdown, process.stdout.columns));
  if (failures.length > 0) throw failures[0];
}

function failureOf(work: () => void): unknown[] {
  try {
    work();
    return [];
  } catch (error) {
    return [error];
  }
}

/** A program that lens started, and ends. */
type StartedProgram = Pick<ChildProcess, 'kill' | 'exitCode' | 'signalCode' | 'spawnargs'>;

/** “No such process” of a program that lens has just started says nothing: it ended by itself. */
function endedEarly(error: unknown, { exitCode, signalCode, spawnargs }: StartedProgram): unknown {
  if (!(error instanceof LensError) || error.code !== 'target-not-found') return error;
  const how = signalCode ? `of ${signalCode}` : `with exit code ${exitCode ?? 'unknown'}`;
  return new LensError(
    error.code,
    `“${spawnargs.join(' ')}” ended ${how} before lens could attach.`,
    'lens looks at programs that stay: a server, a worker, a test under load.',
    { cause: error },
  );
}

/** Ended before there was a target to report on: no error of anybody's. */
function interruptedEarly(error: unknown, { signal, cause }: Interruption): number {
  if (!signal.aborted || error !== signal.reason || cause === undefined) throw error;
  if (cause === 'unread') return EXIT.done;
  if (cause === 'deadline')
    throw new LensError(
      'timeout',
      'The deadline passed before the target was reached.',
      'Give it more time: --deadline 60.',
    );
  process.stderr.write('lens: interrupted before the target was reached; nothing was left in it.\n');
  return EXIT[cause];
}

function exitCode(report: Report, options: RunOptions, interruption: Interruption, state: RunState): number {
  const { cause } = interruption;
  if (cause !== undefined && cause !== 'deadline' && cause !== 'unread') return EXIT[cause];
  const { lost, modelAnswered } = state;
  if (options.requireLlm && modelAnswered === false && !lost) return EXIT.modelUnavailable;
  return exitOfReport(report, options.failOn, lost !== undefined);
}
