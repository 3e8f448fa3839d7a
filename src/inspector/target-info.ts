import type { TargetInfo } from '../model/target.js';
import type { ProtocolConnection } from './connection.js';
import { evaluateIn, PROCESS } from './evaluate.js';
import { readProc } from './proc/status.js';

interface Told {
  readonly pid: number;
  readonly nodeVersion: string;
  readonly argv: readonly string[];
  readonly execArgv: readonly string[];
  readonly cwd: string | undefined;
  readonly platform: string;
  readonly arch: string;
  readonly startedAt: number;
}

/** The names and the process object as Node made them: a program may have shadowed the global. */
const WHO = `(p => ({
  pid: p.pid, nodeVersion: p.version, argv: [p.execPath, ...p.argv.slice(1)].map(String), execArgv: p.execArgv.map(String),
  cwd: (() => { try { return p.cwd() } catch {} })(), platform: p.platform, arch: p.arch,
  startedAt: Math.round(Date.now() - p.uptime() * 1000),
}))(${PROCESS})`;

export interface ReadTarget extends TargetInfo {
  /** What the process itself takes for its pid: another number inside a container. */
  readonly innerPid: number;
}

/** Asks the target who it is. `pid` is its own number unless `knownPid` says how it is called on this machine. */
export async function readTargetInfo(
  connection: ProtocolConnection,
  options: { readonly url: string; readonly knownPid?: number | undefined; readonly timeoutMs: number },
): Promise<ReadTarget> {
  const told = await evaluateIn<Told>(connection, WHO, { timeoutMs: options.timeoutMs });
  const pid = options.knownPid ?? 0;
  const cmdline = pid === 0 ? undefined : await readProc(pid, 'cmdline');
  return {
    pid,
    innerPid: told.pid,
    nodeVersion: told.nodeVersion,
    command: cmdline?.split('\0').filter(Boolean).join(' ') || [...told.execArgv, ...told.argv].join(' '),
    ...(told.argv[1] !== undefined && { entry: told.argv[1] }),
    cwd: told.cwd ?? '',
    startedAt: told.startedAt,
    platform: told.platform,
    arch: told.arch,
    execArgv: told.execArgv,
    url: options.url,
  };
}
