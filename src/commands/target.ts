import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { type Command, InvalidArgumentError } from 'commander';
import type { AttachTarget } from '../inspector/attach.js';
import { listNodeProcesses, type NodeProcess } from '../inspector/node-processes.js';
import { LensError } from '../model/error.js';
import type { TargetSpec } from '../model/target.js';

export interface TargetOptions {
  readonly pid?: number;
  readonly port?: number;
  readonly host?: string;
  readonly url?: string;
  readonly name?: string;
}

/** Adds the ways to name a target to a command; `-- cmd args…` comes as the command's rest arguments. */
export function withTarget(command: Command): Command {
  return command
    .option('--pid <n>', 'the process with this pid', whole)
    .option('--port <n>', 'the process whose inspector listens on this port', whole)
    .option('--host <host>', 'the host of --port', '127.0.0.1')
    .option('--url <ws-url>', 'the inspector at this ws:// address')
    .option('--name <pattern>', 'the one process whose command line contains this');
}

export function whole(text: string): number {
  if (!/^\d+$/.test(text)) throw new InvalidArgumentError('It must be a whole number.');
  return Number(text);
}

/** Exactly one way to name the target, or a sentence that says which ones clash. */
export function specOf(options: TargetOptions, argv: readonly string[]): TargetSpec {
  const ways: TargetSpec[] = [];
  if (options.pid !== undefined) ways.push({ by: 'pid', pid: options.pid });
  if (options.port !== undefined) ways.push({ by: 'port', port: options.port, host: options.host ?? '127.0.0.1' });
  if (options.url !== undefined) ways.push({ by: 'url', url: options.url });
  if (options.name !== undefined) ways.push({ by: 'name', pattern: options.name });
  if (argv.length > 0) ways.push({ by: 'command', argv });
  if (ways.length > 1)
    throw new LensError('usage', `Name the target one way, not ${ways.length}: ${ways.map(w => w.by).join(', ')}.`);
  return ways[0] ?? { by: 'only' };
}

/** A target ready to attach to; `child` when lens itself started it and so ends it. */
export interface Resolved {
  readonly where: AttachTarget;
  readonly child?: ChildProcess;
}

export async function resolveTarget(spec: TargetSpec): Promise<Resolved> {
  switch (spec.by) {
    case 'pid':
      return { where: { pid: spec.pid } };
    case 'port':
      return { where: { host: spec.host, port: spec.port } };
    case 'url':
      return { where: { url: spec.url } };
    case 'command':
      return startCommand(spec.argv);
    case 'name':
      return {
        where: { pid: oneOf(await matching(spec.pattern), `whose command line contains “${spec.pattern}”`).pid },
      };
    case 'only':
      return { where: { pid: oneOf(await candidates(), 'besides lens').pid } };
    default:
      return spec satisfies never;
  }
}

async function matching(pattern: string): Promise<NodeProcess[]> {
  return (await candidates()).filter(p => p.command.includes(pattern));
}

/** Neither lens itself, nor what started it, nor npm's own wrappers are ever meant. */
async function candidates(): Promise<NodeProcess[]> {
  const all = await listNodeProcesses();
  return all.filter(
    p => p.pid !== process.pid && p.pid !== process.ppid && !/\b(npm|npx|yarn|pnpm)(-cli\.js)?\b/.test(p.command),
  );
}

function oneOf(found: readonly NodeProcess[], which: string): NodeProcess {
  const [only, ...more] = found;
  if (!only)
    throw new LensError('target-not-found', `There is no Node process ${which}.`, '`lens ps` lists what lens can see.');
  if (more.length > 0) {
    const list = found.map(p => `  ${p.pid}  ${p.command}`).join('\n');
    throw new LensError(
      'target-ambiguous',
      `There are ${found.length} Node processes ${which}:\n${list}`,
      'Choose one with --pid.',
    );
  }
  return only;
}

async function startCommand(argv: readonly string[]): Promise<Resolved> {
  const [command = '', ...args] = argv;
  // Its output is not ours: everything goes to stderr, so that stdout carries the report alone.
  const child = spawn(command, args, { stdio: ['ignore', 2, 2] });
  await new Promise<void>((resolve, reject) => {
    child.once('spawn', resolve);
    child.once('error', cause =>
      reject(
        new LensError(
          'target-not-found',
          `“${command}” could not be started: ${cause.message}.`,
          'Check the command after --.',
          { cause },
        ),
      ),
    );
  });
  return { where: { pid: child.pid ?? 0 }, child };
}
