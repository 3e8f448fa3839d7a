import type { WatchEvent, WatchedTarget } from '../model/watch-event.js';
import { sayWatchEvent } from '../report/say-watch-event.js';
import { hostOf, post } from './http.js';
import { otelName } from './metric-names.js';
import { isAlert, type Sink } from './sink.js';

export interface OtlpOptions {
  /** Base address, as OTEL_EXPORTER_OTLP_ENDPOINT: `/v1/metrics` and `/v1/logs` are added. */
  readonly endpoint: string;
  readonly headers?: { readonly [name: string]: string };
}

type TargetEvent = Extract<WatchEvent, { readonly target: WatchedTarget }>;

const SEVERITY = { critical: ['ERROR', 17], warning: ['WARN', 13], info: ['INFO', 9] } as const;

/** Readings as OTLP gauges, news as OTLP log records, both as JSON over HTTP: no SDK is needed to write them. */
export function otlpSink({ endpoint, headers = {} }: OtlpOptions, version: string): Sink {
  const base = endpoint.endsWith('/') ? endpoint : `${endpoint}/`;
  const scope = { name: 'node-lens', version };
  const send = (path: string, body: object, signal: AbortSignal) =>
    post({ url: new URL(path, base).href, body: JSON.stringify(body), headers, signal });
  return {
    name: `otlp ${hostOf(endpoint)}`,
    batch: 200,
    wants: event => 'target' in event,
    async deliver(events, signal) {
      const about = events.filter((event): event is TargetEvent => 'target' in event);
      const readings = about.filter(event => event.type === 'metrics.read');
      const news = about.filter(event => event.type !== 'metrics.read');
      if (readings.length > 0)
        await send('v1/metrics', { resourceMetrics: byTarget(readings).map(group => metricsOf(group, scope)) }, signal);
      if (news.length > 0)
        await send('v1/logs', { resourceLogs: byTarget(news).map(group => logsOf(group, scope)) }, signal);
    },
  };
}

function byTarget<E extends TargetEvent>(events: readonly E[]): E[][] {
  const groups = new Map<string, E[]>();
  for (const event of events) {
    const key = `${event.target.fingerprint} ${event.target.pid}`;
    groups.set(key, [...(groups.get(key) ?? []), event]);
  }
  return [...groups.values()];
}

function metricsOf(events: readonly Extract<TargetEvent, { type: 'metrics.read' }>[], scope: object): object {
  const metrics = [...new Set(events.flatMap(event => Object.keys(event.values)))];
  return {
    resource: resourceOf(events[0]?.target),
    scopeMetrics: [{ scope, metrics: metrics.map(metric => gauge(metric, events)) }],
  };
}

function gauge(metric: string, events: readonly Extract<TargetEvent, { type: 'metrics.read' }>[]): object {
  const { name, unit, factor } = otelName(metric);
  const dataPoints = events.flatMap(({ at, values }) => {
    const value = values[metric];
    return value === undefined ? [] : [{ timeUnixNano: nanos(at), asDouble: value * factor }];
  });
  return { name, unit, gauge: { dataPoints } };
}

function logsOf(events: readonly TargetEvent[], scope: object): object {
  return { resource: resourceOf(events[0]?.target), scopeLogs: [{ scope, logRecords: events.map(recordOf) }] };
}

function recordOf(event: TargetEvent): object {
  const [severityText, severityNumber] = SEVERITY[severityOf(event)];
  const alert = isAlert(event) ? event.alert : undefined;
  return {
    timeUnixNano: nanos(event.at),
    severityText,
    severityNumber,
    eventName: `lens.${event.type}`,
    body: { stringValue: sayWatchEvent(event) ?? event.type },
    attributes: attributes({
      'lens.watch': event.watch,
      'lens.seq': event.seq,
      ...(alert && {
        'lens.alert.rule': alert.rule,
        'lens.alert.metric': alert.metric,
        'lens.alert.value': alert.value,
      }),
      ...('culprit' in event &&
        event.culprit && { 'code.file.path': event.culprit.file, 'code.line.number': event.culprit.line }),
    }),
  };
}

function severityOf(event: TargetEvent): keyof typeof SEVERITY {
  if (event.type === 'alert.fired' || event.type === 'alert.escalated') return event.alert.level;
  return event.type === 'target.lost' ? 'warning' : 'info';
}

function resourceOf(target: WatchedTarget | undefined): object {
  return {
    attributes: attributes({
      'service.name': target?.name ?? 'unknown',
      'service.instance.id': `${target?.fingerprint}-${target?.pid}`,
      'process.pid': target?.pid ?? 0,
      'process.runtime.name': 'nodejs',
    }),
  };
}

function attributes(values: { readonly [key: string]: string | number }): object[] {
  return Object.entries(values).map(([key, value]) => ({
    key,
    value:
      typeof value === 'string'
        ? { stringValue: value }
        : Number.isInteger(value)
          ? { intValue: String(value) }
          : { doubleValue: value },
  }));
}

/** 64-bit integers are strings in OTLP's JSON. Milliseconds are exact in a double, nanoseconds are not. */
const nanos = (ms: number): string => `${Math.round(ms)}000000`;
