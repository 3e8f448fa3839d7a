import { readLine, templateOf } from '../agents/logs/lines.js';
import type { RawGroup, RawLogs } from '../agents/logs/raw.js';
import type { Session } from '../inspector/session.js';
import type { LogEntry, LogGroup, LogLevel, Logs } from '../model/evidence/logs.js';
import type { Collector } from './collector.js';
import { toFrames } from './frames.js';
import { openTail, type Tail } from './log-tail.js';
import { scriptIds } from './script-ids.js';

const DEFAULT_SECONDS = 5;
const CALL_TIMEOUT_MS = 20_000;
const MAX_GROUPS = 60;
const NO_IDS: ReadonlyMap<string, string> = new Map();

let askers = 0;

/** What the program writes to console, stdout, stderr and log files over a window: counts, templates, newest lines. */
export const logsCollector: Collector<'logs'> = {
  kind: 'logs',
  title: 'Logs',
  cost: 'light',
  async collect(session, { seconds = DEFAULT_SECONDS, places = false }, context) {
    const { raw, tail } = await recordLogs(session, seconds, context);
    if (raw.lines === 0 && tail.length > 0) return { data: fromTail(tail, raw), partial: FROM_OUTSIDE, pausedMs: 0 };
    const urls = raw.groups.flatMap(({ frames }) => frames.map(({ url }) => url));
    const scripts = places && urls.length > 0 ? await scriptIds(session, urls) : { ids: NO_IDS, pausedMs: 0 };
    return { data: toLogs(raw, scripts.ids), pausedMs: scripts.pausedMs };
  },
};

const FROM_OUTSIDE =
  'The main thread writes no lines itself (a worker thread may); these were read from the file behind stdout.';

type Sleep = { sleep(ms: number): Promise<void> };

/** Runs the recording in the target for so long; never leaves its hooks behind. */
export async function recordLogs(
  session: Session,
  seconds: number,
  context: Sleep,
): Promise<{ raw: RawLogs; tail: string[] }> {
  await session.agent.install('logs');
  const asker = `window-${++askers}`;
  const call = <T>(method: string) => session.agent.call<T>('logs', method, [asker], { timeoutMs: CALL_TIMEOUT_MS });
  const tails: Tail[] = [1, 2].flatMap(fd => openTail(session.target.pid, fd) ?? []);
  await call('start');
  try {
    await context.sleep(seconds * 1000);
  } catch (error) {
    await call('stop').catch(() => undefined); // a lost target needs no stopping
    throw error;
  }
  const raw = await call<RawLogs>('stop');
  return { raw, tail: tails.flatMap(tail => tail.lines()) };
}

export function toLogs(raw: RawLogs, ids: ReadonlyMap<string, string>): Logs {
  // Where only a share of the lines was looked at, each stands for as many as came.
  const scale = raw.read > 0 ? raw.lines / raw.read : 1;
  const groups = raw.groups.map(group => toGroup(group, scale, ids));
  return {
    seconds: raw.windowMs / 1000,
    lines: raw.lines,
    bytes: raw.bytes,
    byLevel: levels(groups),
    groups: groups.slice(0, MAX_GROUPS),
    recent: raw.recent.map(({ at, level, message }) => ({ at, level: levelOf(level), message })),
    writeShare: Math.min(1, raw.writeMs / Math.max(1, raw.windowMs)),
    pendingBytes: raw.pendingBytes,
    unread: raw.lines - raw.read,
  };
}

const toGroup = (group: RawGroup, scale: number, ids: ReadonlyMap<string, string>): LogGroup => ({
  level: levelOf(group.level),
  template: group.template,
  count: Math.round(group.count * scale),
  bytes: Math.round(group.bytes * scale),
  activeSeconds: group.activeSeconds,
  via: group.via,
  example: group.example,
  frames: toFrames(group.frames, ids),
});

const LEVELS: ReadonlySet<string> = new Set<LogLevel>(['fatal', 'error', 'warn', 'info', 'debug', 'trace']);
const levelOf = (level: string): LogLevel => (LEVELS.has(level) ? (level as LogLevel) : 'unknown'); // checked by the set

function levels(groups: readonly LogGroup[]): Logs['byLevel'] {
  const counts: { [level in LogLevel]?: number } = {};
  for (const { level, count } of groups) counts[level] = (counts[level] ?? 0) + count;
  return counts;
}

/** Lines of the file behind stdout: counted and grouped, without who wrote them. */
function fromTail(lines: readonly string[], raw: RawLogs): Logs {
  const groups = new Map<string, LogGroup>();
  const recent: LogEntry[] = [];
  for (const text of lines) {
    const { level: said, message } = readLine(text, 'unknown');
    const level = levelOf(said);
    const template = templateOf(message);
    const key = `${level} ${template}`;
    const known = groups.get(key);
    groups.set(key, {
      ...(known ?? { level, template, via: 'file', example: message, activeSeconds: 0, frames: [] }),
      count: (known?.count ?? 0) + 1,
      bytes: (known?.bytes ?? 0) + text.length,
    });
    recent.unshift({ at: 0, level, message });
  }
  const sorted = [...groups.values()].sort((a, b) => b.count - a.count);
  return {
    seconds: raw.windowMs / 1000,
    lines: lines.length,
    bytes: lines.reduce((sum, { length }) => sum + length, 0),
    byLevel: levels(sorted),
    groups: sorted.slice(0, MAX_GROUPS),
    recent: recent.slice(0, 200),
    writeShare: 0,
    pendingBytes: 0,
    unread: 0,
  };
}
