import { constants } from 'node:fs';
import { access, readFile } from 'node:fs/promises';
import { LensError } from '../model/error.js';
import { portAfterSignal, readCandidate } from './candidate.js';
import { openInspector, probeInspector } from './inspector-port.js';
import { lockHolder } from './lock.js';
import { refuseSignal, refuseState } from './open.js';
import { holderOf, takenBy } from './port-holder.js';
import { readCgroup } from './proc/cgroup.js';
import { readCpuTicks, readPressure } from './proc/host.js';
import { readMainThread } from './proc/thread.js';
import { locked, noSuchProcess, portTaken, unreachable } from './refusals.js';
import { inOtherNetwork } from './relay.js';

/** One thing that was looked at. `hint` is the next step when it is not as it should be. */
export interface Check {
  readonly what: string;
  readonly state: 'ok' | 'note' | 'fail';
  readonly found: string;
  readonly hint?: string;
}

/** Whether this machine lets lens work at all. Attaches to nothing. */
export async function checkMachine(): Promise<Check[]> {
  if (process.platform !== 'linux') return [notLinux()];
  return [
    { what: 'platform', state: 'ok', found: `Linux ${process.arch}, Node ${process.version}` },
    checkUser(),
    await checkTracing(),
    await checkDefaultPort(),
    await checkRuntimeFolder(),
    ...(await checkCapabilities()),
  ];
}

/** Why lens can or can't attach to this process, without doing it. */
export async function checkProcess(pid: number): Promise<Check[]> {
  const candidate = await readCandidate(pid);
  if (!candidate) return [failed('process', noSuchProcess(pid))];
  const what = candidate.argv.join(' ') || `[${candidate.status.name}]`;
  const found: Check[] = [{ what: 'process', state: 'ok', found: `${pid}: ${what}` }];
  const state = refusalOf('state', () => refuseState(candidate));
  if (state) return [...found, state];
  found.push(await checkNetwork(pid), await checkLock(pid));
  const open = await openInspector(pid, { likelyOnly: true });
  if (open)
    return [...found, { what: 'inspector', state: 'ok', found: `open on ${open.host}:${open.port}; no signal needed` }];
  const signal = refusalOf('signal', () => refuseSignal(candidate));
  if (signal) return [...found, signal];
  const port = portAfterSignal(candidate);
  const socket = await takenBy(pid, port);
  found.push(
    { what: 'signal', state: 'ok', found: "Node's signal thread waits for SIGUSR1" },
    socket
      ? failed('port', portTaken(pid, port, await holderOf(socket)))
      : { what: 'port', state: 'ok', found: port === 0 ? 'a random one' : `${port} is free` },
    await checkMainThread(pid),
  );
  return found;
}

/** Whether an inspector answers at this address. */
export async function checkAddress(host: string, port: number): Promise<Check[]> {
  const address = await probeInspector(host, port);
  return [
    address ? { what: 'inspector', state: 'ok', found: address.url } : failed('inspector', unreachable(host, port)),
  ];
}

function notLinux(): Check {
  return {
    what: 'platform',
    state: 'note',
    found: `${process.platform}: processes are not listed and not signalled here, and host readings are unavailable`,
    hint: 'Start the program with --inspect and use `--port`.',
  };
}

function checkUser(): Check {
  const uid = process.getuid?.();
  if (uid === 0) return { what: 'user', state: 'ok', found: 'root: may attach to everybody' };
  return { what: 'user', state: 'ok', found: `user ${uid}: may attach to processes of the same user` };
}

async function checkTracing(): Promise<Check> {
  const scope = (await readFile('/proc/sys/kernel/yama/ptrace_scope', 'utf8').catch(() => '0')).trim();
  if (scope === '0' || process.getuid?.() === 0)
    return { what: 'tracing', state: 'ok', found: 'system calls of a blocked target are readable' };
  return {
    what: 'tracing',
    state: 'note',
    found: `yama ptrace_scope is ${scope}: attaching works, but a natively blocked target is described without its system call`,
    hint: 'Run lens as root for that.',
  };
}

async function checkDefaultPort(): Promise<Check> {
  const socket = await takenBy(process.pid, 9229);
  if (!socket) return { what: 'port 9229', state: 'ok', found: 'free' };
  const holder = await holderOf(socket);
  return {
    what: 'port 9229',
    state: 'note',
    found: `taken by ${holder ? `process ${holder.pid} (${holder.command})` : 'somebody'}: other processes can't open their inspector there`,
    hint: holder
      ? `Attach to ${holder.pid}, or close its inspector; others need --inspect-port=0.`
      : 'Start targets with --inspect-port=0.',
  };
}

async function checkRuntimeFolder(): Promise<Check> {
  const folder = process.env.XDG_RUNTIME_DIR ?? '/tmp';
  const writable = await access(folder, constants.W_OK).then(
    () => true,
    () => false,
  );
  if (writable) return { what: 'locks', state: 'ok', found: `in ${folder}` };
  return {
    what: 'locks',
    state: 'note',
    found: `${folder} is not writable: two lenses would not see each other`,
    hint: 'Set XDG_RUNTIME_DIR to a folder of your own.',
  };
}

async function checkCapabilities(): Promise<Check[]> {
  const [cgroup, pressure, ticks] = await Promise.all([readCgroup('self'), readPressure('cpu'), readCpuTicks()]);
  const there = [ticks && '/proc/stat', pressure && 'pressure (PSI)', cgroup && `cgroup v${cgroup.version}`].filter(
    Boolean,
  );
  return [{ what: 'host readings', state: there.length === 3 ? 'ok' : 'note', found: there.join(', ') || 'none' }];
}

async function checkNetwork(pid: number): Promise<Check> {
  if (!(await inOtherNetwork(pid))) return { what: 'network', state: 'ok', found: 'the same as of lens' };
  if (process.getuid?.() === 0) return { what: 'network', state: 'ok', found: 'its own; lens enters it with nsenter' };
  return {
    what: 'network',
    state: 'fail',
    found: 'its own (a container), and only root may enter it',
    hint: `\`sudo lens run --pid ${pid}\`, or run lens inside the container.`,
  };
}

async function checkLock(pid: number): Promise<Check> {
  const holder = await lockHolder(pid);
  return holder
    ? failed('lock', locked(pid, holder))
    : { what: 'lock', state: 'ok', found: 'no other lens looks at it' };
}

async function checkMainThread(pid: number): Promise<Check> {
  const thread = await readMainThread(pid);
  const doing = thread?.syscall
    ? `in ${thread.syscall.name}`
    : thread?.state === 'R'
      ? 'running'
      : (thread?.waitChannel ?? 'unreadable');
  return { what: 'main thread', state: 'ok', found: `${doing} (state ${thread?.state ?? '?'})` };
}

function refusalOf(what: string, judge: () => void): Check | undefined {
  try {
    judge();
    return undefined;
  } catch (error) {
    if (!(error instanceof LensError)) throw error;
    return failed(what, error);
  }
}

function failed(what: string, error: LensError): Check {
  return { what, state: 'fail', found: error.message, ...(error.hint !== undefined && { hint: error.hint }) };
}
