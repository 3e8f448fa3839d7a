import { Command } from 'commander';
import { Redactor } from '../base/redact.js';
import { sleep } from '../base/sleep.js';
import { type Answer, type AskSeat, answerAbout, ask, type Gathered } from '../coordinator/ask.js';
import { dryMind, type Mind, openMind } from '../mind.js';
import { LensError } from '../model/error.js';
import type { EventBody } from '../model/event.js';
import { skills } from '../skills/index.js';
import { readRun } from '../stores/recorded-run.js';
import { runsHome } from '../stores/run-directory.js';
import { type ModelOptions, withModelOptions } from './model-options.js';
import { progressLine } from './progress.js';
import { type QuietRun, quietRun } from './quiet-run.js';
import { evidenceOf } from './recorded-evidence.js';
import { endOf } from './recorded-state.js';
import { watchSignals } from './signals.js';
import { resolveTarget, specOf, type TargetOptions, whole, withTarget } from './target.js';

interface AskOptions extends TargetOptions, ModelOptions {
  readonly run?: string;
  readonly json?: boolean;
  readonly quiet?: boolean;
  readonly deadline: number;
}

/** A quick answer is no investigation: what has not answered by then is left out. */
const DEADLINE_S = 120;

/** `lens ask "question"`: the few skills that can answer look, then a model answers, or the rules do. */
export function askCommand(): Command {
  return withModelOptions(withTarget(new Command('ask')))
    .description('answer a question about a running process, or about a finished run')
    .argument('<question>', 'in your own words')
    .argument('[command...]', 'after --: a program to start and ask about')
    .option('--run <run>', 'ask about this finished run: a directory, its run.ndjson, or an id')
    .option('--json', 'the answer as JSON')
    .option('--deadline <s>', 'answer with what there is after this many seconds', whole, DEADLINE_S)
    .option('--quiet', 'no progress on stderr')
    .action(async (question: string, argv: string[], options: AskOptions) => {
      const answer = options.run ? await askRun(question, options) : await askTarget(question, argv, options);
      process.stdout.write(options.json ? `${JSON.stringify(answer, null, 2)}\n` : said(answer));
    });
}

async function askTarget(question: string, argv: readonly string[], options: AskOptions): Promise<Answer> {
  const { where, child } = await resolveTarget(specOf(options, argv));
  const redactor = new Redactor();
  const interruption = watchSignals(options.deadline * 1000);
  // Calls before the run exists are told to it when it does.
  const early: EventBody[] = [];
  let run: QuietRun | undefined;
  const emit = (body: EventBody) => void (run ? run.append(body) : early.push(body));
  const gather = async (only: readonly string[]): Promise<Gathered> => {
    const startedAt = Date.now();
    const onEvent: Parameters<typeof quietRun>[1]['onEvent'] = event => {
      const line = options.quiet ? undefined : progressLine(event, startedAt, process.stderr.columns);
      if (line !== undefined) process.stderr.write(`${line}\n`);
    };
    run = await quietRun(where, { reason: question, only, signal: interruption.signal, redactor, onEvent });
    for (const body of early) run.append(body);
    return run;
  };
  try {
    const mind = await mindFor(options, redactor, emit);
    return await ask(question, { ...seatOf(mind), gather });
  } finally {
    interruption.release();
    run?.close();
    child?.kill();
  }
}

async function askRun(question: string, options: AskOptions): Promise<Answer> {
  const recorded = readRun(options.run ?? '', runsHome(process.env));
  const state = endOf(recorded);
  if (!state.report)
    throw new LensError('file-malformed', `${recorded.path} holds no finished run.`, 'Ask a target instead.');
  const mind = await mindFor(options, new Redactor(), () => {});
  const gathered = { report: state.report, evidence: evidenceOf(recorded), snapshots: state.snapshots };
  return answerAbout(question, gathered, seatOf(mind));
}

async function mindFor(
  options: AskOptions,
  redactor: Redactor,
  emit: (body: EventBody) => void,
): Promise<Mind | undefined> {
  const env = { now: Date.now, sleep, random: Math.random, emit, redactor };
  return options.dryRun ? dryMind(env, text => void process.stdout.write(text)) : openMind(options, process.env, env);
}

function seatOf(mind: Mind | undefined): Omit<AskSeat, 'gather'> {
  return {
    skills,
    ...(mind && { provider: mind.provider('ask') }),
    signal: new AbortController().signal,
    failed: message => void process.stderr.write(`lens: ${message} The rules answer instead.\n`),
  };
}

function said({ text, marks, by }: Answer): string {
  const doubts =
    marks.length > 0 ? `\nNot confirmed by what was read:\n${marks.map(mark => `- ${mark}`).join('\n')}\n` : '';
  const how = by === 'rules' ? '' : '\n(answered by a model, checked by code)\n';
  return `${text}\n${doubts}${how}`;
}
