import { Command, Option } from 'commander';
import { DEFAULT_MAX_PAUSE_MS, SAFETY_LEVELS, type Safety } from '../collectors/guard.js';
import { investigateAlone, investigateTree } from '../tree.js';
import type { FailOn } from './exit.js';
import { runToEnd } from './investigation.js';
import { type ModelOptions, withModelOptions } from './model-options.js';
import { OUTPUT_FORMATS, type Output, parseOutput } from './output.js';
import { resolveTarget, specOf, type TargetOptions, whole, withTarget } from './target.js';

export interface RunOptions extends TargetOptions, ModelOptions {
  readonly reason?: string;
  readonly json?: boolean | 'stream';
  readonly output: readonly Output[];
  readonly failOn: FailOn;
  readonly skills?: string;
  readonly safety: Safety;
  readonly maxPause: number;
  readonly deadline: number;
  readonly quiet?: boolean;
  readonly saveHeapsnapshot?: boolean;
  readonly dir?: string;
}

/** A run that takes longer than this concludes with what there is (DESIGN: coordinator deadline). */
const DEADLINE_S = 300;

export interface RunDefaults {
  readonly failOn?: FailOn;
  /** Seconds. */
  readonly deadline?: number;
}

export function withRunOptions(command: Command, defaults: RunDefaults = {}): Command {
  return withModelOptions(withTarget(command))
    .option('--reason <text>', 'why you look: “high memory”, “slow answers”; points operators, leaves none out')
    .option('--skills <ids>', 'only these skills, comma-separated (lens skills lists them)')
    .addOption(
      new Option('--safety <level>', 'what readings may do to the target').choices(SAFETY_LEVELS).default('normal'),
    )
    .option('--max-pause <ms>', 'longest standstill one reading may cause', whole, DEFAULT_MAX_PAUSE_MS)
    .option(
      '--deadline <s>',
      'conclude with what there is after this many seconds',
      whole,
      defaults.deadline ?? DEADLINE_S,
    )
    .addOption(
      new Option('--fail-on <severity>', 'exit 1 at or above it')
        .choices(['warning', 'critical', 'never'])
        .default(defaults.failOn ?? 'critical'),
    )
    .option('--json [stream]', 'the report as JSON on stdout; =stream: every event as it happens')
    .option('--output <fmt=file>', `also write the report: ${OUTPUT_FORMATS.join(', ')}`, collectOutput, [])
    .option('--dir <path>', 'where the run is kept')
    .option(
      '--save-heapsnapshot',
      'keep one of the end for DevTools; stops the target for seconds, needs --safety bold',
    )
    .option('--quiet', 'no progress on stderr')
    .option('--no-input', 'never ask anything');
}

function collectOutput(text: string, before: readonly Output[]): readonly Output[] {
  return [...before, parseOutput(text)];
}

export function runCommand(): Command {
  return withRunOptions(new Command('run'))
    .description('investigate a running Node process and report the cause')
    .option('--tree', 'its child processes and cluster workers that run Node too')
    .argument('[command...]', 'after --: a program to start and investigate')
    .action(async (argv: string[], options: RunOptions & { readonly tree?: boolean }) => {
      const { where, child } = await resolveTarget(specOf(options, argv));
      process.exitCode = await runToEnd(where, options, child, {
        pass: options.tree ? investigateTree : investigateAlone,
      });
    });
}
