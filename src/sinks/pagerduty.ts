import { createHash } from 'node:crypto';
import { post } from './http.js';
import { isAlert, type Sink } from './sink.js';

export interface PagerDutyOptions {
  readonly routingKey: string;
  /** Another region, or a test. */
  readonly url?: string;
}

const ENQUEUE = 'https://events.pagerduty.com/v2/enqueue';
/** PagerDuty's own limits. */
const MAX_SUMMARY = 1024;
const MAX_KEY = 255;

/** Alerts as Events API v2. The dedup key is application and rule: an event that comes twice is one incident. */
export function pagerDutySink({ routingKey, url = ENQUEUE }: PagerDutyOptions): Sink {
  return {
    name: 'pagerduty',
    batch: 1,
    wants: isAlert,
    async deliver(events, signal) {
      for (const event of events)
        if (isAlert(event)) await post({ url, body: JSON.stringify(enqueued(event, routingKey)), signal });
    },
  };
}

function enqueued(event: Parameters<typeof isAlert>[0], routingKey: string): object | undefined {
  if (!isAlert(event)) return undefined;
  const { alert, target } = event;
  const key = { routing_key: routingKey, dedup_key: dedupKey(alert.fingerprint) };
  if (event.type === 'alert.resolved') return { ...key, event_action: 'resolve' };
  return {
    ...key,
    event_action: 'trigger',
    client: 'lens',
    payload: {
      summary: `${target.name}: ${alert.title}`.slice(0, MAX_SUMMARY),
      source: `${target.name} pid ${target.pid}`,
      severity: alert.level,
      timestamp: new Date(event.at).toISOString(),
      component: target.name,
      class: alert.metric,
      custom_details: { ...alert, ...('snapshot' in event ? { snapshot: event.snapshot } : {}) },
    },
  };
}

function dedupKey(fingerprint: string): string {
  return fingerprint.length <= MAX_KEY ? fingerprint : createHash('sha256').update(fingerprint).digest('hex');
}
