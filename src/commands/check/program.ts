import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { listNodeProcesses, type NodeProcess } from '../../inspector/node-processes.js';
import { listeningSockets } from '../../inspector/proc/sockets.js';
import { LensError } from '../../model/error.js';
import type { Readiness } from './readiness.js';

/** A program that lens started for a check, and ends with it. */
export interface Program {
  /** The Node process to look at: the child itself, or the one that npm or a shell started for it. */
  readonly pid: number;
  readonly port?: number;
  /** How it went, once it has ended by itself. */
  fate(): string | undefined;
  kill(): void;
}

const LOOK_EVERY_MS = 100;
/** Launchers are Node too, and never meant. */
const LAUNCHER =
  /\b(npm|npx|yarn|pnpm|corepack|tsx|ts-node|nodemon|dotenv|cross-env|concurrently)(-cli)?(\.[cm]?js)?\b/;

/** Starts it in a process group of its own and waits until it is ready. Throws LensError when it never is. */
export async function startProgram(
  argv: readonly string[],
  readiness: Readiness,
  signal: AbortSignal,
): Promise<Program> {
  const child = startGroup(argv[0] ?? '', argv.slice(1));
  try {
    await started(child, argv.join(' '));
    return await untilReady(child, argv.join(' '), readiness, signal);
  } catch (error) {
    endGroup(child);
    throw error;
  }
}

function startGroup(command: string, args: readonly string[]): ChildProcess {
  // A group of its own: what a shell or npm started below ends with it. stdout is ours, so its output goes to stderr.
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'], detached: true });
  child.stdout?.on('data', chunk => process.stderr.write(chunk));
  return child;
}

async function started(child: ChildProcess, said: string): Promise<void> {
  await once(child, 'spawn').catch(cause => {
    throw new LensError('usage', `“${said}” could not be started: ${cause.message}.`, 'Check the command after --.', {
      cause,
    });
  });
}

function endGroup(child: ChildProcess): void {
  try {
    if (child.pid !== undefined) process.kill(-child.pid, 'SIGTERM');
  } catch {
    // Nobody of the group is left.
  }
}

async function untilReady(
  child: ChildProcess,
  said: string,
  readiness: Readiness,
  signal: AbortSignal,
): Promise<Program> {
  const startedAt = performance.now();
  let output = '';
  child.stdout?.on('data', chunk => {
    if (output.length < 100_000) output += chunk;
  });
  for (;;) {
    signal.throwIfAborted();
    const age = performance.now() - startedAt;
    const fate = fateOf(child);
    if (fate)
      throw new LensError('target-lost', `“${said}” ended before it was ready: ${fate}.`, 'Its own words are above.');
    const found = await nodeBelow(child.pid ?? 0);
    if (found && readiness.ready({ output, age, port: found.port }))
      return {
        pid: found.pid,
        ...(found.port !== undefined && { port: found.port }),
        fate: () => fateOf(child),
        kill: () => endGroup(child),
      };
    if (age > readiness.withinMs) throw notReady(said, readiness, found !== undefined);
    await delay(LOOK_EVERY_MS);
  }
}

function notReady(said: string, { withinMs, text }: Readiness, isNode: boolean): LensError {
  const what = isNode ? `was not ready (${text})` : 'started no Node process';
  return new LensError(
    'target-not-found',
    `“${said}” ${what} within ${withinMs / 1000} s.`,
    'Say with --ready when it is: a port (:3000), a word of its output, or a time (5s).',
  );
}

function fateOf(child: ChildProcess): string | undefined {
  if (child.exitCode !== null) return `exit code ${child.exitCode}`;
  return child.signalCode === null ? undefined : `signal ${child.signalCode}`;
}

/** The Node process at or below `root` that serves: the nearest that listens, else the nearest that is no launcher. */
async function nodeBelow(root: number): Promise<{ pid: number; port?: number } | undefined> {
  const all = await listNodeProcesses();
  const mine = all.filter(each => isBelow(each, root, all) && !LAUNCHER.test(each.command.split(' ', 2).join(' ')));
  for (const each of mine) {
    const port = (await listeningSockets(each.pid)).find(socket => socket.localPort !== each.inspectorPort)?.localPort;
    if (port !== undefined) return { pid: each.pid, port };
  }
  return mine[0] && { pid: mine[0].pid };
}

/** Node processes alone are listed: a shell between them hides the chain, the group doesn't. */
function isBelow({ pid, parentPid }: NodeProcess, root: number, all: readonly NodeProcess[]): boolean {
  if (pid === root || parentPid === root) return true;
  const parent = all.find(each => each.pid === parentPid);
  return parent !== undefined && parent.pid !== pid && isBelow(parent, root, all);
}

/** A command that makes traffic while lens looks. */
export interface Load {
  /** A sentence when it failed, and so the check saw no load. */
  problem(): string | undefined;
  kill(): void;
}

/** Starts the shell command line in a group of its own; LENS_PORT and LENS_PID tell it where the program is. */
export async function startLoad(
  line: string,
  target: { readonly pid?: number; readonly port?: number },
): Promise<Load> {
  const env = {
    ...process.env,
    ...(target.pid !== undefined && { LENS_PID: String(target.pid) }),
    ...(target.port !== undefined && { LENS_PORT: String(target.port) }),
  };
  const child = spawn('/bin/sh', ['-c', line], { stdio: ['ignore', 2, 2], detached: true, env });
  await started(child, line);
  return {
    problem: () => {
      const fate = fateOf(child);
      return fate === undefined || fate === 'exit code 0' ? undefined : `The load “${line}” failed: ${fate}.`;
    },
    kill: () => endGroup(child),
  };
}
