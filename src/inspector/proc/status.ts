import { readFile } from 'node:fs/promises';

/** The lines of /proc/PID/status that lens decides on. */
export interface ProcStatus {
  readonly name: string;
  /** One letter: R running, S sleeping, D disk, T stopped, t traced, Z zombie, X dead. */
  readonly state: string;
  readonly parentPid: number;
  readonly uid: number;
  /** The pid inside the innermost pid namespace. */
  readonly innerPid: number;
  readonly threads: number;
  readonly rssBytes: number;
  readonly swapBytes: number;
  readonly caughtSignals: bigint;
  readonly blockedSignals: bigint;
  readonly voluntarySwitches: number;
  readonly involuntarySwitches: number;
}

export function parseStatus(text: string): ProcStatus {
  const fields = new Map(
    text.split('\n').map(line => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1).trim()]),
  );
  const number = (name: string) => Number.parseInt(fields.get(name) ?? '0', 10);
  const mask = (name: string) => BigInt(`0x${fields.get(name) ?? '0'}`);
  return {
    name: fields.get('Name') ?? '',
    state: fields.get('State')?.[0] ?? 'X',
    parentPid: number('PPid'),
    uid: Number.parseInt(fields.get('Uid')?.split(/\s+/)[1] ?? '0', 10),
    innerPid: Number(fields.get('NSpid')?.split(/\s+/).at(-1) ?? fields.get('Pid') ?? 0),
    threads: number('Threads'),
    rssBytes: number('VmRSS') * 1024,
    swapBytes: number('VmSwap') * 1024,
    caughtSignals: mask('SigCgt'),
    blockedSignals: mask('SigBlk'),
    voluntarySwitches: number('voluntary_ctxt_switches'),
    involuntarySwitches: number('nonvoluntary_ctxt_switches'),
  };
}

/** Undefined when there is no such process (any more). */
export async function readStatus(pid: number): Promise<ProcStatus | undefined> {
  const text = await readProc(pid, 'status');
  return text === undefined ? undefined : parseStatus(text);
}

/** A file under /proc/PID as text; undefined when it is gone, hidden, or this is not Linux. */
export async function readProc(pid: number | 'self', name: string): Promise<string | undefined> {
  return readFile(`/proc/${pid}/${name}`, 'utf8').catch(() => undefined);
}
