import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { createInterface } from 'node:readline';

export interface LaunchOptions {
  /** Which Node runs it; default: the one that runs the tests. Others need fixtures/runtimes (see `nodeBinary`). */
  readonly node?: 18 | 20 | 22 | 24 | 26;
  readonly args?: readonly string[];
  /** Flags for Node itself, before the file. */
  readonly execArgv?: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
  /** Starts with an inspector that is already open, on a random port. */
  readonly inspect?: boolean;
  /** The line of stdout to wait for; default 'ready'. `false`: don't wait. */
  readonly waitFor?: string | false;
}

export interface Launched extends AsyncDisposable {
  readonly pid: number;
  readonly child: ChildProcess;
  /** Everything written so far. */
  stdout(): string;
  stderr(): string;
  /** Resolves once this line (or a line that begins with it) was written to stdout. */
  line(text: string): Promise<string>;
  kill(): Promise<void>;
}

const ROOT = resolve(import.meta.dirname, '..');
const START_LIMIT_MS = 20_000;

/** The Node of a major version; throws with the way to install it. */
export function nodeBinary(major?: LaunchOptions['node']): string {
  if (major === undefined || process.versions.node.startsWith(`${major}.`)) return process.execPath;
  return resolve(ROOT, `fixtures/runtimes/node_modules/node${major}/bin/node`);
}

/**
 * Starts a program that always ends with the test: a path (relative to the package root) or, when it holds a blank or
 * newline, the source of a CommonJS program. On SIGUSR1 it opens a random port, so that tests run side by side.
 */
export async function launch(fileOrSource: string, options: LaunchOptions = {}): Promise<Launched> {
  const program = /[\s;(]/.test(fileOrSource) ? ['-e', fileOrSource, '--'] : [resolve(ROOT, fileOrSource)];
  const inspector = options.inspect ? '--inspect=127.0.0.1:0' : '--inspect-port=0';
  const argv = [inspector, ...(options.execArgv ?? []), ...program, ...(options.args ?? [])];
  const child = spawn(nodeBinary(options.node), argv, {
    cwd: options.cwd ?? ROOT,
    env: { ...process.env, NODE_OPTIONS: '', ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const launched = watch(child);
  const waitFor = options.waitFor ?? 'ready';
  if (waitFor !== false) await launched.line(waitFor);
  return launched;
}

function watch(child: ChildProcess): Launched {
  const output = { stdout: '', stderr: '' };
  const lines: string[] = [];
  const waiting = new Set<(line?: string) => void>();
  child.stderr?.on('data', data => {
    output.stderr += data;
  });
  child.stdout?.on('data', data => {
    output.stdout += data;
  });
  if (child.stdout) {
    createInterface({ input: child.stdout }).on('line', line => {
      lines.push(line);
      for (const look of [...waiting]) look(line);
    });
  }
  const exited = once(child, 'exit').then(() => {
    for (const look of [...waiting]) look();
  });
  const kill = async () => {
    child.kill('SIGKILL');
    if (child.exitCode === null && child.signalCode === null) await exited;
  };
  const line = (text: string) =>
    new Promise<string>((found, fail) => {
      const done = (settle: () => void) => {
        clearTimeout(timer);
        waiting.delete(look);
        settle();
      };
      const look = (next?: string) => {
        if (next?.startsWith(text)) done(() => found(next));
        else if (next === undefined)
          done(() => fail(new Error(`the program ended before "${text}":\n${output.stderr}`)));
      };
      const timer = setTimeout(() => {
        void kill();
        done(() => fail(new Error(`no line "${text}" within ${START_LIMIT_MS} ms:\n${output.stdout}${output.stderr}`)));
      }, START_LIMIT_MS);
      waiting.add(look);
      const known = lines.find(written => written.startsWith(text));
      if (known !== undefined) look(known);
      else if (child.exitCode !== null || child.signalCode !== null) look();
    });
  return {
    pid: child.pid ?? 0,
    child,
    stdout: () => output.stdout,
    stderr: () => output.stderr,
    line,
    kill,
    [Symbol.asyncDispose]: kill,
  };
}
