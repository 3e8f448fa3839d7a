import { Command, InvalidArgumentError } from 'commander';
import { sleep } from '../base/sleep.js';
import { healthCheck } from '../health-check.js';
import type { AttachTarget } from '../inspector/attach.js';
import { LensError } from '../model/error.js';
import type { Report } from '../model/report.js';
import { type SavedBaseline, type SavedRun, savedBaselineSchema } from '../model/saved-baseline.js';
import { withRun } from '../monitor/regression.js';
import { parseThreshold, type Threshold } from '../monitor/threshold.js';
import { readJsonFile, writeJsonFile } from '../stores/json-file.js';
import { type Load, type Program, startLoad, startProgram } from './check/program.js';
import { readinessOf } from './check/readiness.js';
import { duration, durationMs } from './duration.js';
import { fromWorkspace, tellGithub } from './github.js';
import { runToEnd } from './investigation.js';
import { type RunOptions, withRunOptions } from './run.js';
import { loadSettings } from './settings.js';
import { resolveTarget, specOf } from './target.js';

interface CheckOptions extends RunOptions {
  readonly for: number;
  readonly load?: string;
  readonly ready?: string;
  readonly readyWithin: number;
  readonly warmup?: number;
  readonly baseline?: string;
  readonly updateBaseline?: boolean;
  readonly config?: string;
  readonly threshold: readonly Threshold[];
}

const DEFAULT_FOR = '30s';
/** What all operators together need on an idle machine; the rest of `--for` is watched undisturbed. */
const INVESTIGATION_MS = 20_000;
const LEAST_QUIET_MS = 8_000;
/** Enough for a slow machine; a longer --for has at least GRACE_MS beyond it. */
const DEADLINE_S = 90;
const GRACE_MS = 60_000;
/** A program that has just started compiles and fills its caches: that is no growth. */
const WARMUP_MS = 3_000;

/** A bounded health check for pipelines: exits 1 at or above `--fail-on`, 3 when it could not tell. */
export function checkCommand(): Command {
  return withRunOptions(new Command('check'), { failOn: 'warning', deadline: DEADLINE_S })
    .description('a bounded health check for pipelines: fails when it finds something, and when it can not tell')
    .argument('[command...]', 'after --: a program to start, check and end')
    .option('--for <time>', 'how long to look', duration, duration(DEFAULT_FOR))
    .option('--load <command>', 'a command that makes traffic meanwhile; gets LENS_PORT and LENS_PID')
    .option('--ready <when>', 'when a started program is ready: a port (:3000), a word of its output, a time (5s)')
    .option('--ready-within <time>', 'how long it may take to be', duration, duration('60s'))
    .option('--warmup <time>', 'wait before looking (default 3s for a started program)', duration)
    .option('--baseline <file>', 'fail when vital signs got worse than in the runs saved there')
    .option('--update-baseline', 'add this run to the baseline, unless it fails')
    .option('--threshold <limit>', 'METRIC>LIMIT, like memory.rssBytes>512MB; may be given several times', limits, [])
    .option('--config <file>', 'settings to use instead of the lens.config file found upwards from here')
    .action(async (argv: string[], options: CheckOptions, command: Command) => {
      process.exitCode = await check(argv, { ...options, ...(await settingsFor(command, options)) });
    });
}

/** What the flags left open, from the settings (src/commands/settings.ts). */
async function settingsFor(command: Command, options: CheckOptions): Promise<Partial<CheckOptions>> {
  const { check: set } = await loadSettings(process.cwd(), process.env, options.config);
  const open = (name: keyof CheckOptions) =>
    ['default', undefined].includes(command.getOptionValueSource(name)) ? set[name as keyof typeof set] : undefined;
  const plain = (['failOn', 'load', 'ready', 'baseline'] as const).map(name => [name, open(name)] as const);
  const times = (['for', 'warmup'] as const).map(name => [name, durationMs(String(open(name)))] as const);
  const known = [...plain, ...times].filter(([, value]) => value !== undefined);
  const threshold = [...(set.thresholds ?? []).map(limit), ...options.threshold];
  // The schema of the settings gives each name the type that the flag of this name has.
  return { ...(Object.fromEntries(known) as Partial<CheckOptions>), threshold };
}

function limit(text: string): Threshold {
  const parsed = parseThreshold(text);
  if ('problem' in parsed) throw new InvalidArgumentError(parsed.problem);
  return parsed;
}

const limits = (text: string, before: readonly Threshold[]): readonly Threshold[] => [...before, limit(text)];

async function check(argv: readonly string[], options: CheckOptions): Promise<number> {
  const baseline = readBaseline(options);
  await using stage = await raise(argv, options);
  const quietMs = Math.max(Math.min(options.for, LEAST_QUIET_MS), options.for - INVESTIGATION_MS);
  let run: SavedRun | undefined;
  let report: Report | undefined;
  const deadline = Math.max(options.deadline, Math.ceil((options.for + GRACE_MS) / 1000));
  const code = await runToEnd(stage.where, { ...options, deadline }, undefined, {
    pass: (where, plan, env) => {
      const more = { quietMs, thresholds: options.threshold, spoiled: stage.problems };
      const onMeasured = (measured: SavedRun) => {
        run = measured;
      };
      return healthCheck(where, { ...plan, ...more, ...(baseline && { baseline }), onMeasured }, env);
    },
    finish: said => {
      report = process.env.GITHUB_WORKSPACE === undefined ? said : fromWorkspace(said, process.env.GITHUB_WORKSPACE);
      return report;
    },
  });
  if (report) tellGithub(report, code, process.env);
  if (run && report && code === 0 && options.updateBaseline && options.baseline !== undefined)
    writeJsonFile(options.baseline, withRun(baseline, applicationOf(report), run));
  return code;
}

function applicationOf({ target }: Report): string {
  return target.name ?? target.entry ?? target.command;
}

function readBaseline({ baseline: path, updateBaseline }: CheckOptions): SavedBaseline | undefined {
  if (path === undefined) {
    if (updateBaseline) throw new LensError('usage', '--update-baseline needs --baseline FILE.');
    return undefined;
  }
  const content = readJsonFile(path);
  if (content === undefined) {
    if (updateBaseline) return undefined;
    throw new LensError('usage', `There is no baseline ${path}.`, 'Make it with --update-baseline on a good build.');
  }
  const parsed = savedBaselineSchema.safeParse(content);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new LensError('file-malformed', `${path} is no baseline of lens: ${issue?.path.join('.')}: ${issue?.message}.`);
}

interface Stage extends AsyncDisposable {
  readonly where: AttachTarget;
  problems(): readonly string[];
}

/** The program and its load, ready to be looked at; both end with the check. */
async function raise(argv: readonly string[], options: CheckOptions): Promise<Stage> {
  const spec = specOf(options, argv);
  const ended = new AbortController();
  const leave = () => ended.abort(new LensError('target-lost', 'Interrupted before the program was ready.'));
  process.once('SIGINT', leave).once('SIGTERM', leave);
  let program: Program | undefined;
  let load: Load | undefined;
  const drop = () => {
    process.off('SIGINT', leave).off('SIGTERM', leave).off('exit', drop);
    load?.kill();
    program?.kill();
  };
  process.once('exit', drop);
  try {
    program =
      spec.by === 'command'
        ? await startProgram(
            spec.argv,
            readinessOf(options.ready, options.readyWithin, options.load?.includes('LENS_PORT')),
            ended.signal,
          )
        : undefined;
    const { where } = program ? { where: { pid: program.pid } } : await resolveTarget(spec);
    load =
      options.load === undefined ? undefined : await startLoad(options.load, program ?? ('pid' in where ? where : {}));
    await sleep(options.warmup ?? (program ? WARMUP_MS : 0), ended.signal);
    process.off('SIGINT', leave).off('SIGTERM', leave);
    const problems = () => [load?.problem()].filter(problem => problem !== undefined);
    return { where, problems, [Symbol.asyncDispose]: async () => drop() };
  } catch (error) {
    drop();
    throw error;
  }
}
