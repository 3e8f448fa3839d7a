import { Command } from 'commander';
import type { AttachTarget } from '../inspector/attach.js';
import type { Session } from '../inspector/session.js';
import { LensError } from '../model/error.js';
import type { PickRow } from '../tui/world.js';
import { EXIT } from './exit.js';
import type { Face } from './face.js';
import type { Live } from './live.js';
import { ownOverhead } from './overhead.js';
import { type RunOptions, withRunOptions } from './run.js';
import { openScreen, type ScreenOptions } from './screen.js';
import { resolveTarget, specOf, whole } from './target.js';
import { wantsLines } from './terminal.js';

export interface AttachOptions extends RunOptions, ScreenOptions {
  readonly screenReader?: boolean;
  /** Attach and show the numbers; investigate when the person says so. */
  readonly hold?: boolean;
}

export function attachCommand(): Command {
  return withRunOptions(new Command('attach'))
    .description('watch the investigation live in the terminal')
    .argument('[pid]', 'the process to attach to', whole)
    .option('--hold', 'show the numbers alone; r begins to investigate, s chooses who does')
    .option('--no-alt-screen', 'stay in the normal screen, so that the terminal keeps its history')
    .option('--mouse', 'wheel and clicks (key M takes and gives it back); off, the terminal selects text as ever')
    .option('--ascii', 'draw with ASCII characters alone')
    .option('--screen-reader', 'plain lines one after the other, questions with numbers; no screen is drawn')
    .action(async (pid: number | undefined, options: AttachOptions) => {
      requireTerminal('attach', 'Use `lens run` for the same investigation as text or JSON.');
      const named = pid === undefined ? options : { ...options, pid };
      const linear = options.screenReader || wantsLines(process.env);
      process.exitCode = linear ? await (await import('./linear.js')).runLinear(named) : await runOnScreen(named);
    });
}

/** Either a target, or the rows to choose one from. */
export type Start = { readonly where: AttachTarget } | { readonly choices: readonly PickRow[] };

export async function whereOrChoices(options: AttachOptions): Promise<Start> {
  try {
    return { where: (await resolveTarget(specOf(options, []))).where };
  } catch (error) {
    if (!(error instanceof LensError) || error.code !== 'target-ambiguous') throw error;
    return { choices: await choices() };
  }
}

async function choices(): Promise<PickRow[]> {
  const { listNodeProcesses } = await import('../inspector/node-processes.js');
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

/** Says what to run instead where there is no screen to draw on. */
export function requireTerminal(command: string, instead: string): void {
  if (process.stdout.isTTY && process.stdin.isTTY) return;
  throw new LensError('usage', `lens ${command} draws in a terminal, and there is none here.`, instead);
}

/** Shows one process live until the person leaves. The screen stands before anything is attached or loaded. */
async function runOnScreen(options: AttachOptions): Promise<number> {
  const screen = openScreen(options);
  const { show, terminal } = screen;
  const stopOverhead = ownOverhead(overhead => show.extras({ overhead }));
  const aborted = new AbortController();
  let live: Live | undefined;
  let failure: Error | undefined;
  const leave = (code: number) => {
    aborted.abort(new Error('left'));
    live?.leave(code);
  };
  // Until the rest is loaded a person can only leave.
  show.setting.onCommand = command => {
    if (command.do === 'quit' || command.do === 'interrupt') leave(EXIT.interrupted);
  };
  const release = leaveOnSignals(leave, error => {
    failure ??= error;
  });
  try {
    const start = await whereOrChoices(options);
    const attaching = 'where' in start ? attachTo(start.where, aborted.signal, show) : undefined;
    const { Live } = await import('./live.js');
    live = new Live(
      show,
      {
        copy: text => terminal.copy(text),
        mouse: on => terminal.mouse(on),
        redraw: screen.redraw,
        suspend: screen.suspend,
      },
      options,
    );
    if (aborted.signal.aborted) live.leave(EXIT.interrupted);
    show.setting.view = id => live?.view(id);
    show.setting.requestRate = id => live?.requestRate(id);
    show.setting.onCommand = command => live?.perform(command);
    const inking = screen.startInk();
    const where = 'where' in start ? start.where : await live.choose(start.choices);
    const code = where ? await live.run(where, attaching ?? attachTo(where, live.left, show)) : EXIT.done;
    await inking;
    if (failure) throw failure;
    return code;
  } catch (error) {
    if (aborted.signal.aborted && !failure) return EXIT.interrupted;
    throw error;
  } finally {
    release();
    stopOverhead();
    screen.close();
    sayAfterwards(show.run.report, live?.kept);
  }
}

/** Begins to attach; a failure is dealt with by whoever awaits it. */
export function attachTo(where: AttachTarget, signal: AbortSignal, face: Pick<Face, 'notice'>): Promise<Session> {
  const onWait = (why: string) => face.notice(why);
  const attaching = import('../inspector/attach.js').then(({ attach }) => attach(where, { signal, onWait }));
  attaching.catch(() => undefined);
  return attaching;
}

/** SIGTERM, SIGHUP and a crash leave as a key would: the target released, the terminal given back. */
export function leaveOnSignals(leave: (code: number) => void, crashed: (error: Error) => void): () => void {
  const handlers: readonly (readonly [string, (cause: unknown) => void])[] = [
    ['SIGTERM', () => leave(EXIT.terminated)],
    ['SIGINT', () => leave(EXIT.interrupted)],
    ['SIGHUP', () => leave(EXIT.hungUp)],
    [
      'uncaughtException',
      cause => {
        crashed(cause instanceof Error ? cause : new Error(String(cause)));
        leave(EXIT.bug);
      },
    ],
  ];
  for (const [name, handler] of handlers) process.on(name, handler);
  return () => {
    for (const [name, handler] of handlers) process.off(name, handler);
  };
}

/** Once the screen is given back: the cause in a line, and where the run is kept. */
export function sayAfterwards(
  report: { verdict: string; summary: string } | undefined,
  kept: string | undefined,
): void {
  if (report) process.stdout.write(`${report.verdict}: ${report.summary}\n`);
  if (kept) process.stderr.write(`${kept}\n`);
}
