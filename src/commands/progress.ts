import { sayMs } from '../base/say.js';
import type { LensEvent } from '../model/event.js';
import { type ModelUse, sayUse } from '../model/model-use.js';
import { wrap } from './table.js';

/**
 * One line per thing worth knowing, on stderr: plain text that a log keeps well; in a terminal of so many columns folded
 * beside its time. Undefined: nothing to say.
 */
export function progressLine(event: LensEvent, startedAt: number, columns?: number): string | undefined {
  const said = wording(event);
  if (said === undefined) return undefined;
  const at = `[${((event.at - startedAt) / 1000).toFixed(1).padStart(5)} s] `;
  if (columns === undefined || at.length + said.length <= columns) return `${at}${said}`;
  return `${at}${wrap(said, columns, ' '.repeat(at.length)).join('\n').trimStart()}`;
}

function wording(event: LensEvent): string | undefined {
  switch (event.type) {
    case 'target.awaited':
      return event.why;
    case 'target.attached':
      return `attached to ${event.target.name ?? event.target.entry ?? event.target.command} (pid ${event.target.pid}, Node ${event.target.nodeVersion})${event.attachMs > 0 ? ` in ${sayMs(event.attachMs)}` : ''}`;
    case 'vitals.read':
      return vitalsLine(event.vitals);
    case 'skills.chosen':
      return `${event.skills.length} operators: ${event.why}`;
    case 'evidence.collected':
      return event.status === 'ok' ? undefined : `${event.kind} ${event.status}: ${event.reason ?? ''}`;
    case 'operator.state':
      return `${event.operator}: ${event.from} → ${event.to}, ${event.reason}`;
    case 'notification.raised':
      return `${event.notification.operator}: ${event.notification.title ?? event.notification.observation}`;
    case 'operator.finished':
      return `${event.result.skill}: ${event.result.summary}`;
    case 'model.called':
      return event.call.error === undefined ? modelLine(event.call) : undefined;
    case 'left.out':
      return `not looked at: ${event.what}`;
    case 'target.lost':
      return `target lost: ${event.reason}`;
    case 'failure':
      return `failure in ${event.failure.where}: ${event.failure.message.split('\n')[0]}`;
    default:
      return undefined;
  }
}

function modelLine({ by, model, tokens, dollars, tookMs }: ModelUse): string {
  const use = sayUse({ calls: 1, tokens, dollars: dollars ?? 0 });
  return `${by} asked ${model}: ${use}, ${sayMs(tookMs)}`;
}

function vitalsLine(v: { readonly [name: string]: number }): string {
  const mb = (name: string) => `${Math.round((v[name] ?? 0) / 1048576)} MB`;
  return `rss ${mb('rssBytes')}, heap ${mb('heapUsedBytes')} of ${mb('heapLimitBytes')}, external ${mb('externalBytes')}, cpu ${Math.round(v.cpuPercent ?? 0)} % since start`;
}
