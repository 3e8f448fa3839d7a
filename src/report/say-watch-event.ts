import { sayBytes, sayMs } from '../base/say.js';
import type { CodeLocation } from '../model/location.js';
import type { WatchEvent, WatchedTarget } from '../model/watch-event.js';

const who = ({ name, pid }: WatchedTarget): string => `${name} (pid ${pid})`;
const place = (at: CodeLocation): string => `${at.function ? `${at.function} ` : ''}${at.file}:${at.line}`;

/** One sentence for people; undefined for what only machines read. */
export function sayWatchEvent(event: WatchEvent): string | undefined {
  switch (event.type) {
    case 'watch.started':
      return `watching ${event.watching}, every ${sayMs(event.intervalMs)}`;
    case 'watch.status':
      return sayStatus(event);
    case 'watch.stopped':
      return `stopped: ${event.reason}`;
    case 'target.attached':
      return `${who(event.target)}: attached, Node ${event.nodeVersion}`;
    case 'target.lost':
      return `${who(event.target)}: lost, ${event.reason}`;
    case 'target.restarted':
      return `${who(event.target)}: restarted, was pid ${event.previousPid}, away for ${sayMs(event.downMs)}`;
    case 'restart.pattern':
      return `${who(event.target)}: ${event.title}`;
    case 'metrics.read':
      return undefined;
    case 'target.health':
      return `${who(event.target)}: ${event.health}, ${Math.round(event.stability * 100)} % of the last hour well`;
    case 'settings.changed':
      return `settings: ${[...event.changes.map(({ name, value }) => `${name} is now ${value}`), ...event.later.map(name => `${name} waits for the next start`)].join(', ')}`;
    case 'alert.fired':
      return `${event.alert.level.toUpperCase()} ${who(event.target)}: ${event.alert.title}${event.alert.count > 1 ? ` (the ${event.alert.count}th time)` : ''}`;
    case 'alert.escalated':
      return `CRITICAL ${who(event.target)}: still ${event.alert.title}`;
    case 'alert.resolved':
      return `resolved ${who(event.target)}: ${event.alert.rule}`;
    case 'investigation.started':
      return `${who(event.target)}: looking closer, ${event.reason}`;
    case 'investigation.finished':
      return `${who(event.target)}: ${event.verdict}, ${event.summary}${event.culprit ? ` At ${place(event.culprit)}.` : ''} (lens report ${event.path})`;
    case 'failure':
      return `${event.where}: ${event.message}`;
    default:
      return event satisfies never;
  }
}

function sayStatus({
  targets,
  rssBytes,
  cpuPercent,
  dropped,
  waiting,
}: Extract<WatchEvent, { type: 'watch.status' }>): string {
  const counts = (what: { readonly [name: string]: number }) =>
    Object.entries(what)
      .filter(([, count]) => count > 0)
      .map(([name, count]) => `${count} ${name}`)
      .join(', ');
  const lost = counts(dropped);
  const queued = counts(waiting);
  return `${targets} ${targets === 1 ? 'target' : 'targets'}; lens itself: ${sayBytes(rssBytes)}, ${cpuPercent.toFixed(1)} % of a core${lost ? `; dropped: ${lost}` : ''}${queued ? `; waiting for: ${queued}` : ''}`;
}
