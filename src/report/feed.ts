import { sayMs } from '../base/say.js';
import type { LensEvent } from '../model/event.js';
import type { HealthState, Severity } from '../model/severity.js';

/** One line of the story of a run: who asked, learned or concluded what. */
export interface FeedRow {
  readonly at: number;
  /** A skill's id, `lens`, or `model`. */
  readonly who: string;
  readonly what: 'began' | 'asked' | 'read' | 'changed' | 'noticed' | 'refused' | 'concluded' | 'cause' | 'failed';
  readonly text: string;
  readonly severity?: Severity | HealthState;
}

/** The event as a line of the story; undefined for what the screen shows elsewhere. */
export function feedRow(event: LensEvent): FeedRow | undefined {
  const row = (who: string, what: FeedRow['what'], text: string, severity?: FeedRow['severity']): FeedRow => ({
    at: event.at,
    who,
    what,
    text,
    ...(severity && { severity }),
  });
  switch (event.type) {
    case 'run.started':
      return row('lens', 'began', event.reason ? `looks for “${event.reason}”` : 'takes a look');
    case 'target.awaited':
      return row('lens', 'began', event.why);
    case 'target.attached':
      return row('lens', 'began', `attached to pid ${event.target.pid}, Node ${event.target.nodeVersion}`);
    case 'run.held':
      return row('lens', 'changed', event.held ? 'paused: no other reading begins' : 'goes on');
    case 'skills.chosen':
      return row('lens', 'began', `${event.skills.length} operators: ${event.why}`);
    case 'operator.called':
      return ['ask', 'execute'].includes(event.tool)
        ? row(event.operator, 'asked', event.about || event.tool)
        : undefined;
    case 'evidence.collected':
      return row('lens', 'read', `${event.id}: ${readingText(event)}`);
    case 'operator.state':
      return row(event.operator, 'changed', `${event.to}: ${event.reason}`, event.to);
    case 'operator.refused':
      return row(event.operator, 'refused', event.error);
    case 'notification.raised': {
      const { operator, title, observation, severity } = event.notification;
      return row(operator, 'noticed', title ?? observation, severity);
    }
    case 'operator.finished':
      return row(event.result.skill, 'concluded', event.result.summary);
    case 'insight.produced':
      return row('lens', 'cause', event.insight.title, event.insight.severity);
    case 'model.called':
      return row('model', 'asked', `${event.call.by}: ${event.call.model}`);
    case 'failure':
      return row('lens', 'failed', `${event.failure.where}: ${event.failure.message.split('\n')[0]}`);
    case 'left.out':
      return row('lens', 'noticed', event.what);
    case 'target.lost':
      return row('lens', 'failed', `the target is gone: ${event.reason}`, 'critical');
    case 'run.finished':
      return row('lens', 'concluded', `${event.report.verdict}: ${event.report.summary}`);
    default:
      return undefined;
  }
}

function readingText(event: Extract<LensEvent, { type: 'evidence.collected' }>): string {
  if (event.status === 'ok')
    return event.pausedMs > 0 ? `stopped the target for ${sayMs(event.pausedMs)}` : `in ${sayMs(event.tookMs)}`;
  return `${event.status}${event.reason ? `, ${event.reason}` : ''}`;
}
