import { Command } from 'commander';
import type { AttachTarget } from '../inspector/attach.js';
import { listNodeProcesses } from '../inspector/node-processes.js';
import { LensError } from '../model/error.js';
import type { PickRow } from '../tui/world.js';
import { runLive } from './live.js';
import { type RunOptions, withRunOptions } from './run.js';
import { resolveTarget, specOf, whole } from './target.js';

export interface AttachOptions extends RunOptions {
  readonly altScreen: boolean;
  readonly ascii?: boolean;
}

export function attachCommand(): Command {
  return withRunOptions(new Command('attach'))
    .description('watch the investigation live in the terminal')
    .argument('[pid]', 'the process to attach to', whole)
    .option('--no-alt-screen', 'stay in the normal screen, so that the terminal keeps its history')
    .option('--ascii', 'draw with ASCII characters alone')
    .action(async (pid: number | undefined, options: AttachOptions) => {
      requireTerminal();
      const named = pid === undefined ? options : { ...options, pid };
      process.exitCode = await runLive(await whereOrChoices(named), options);
    });
}

/** Either a target, or the rows to choose one from. */
export type Start = { readonly where: AttachTarget } | { readonly choices: readonly PickRow[] };

async function whereOrChoices(options: AttachOptions): Promise<Start> {
  try {
    return { where: (await resolveTarget(specOf(options, []))).where };
  } catch (error) {
    if (!(error instanceof LensError) || error.code !== 'target-ambiguous') throw error;
    return { choices: await choices() };
  }
}

async function choices(): Promise<PickRow[]> {
  const all = await listNodeProcesses();
  return all
    .filter(p => p.pid !== process.pid && p.pid !== process.ppid)
    .map(p => ({
      pid: p.pid,
      command: p.command,
      about: p.mayAttach ? (p.cwd ?? '') : (p.whyNot ?? 'lens may not attach'),
      mayAttach: p.mayAttach,
    }));
}

function requireTerminal(): void {
  if (process.stdout.isTTY && process.stdin.isTTY) return;
  throw new LensError(
    'usage',
    'lens attach draws in a terminal, and there is none here.',
    'Use `lens run` for the same investigation as text or JSON.',
  );
}
