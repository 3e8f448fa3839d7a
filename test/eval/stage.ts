// Puts a program on stage: in a network namespace of its own where the system allows it, else on a random inspector port.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';

const ROOT = new URL('../../', import.meta.url).pathname;
const START_LIMIT_MS = 40_000;
const ANSWER_LIMIT_MS = 3000;

export const NODE_VERSIONS = [18, 20, 22, 24, 26] as const;
export type NodeVersion = (typeof NODE_VERSIONS)[number];

export interface Counts {
  readonly sent: number;
  readonly answered: number;
  readonly failed: number;
  /** Milliseconds of the slowest answer since the counts were last read. */
  readonly slowest: number;
}

export interface Stage extends AsyncDisposable {
  readonly pid: number;
  readonly namespaced: boolean;
  readonly folder: string;
  /** Words before a command that must run where the program runs. */
  readonly inside: readonly string[];
  counts(): Promise<Counts | undefined>;
  /** Undefined while the program lives; else how it went and its last words. */
  fate(): string | undefined;
}

/** The binary of a Node version: our own, or the one installed below fixtures/runtimes. */
export const nodeBinary = (version: NodeVersion): string =>
  process.version.startsWith(`v${version}.`)
    ? process.execPath
    : `${ROOT}fixtures/runtimes/node_modules/node${version}/bin/node`;

const canUnshare = spawnSync('unshare', ['-n', 'sh', '-c', 'ip link set lo up']).status === 0;

export interface Staging {
  /** False: among all others, where lens can reach a server of the evaluation. */
  readonly apart?: boolean;
  /** For the program under test. */
  readonly env?: NodeJS.ProcessEnv;
}

export async function raise(app: string, version: NodeVersion, staging: Staging = {}): Promise<Stage> {
  const folder = `${ROOT}fixtures/apps/${app}`;
  const apart = canUnshare && staging.apart !== false;
  const child = spawnWorld(folder, version, apart, staging.env);
  const lines: string[] = [];
  createInterface({ input: child.stdout! }).on('line', line => lines.push(line));
  try {
    const pid = await readyPid(child, lines);
    return stageOf(child, lines, pid, folder, apart);
  } catch (error) {
    child.kill('SIGTERM');
    throw error;
  }
}

function spawnWorld(folder: string, version: NodeVersion, apart: boolean, more?: NodeJS.ProcessEnv): ChildProcess {
  const world = `${folder}/world.mjs`;
  const argv = apart
    ? ['unshare', '-n', 'sh', '-c', 'ip link set lo up && exec "$0" "$1"', process.execPath, world]
    : [process.execPath, world];
  const port = apart ? {} : { INSPECT_PORT: '0' };
  const env = { ...process.env, NODE_UNDER_TEST: nodeBinary(version), ...port, ...more };
  return spawn(argv[0]!, argv.slice(1), { stdio: ['pipe', 'pipe', 'inherit'], env });
}

/** This machine can't stage the program (no right to make control groups, say); that is no failure of lens. */
export class ImpossibleHere extends Error {}

async function readyPid(child: ChildProcess, lines: readonly string[]): Promise<number> {
  const until = Date.now() + START_LIMIT_MS;
  while (Date.now() < until) {
    const pid = /^ready pid=(\d+)/m.exec(lines.join('\n'))?.[1];
    if (pid) return Number(pid);
    const why = lines.find(line => line.startsWith('impossible'));
    if (why) throw new ImpossibleHere(why);
    if (child.exitCode !== null) break;
    await sleep(50);
  }
  throw new Error(`the program did not start: ${lines.join(' | ').slice(0, 300)}`);
}

function stageOf(child: ChildProcess, lines: string[], pid: number, folder: string, apart: boolean): Stage {
  return {
    pid,
    folder,
    namespaced: apart,
    inside: apart ? ['nsenter', '-t', String(pid), '-n', '--'] : [],
    counts: () => counts(child, lines),
    fate: () => fateOf(child, lines),
    async [Symbol.asyncDispose]() {
      child.stdin?.end();
      if (child.exitCode === null)
        await Promise.race([new Promise(resolve => child.once('exit', resolve)), sleep(3000)]);
      if (child.exitCode === null) child.kill('SIGKILL');
    },
  };
}

function fateOf(child: ChildProcess, lines: readonly string[]): string | undefined {
  const gone = lines.findIndex(line => line.startsWith('gone'));
  if (gone >= 0) return lines.slice(gone).filter(Boolean).join(' | ').slice(0, 600);
  return child.exitCode === null ? undefined : `the world ended with code ${child.exitCode}`;
}

async function counts(child: ChildProcess, lines: string[]): Promise<Counts | undefined> {
  const from = lines.length;
  child.stdin?.write('stats\n');
  for (const until = Date.now() + ANSWER_LIMIT_MS; Date.now() < until; await sleep(20)) {
    const line = lines.slice(from).find(text => text.startsWith('{"stats"'));
    if (line) return (JSON.parse(line) as { stats: Counts }).stats; // written by fixtures/world/world.mjs
  }
  return undefined;
}
