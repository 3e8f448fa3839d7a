import type { ConsoleMessages } from '../model/evidence/console.js';
import type { LogGroup } from '../model/evidence/logs.js';
import type { Collector } from './collector.js';
import { recordLogs, toLogs } from './logs.js';
import { scriptIds } from './script-ids.js';

/** What goes through `console` in the window, by level and template, with the calling line. */
export const consoleCollector: Collector<'console'> = {
  kind: 'console',
  title: 'Console',
  cost: 'light',
  async collect(session, { seconds }, context) {
    const { raw } = await recordLogs(session, seconds, context);
    const urls = raw.groups.flatMap(({ frames }) => frames.map(({ url }) => url));
    const { ids, pausedMs } = urls.length > 0 ? await scriptIds(session, urls) : { ids: new Map(), pausedMs: 0 };
    const { groups } = toLogs(raw, ids);
    return {
      data: toConsole(
        raw.windowMs / 1000,
        groups.filter(({ via }) => via === 'console'),
      ),
      pausedMs,
    };
  },
};

function toConsole(seconds: number, groups: readonly LogGroup[]): ConsoleMessages {
  const byLevel: { [level: string]: number } = {};
  for (const { level, count } of groups) byLevel[level] = (byLevel[level] ?? 0) + count;
  return {
    seconds,
    total: groups.reduce((sum, { count }) => sum + count, 0),
    byLevel,
    groups: groups.map(({ level, template, count, frames: [frame] }) => ({
      level,
      template,
      count,
      ...(frame ? { url: frame.url, line: frame.line, function: frame.functionName } : {}),
    })),
  };
}
