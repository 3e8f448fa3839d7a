import { readlink } from 'node:fs/promises';
import { basename } from 'node:path';
import { catchesSigusr1, hasSignalThread } from './proc/signals.js';
import { type ProcStatus, readProc, readStatus } from './proc/status.js';

/** What /proc says of a process before anything is done to it: enough to know whether the signal is safe. */
export interface Candidate {
  readonly pid: number;
  readonly status: ProcStatus;
  /** Undefined when it belongs to somebody else (or is a zombie). */
  readonly executable: string | undefined;
  readonly argv: readonly string[];
  /** Node's options, from its command line and NODE_OPTIONS. */
  readonly nodeFlags: readonly string[];
  readonly catchesSigusr1: boolean;
  readonly signalThread: boolean;
  /** False when it belongs to another user. */
  readonly readable: boolean;
}

/** Undefined when there is no such process. */
export async function readCandidate(pid: number): Promise<Candidate | undefined> {
  const [status, executable, cmdline, environment, signalThread] = await Promise.all([
    readStatus(pid),
    readlink(`/proc/${pid}/exe`).catch(() => undefined),
    readProc(pid, 'cmdline'),
    readProc(pid, 'environ'),
    hasSignalThread(pid),
  ]);
  if (!status) return undefined;
  const argv = (cmdline ?? '').split('\0').slice(0, -1);
  return {
    pid,
    status,
    executable,
    argv,
    nodeFlags: [...flagsOf(argv), ...nodeOptions(environment)],
    catchesSigusr1: catchesSigusr1(status),
    signalThread,
    readable: executable !== undefined,
  };
}

/** Both must hold, or the signal ends the process: it catches SIGUSR1, and Node's thread waits for it. */
export function signalIsSafe(candidate: Candidate): boolean {
  return candidate.catchesSigusr1 && candidate.signalThread;
}

/** "bun" or "deno" when that is what runs; Node has many names (nodejs, a single executable), they have one. */
export function otherRuntimeName(candidate: Candidate): string | undefined {
  const name = basename(candidate.executable ?? candidate.argv[0] ?? '');
  if (/^bunx?(-|$)/.test(name)) return 'Bun';
  return /^deno(-|$)/.test(name) ? 'Deno' : undefined;
}

/** True for what is called node, even where no signal thread waits. */
export function isCalledNode(candidate: Candidate): boolean {
  return /^node(js)?([-_.\d]|$)/.test(basename(candidate.executable ?? candidate.argv[0] ?? ''));
}

/** The flag that makes Node ignore SIGUSR1, as the user wrote it. */
export function disablingFlag(candidate: Candidate): string | undefined {
  return candidate.nodeFlags.find(flag => /^--(disable-sigusr1|(experimental-)?permission)\b/.test(flag));
}

/** The port that the signal would open; 0 means a random one. */
export function portAfterSignal(candidate: Candidate): number {
  const flag = candidate.nodeFlags.findLast(flag => /^--(inspect|debug)-port[= ]/.test(flag));
  return flag === undefined
    ? 9229
    : Number(
        flag
          .slice(flag.search(/[= ]/) + 1)
          .split(':')
          .at(-1),
      );
}

/** Options before the program's own arguments; one that stands apart from its value is joined to it. */
function flagsOf(argv: readonly string[]): string[] {
  const end = argv.findIndex((word, i) => i > 0 && !word.startsWith('-') && !takesValue(argv[i - 1]));
  return joined(argv.slice(1, end === -1 ? undefined : end));
}

function nodeOptions(environment: string | undefined): string[] {
  const line = environment?.split('\0').find(entry => entry.startsWith('NODE_OPTIONS='));
  return line === undefined ? [] : joined(line.slice('NODE_OPTIONS='.length).split(/\s+/).filter(Boolean));
}

function joined(words: readonly string[]): string[] {
  return words.map((word, i) => (takesValue(word) && words[i + 1] !== undefined ? `${word}=${words[i + 1]}` : word));
}

function takesValue(word: string | undefined): boolean {
  return /^(-r|-e|-p|--(require|import|loader|eval|inspect-port|debug-port|conditions|env-file))$/.test(word ?? '');
}
