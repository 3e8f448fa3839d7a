import { ProtobufLogsSerializer, ProtobufMetricsSerializer } from '@opentelemetry/otlp-transformer';
import { type Resource, resourceFromAttributes } from '@opentelemetry/resources';
import type { ReadableLogRecord } from '@opentelemetry/sdk-logs';
import {
  AggregationTemporality,
  DataPointType,
  type MetricData,
  type ResourceMetrics,
} from '@opentelemetry/sdk-metrics';
import type { WatchEvent, WatchedTarget } from '../model/watch-event.js';
import { sayWatchEvent } from '../report/say-watch-event.js';
import { type Answer, hostOf, post } from './http.js';
import { otelName } from './metric-names.js';
import { isAlert, Refused, type Sink } from './sink.js';

export interface OtlpOptions {
  /** Base address, as OTEL_EXPORTER_OTLP_ENDPOINT: `/v1/metrics` or `/v1/logs` is added. */
  readonly endpoint: string;
  /** One way out each: a receiver may know only one of them, and one that is away must not make the other come twice. */
  readonly signal: 'metrics' | 'logs';
  readonly headers?: { readonly [name: string]: string };
}

type TargetEvent = Extract<WatchEvent, { readonly target: WatchedTarget }>;
type Reading = Extract<TargetEvent, { readonly type: 'metrics.read' }>;
type Scope = ReadableLogRecord['instrumentationScope'];

const SEVERITY = { critical: ['ERROR', 17], warning: ['WARN', 13], info: ['INFO', 9] } as const;

/** Readings as OTLP metrics, or news as OTLP log records: what OpenTelemetry's SDK makes of them, protobuf over HTTP. */
export function otlpSink({ endpoint, signal: what, headers = {} }: OtlpOptions, version: string): Sink {
  const base = endpoint.endsWith('/') ? endpoint : `${endpoint}/`;
  const url = new URL(`v1/${what}`, base).href;
  const scope: Scope = { name: 'node-lens', version };
  return {
    name: `otlp ${what} ${hostOf(endpoint)}`,
    batch: 200,
    wants: event => 'target' in event && (event.type === 'metrics.read') === (what === 'metrics'),
    async deliver(events, signal) {
      const body =
        what === 'metrics' ? metricsOf(events.filter(isReading), scope) : logsOf(events.filter(isNews), scope);
      const answer = await post({ url, body, headers: { ...headers, 'content-type': PROTOBUF }, signal });
      const problem = problemOf(answer, what);
      if (problem !== undefined) throw new Refused(`took only a part: ${problem}`);
    },
  };
}

const PROTOBUF = 'application/x-protobuf';

const isReading = (event: WatchEvent): event is Reading => event.type === 'metrics.read';
const isNews = (event: WatchEvent): event is TargetEvent => 'target' in event && !isReading(event);

/** A message of each target, one after the other: to protobuf that is one message with the resources of all. */
function metricsOf(events: readonly Reading[], scope: Scope): Uint8Array<ArrayBuffer> {
  const requests = byTarget(events).map(group => ProtobufMetricsSerializer.serializeRequest(ofTarget(group, scope)));
  return Buffer.concat(requests.filter(request => request !== undefined));
}

function byTarget(events: readonly Reading[]): Reading[][] {
  const groups = new Map<string, Reading[]>();
  for (const event of events) {
    const key = instanceOf(event.target);
    groups.set(key, [...(groups.get(key) ?? []), event]);
  }
  return [...groups.values()];
}

function ofTarget(events: readonly Reading[], scope: Scope): ResourceMetrics {
  const metrics = [...new Set(events.flatMap(event => Object.keys(event.values)))];
  return {
    resource: resourceOf((events[0] as Reading).target), // a group has at least one
    scopeMetrics: [{ scope, metrics: metrics.map(metric => metricOf(metric, events)) }],
  };
}

function metricOf(metric: string, events: readonly Reading[]): MetricData {
  const { name, unit, factor, kind } = otelName(metric);
  const dataPoints = events.flatMap(({ at, values }) => {
    const value = values[metric];
    const time = { startTime: UNKNOWN, endTime: momentOf(at) };
    return value === undefined ? [] : [{ ...time, attributes: {}, value: value * factor }];
  });
  const data = {
    descriptor: { name, unit, description: '', valueType: DOUBLE },
    aggregationTemporality: AggregationTemporality.CUMULATIVE,
    dataPoints,
  };
  return kind === 'gauge'
    ? { ...data, dataPointType: DataPointType.GAUGE }
    : { ...data, dataPointType: DataPointType.SUM, isMonotonic: kind === 'counter' };
}

/** The SDK's enum of value types lives in its API, which is not needed for anything else. */
const DOUBLE = 1 as MetricData['descriptor']['valueType'];
/** lens was not there when the sums began. */
const UNKNOWN: Moment = [0, 0];

function logsOf(events: readonly TargetEvent[], scope: Scope): Uint8Array<ArrayBuffer> {
  // The SDK knows records of one resource by its object.
  const resources = new Map(events.map(({ target }) => [instanceOf(target), resourceOf(target)]));
  const records = events.flatMap(event => {
    const resource = resources.get(instanceOf(event.target));
    return resource ? [recordOf(event, resource, scope)] : [];
  });
  return Buffer.from(ProtobufLogsSerializer.serializeRequest(records) ?? []);
}

function recordOf(event: TargetEvent, resource: Resource, scope: Scope): ReadableLogRecord {
  const [severityText, severityNumber] = SEVERITY[severityOf(event)];
  const alert = isAlert(event) ? event.alert : undefined;
  return {
    hrTime: momentOf(event.at),
    hrTimeObserved: momentOf(event.at),
    severityText,
    severityNumber,
    eventName: `lens.${event.type}`,
    body: sayWatchEvent(event) ?? event.type,
    resource,
    instrumentationScope: scope,
    droppedAttributesCount: 0,
    attributes: {
      'lens.watch': event.watch,
      'lens.seq': event.seq,
      ...(alert && {
        'lens.alert.rule': alert.rule,
        'lens.alert.metric': alert.metric,
        'lens.alert.value': alert.value,
      }),
      ...('culprit' in event &&
        event.culprit && { 'code.file.path': event.culprit.file, 'code.line.number': event.culprit.line }),
    },
  };
}

function severityOf(event: TargetEvent): keyof typeof SEVERITY {
  if (event.type === 'alert.fired' || event.type === 'alert.escalated') return event.alert.level;
  return event.type === 'target.lost' ? 'warning' : 'info';
}

const instanceOf = ({ fingerprint, pid }: WatchedTarget): string => `${fingerprint}-${pid}`;

const resourceOf = (target: WatchedTarget): Resource =>
  resourceFromAttributes({
    'service.name': target.name,
    'service.instance.id': instanceOf(target),
    'process.pid': target.pid,
    'process.runtime.name': 'nodejs',
  });

type Moment = ReadableLogRecord['hrTime'];
const momentOf = (ms: number): Moment => [Math.floor(ms / 1000), Math.round(ms % 1000) * 1_000_000];

/** A receiver may accept a request and not all that is in it. Undefined when it took all, or speaks of it in no protobuf. */
function problemOf({ body, type }: Answer, what: OtlpOptions['signal']): string | undefined {
  if (type !== PROTOBUF) return undefined;
  const { rejected, message } = what === 'metrics' ? rejectedPoints(body) : rejectedRecords(body);
  return rejected > 0 ? `${rejected} rejected ${message}`.trim() : undefined;
}

function rejectedPoints(body: Uint8Array) {
  const { partialSuccess } = ProtobufMetricsSerializer.deserializeResponse(body);
  return { rejected: partialSuccess?.rejectedDataPoints ?? 0, message: partialSuccess?.errorMessage ?? '' };
}

function rejectedRecords(body: Uint8Array) {
  const { partialSuccess } = ProtobufLogsSerializer.deserializeResponse(body);
  return { rejected: partialSuccess?.rejectedLogRecords ?? 0, message: partialSuccess?.errorMessage ?? '' };
}
