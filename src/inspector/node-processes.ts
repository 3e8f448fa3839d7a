import { readdir, readlink } from 'node:fs/promises';
import { LensError } from '../model/error.js';
import { type Candidate, isCalledNode, otherRuntimeName, readCandidate, signalIsSafe } from './candidate.js';
import { openInspector } from './inspector-port.js';
import { refuseSignal, refuseState } from './open.js';
import { ageSeconds, readChildren } from './proc/children.js';
import { versionOfBinary } from './proc/node-version.js';
import { catchesSigusr1 } from './proc/signals.js';
import { readStatus } from './proc/status.js';
import { readStat } from './proc/thread.js';

/** A Node process of this machine as /proc shows it; nothing is asked of the process itself. */
export interface NodeProcess {
  readonly pid: number;
  readonly parentPid: number;
  readonly uid: number;
  /** Undefined where it is not cheaply known. */
  readonly version?: string;
  readonly command: string;
  readonly cwd?: string;
  readonly uptimeSeconds: number;
  readonly rssBytes: number;
  /** Mean over its life, in percent of one core. */
  readonly cpuPercent: number;
  /** `open` with its port when an inspector already listens. */
  readonly inspector: 'open' | 'closed' | 'unknown';
  readonly inspectorPort?: number;
  readonly mayAttach: boolean;
  /** Why not, and what would help. */
  readonly whyNot?: string;
  readonly hint?: string;
}

/** Every Node process that this user can see, by pid. Empty where there is no /proc. */
export async function listNodeProcesses(): Promise<NodeProcess[]> {
  const names = await readdir('/proc').catch(() => []);
  const found = await Promise.all(names.filter(name => /^\d+$/.test(name)).map(name => readNodeProcess(Number(name))));
  return found.filter(process => process !== undefined).sort((a, b) => a.pid - b.pid);
}

/** Levels of processes below one: npm, a shell, a supervisor, a cluster's primary and its workers are five. */
const DEEPEST = 8;

/** Every Node process below this one, also behind processes that are not Node (`npm start` runs a shell). */
export async function nodeDescendants(pid: number, depth = DEEPEST): Promise<NodeProcess[]> {
  if (depth === 0) return [];
  const children = await readChildren(pid);
  const found = await Promise.all(
    children.map(async child => {
      const [own, below] = await Promise.all([readNodeProcess(child.pid), nodeDescendants(child.pid, depth - 1)]);
      return own ? [own, ...below] : below;
    }),
  );
  return found.flat();
}

/** Undefined when there is no such process, or it is not Node. */
export async function readNodeProcess(pid: number): Promise<NodeProcess | undefined> {
  const candidate = await readIfNode(pid);
  if (!candidate) return undefined;
  const { status, executable } = candidate;
  const [version, cwd, uptimeSeconds, stat, inspector] = await Promise.all([
    executable === undefined ? undefined : versionOfBinary(executable),
    readlink(`/proc/${pid}/cwd`).catch(() => undefined),
    ageSeconds(pid),
    readStat(pid),
    candidate.readable ? openInspector(pid, { likelyOnly: true }) : undefined,
  ]);
  return {
    pid,
    parentPid: status.parentPid,
    uid: status.uid,
    ...(version !== undefined && { version }),
    command: candidate.argv.join(' ') || `[${status.name}]`,
    ...(cwd !== undefined && { cwd }),
    uptimeSeconds: Math.round(uptimeSeconds),
    rssBytes: status.rssBytes,
    cpuPercent: stat && uptimeSeconds > 0 ? Math.round(stat.cpuMs / uptimeSeconds) / 10 : 0,
    inspector: inspector ? 'open' : candidate.readable ? 'closed' : 'unknown',
    ...(inspector && { inspectorPort: inspector.port }),
    ...judge(candidate, inspector !== undefined),
  };
}

/** Most processes are ruled out by two cheap looks: the signal mask and the name. */
async function readIfNode(pid: number): Promise<Candidate | undefined> {
  const [status, executable] = await Promise.all([readStatus(pid), readlink(`/proc/${pid}/exe`).catch(() => '')]);
  if (!status) return undefined;
  if (!catchesSigusr1(status) && !/node/i.test(executable) && !/^(node|MainThread)/.test(status.name)) return undefined;
  const candidate = await readCandidate(pid);
  if (!candidate || otherRuntimeName(candidate) !== undefined) return undefined;
  return signalIsSafe(candidate) || isCalledNode(candidate) ? candidate : undefined;
}

function judge(candidate: Candidate, open: boolean): { mayAttach: boolean; whyNot?: string; hint?: string } {
  try {
    refuseState(candidate);
    if (!open) refuseSignal(candidate);
    return { mayAttach: true };
  } catch (error) {
    if (!(error instanceof LensError)) throw error;
    return { mayAttach: false, whyNot: error.message, ...(error.hint !== undefined && { hint: error.hint }) };
  }
}
