import type { WatchEvent } from '../model/watch-event.js';
import { hostOf, post } from './http.js';
import { isAlert, type Sink } from './sink.js';

type AlertEvent = Extract<WatchEvent, { readonly alert: unknown }>;

/** Alerts to Prometheus' Alertmanager (POST /api/v2/alerts), which groups, silences and routes them. */
export function alertmanagerSink({ url }: { readonly url: string }): Sink {
  return {
    name: `alertmanager ${hostOf(url)}`,
    batch: 100,
    wants: isAlert,
    async deliver(events, signal) {
      const body = JSON.stringify(events.filter(isAlert).map(alertOf));
      await post({ url: new URL('api/v2/alerts', url.endsWith('/') ? url : `${url}/`).href, body, signal });
    },
  };
}

/** Labels are its identity, so what changes while it burns (level, value, pid) stays out of them. */
function alertOf(event: AlertEvent): object {
  const { alert, target } = event;
  const at = new Date(event.at).toISOString();
  return {
    labels: {
      alertname: 'lens',
      rule: alert.rule,
      metric: alert.metric,
      application: target.name,
      fingerprint: target.fingerprint,
      ...(target.twin !== undefined && { twin: String(target.twin) }),
    },
    annotations: { summary: alert.title, severity: alert.level, pid: String(target.pid) },
    startsAt: new Date(alert.firedAt).toISOString(),
    // Without an end Alertmanager resolves by itself after its resolve_timeout; lens says when it is over.
    endsAt: event.type === 'alert.resolved' ? at : new Date(event.at + BURNS_FOR_MS).toISOString(),
  };
}

/** An alert that lens never ends (it was killed, say) burns for a day. */
const BURNS_FOR_MS = 86_400_000;
