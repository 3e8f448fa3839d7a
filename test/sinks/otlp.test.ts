import * as conventions from '@opentelemetry/semantic-conventions/incubating';
import published from 'otlp-protos/build/src/generated/root.js';
import { collectDefaultMetrics, Registry } from 'prom-client';
import { expect, test } from 'vitest';
import { METRICS } from '../../src/model/vital-metrics.js';
import type { WatchEvent } from '../../src/model/watch-event.js';
import { memoryJournal } from '../../src/sinks/journal.js';
import { otelName, prometheusName } from '../../src/sinks/metric-names.js';
import { otlpSink } from '../../src/sinks/otlp.js';
import { SinkQueue } from '../../src/sinks/queue.js';
import { event, fired, reading, target } from './events.js';
import { type Receiver, receiver } from './receiver.js';

// What protobufjs made of the protos that OpenTelemetry publishes: another reader than the writer that lens uses.
const { collector } = (published as unknown as Published).opentelemetry.proto; // its types leave out what it holds
const never = new AbortController().signal;

/** What protobufjs gives for a message. */
interface Type {
  decode(bytes: Uint8Array): object;
  encode(message: object): { finish(): Uint8Array };
  create(fields: object): object;
  verify(message: object): string | null;
  toObject(message: object, options: object): Message;
}

interface Published {
  readonly opentelemetry: {
    readonly proto: {
      readonly collector: {
        readonly metrics: { readonly v1: Record<'ExportMetricsServiceRequest' | 'ExportMetricsServiceResponse', Type> };
        readonly logs: { readonly v1: Record<'ExportLogsServiceRequest', Type> };
      };
    };
  };
}

type Message = { readonly [field: string]: unknown };

async function sent(signal: 'metrics' | 'logs', events: readonly WatchEvent[]): Promise<Message> {
  await using hook = await receiver();
  await otlpSink({ endpoint: hook.url.replace('/hook', ''), signal, headers: { 'x-key': 'k' } }, '1.0').deliver(
    events,
    never,
  );
  const [request] = hook.requests;
  expect(request?.path).toBe(`/v1/${signal}`);
  expect(request?.headers).toMatchObject({ 'content-type': 'application/x-protobuf', 'x-key': 'k' });
  const type =
    signal === 'metrics'
      ? collector.metrics.v1.ExportMetricsServiceRequest
      : collector.logs.v1.ExportLogsServiceRequest;
  const message = type.decode(request?.bytes ?? Buffer.alloc(0));
  expect(type.verify(message)).toBeNull();
  return type.toObject(message, { longs: String, enums: String });
}

const resource = (pid: number, name: string) => ({
  attributes: expect.arrayContaining([
    { key: 'service.name', value: { stringValue: name } },
    { key: 'process.pid', value: { intValue: String(pid) } },
  ]),
});

test("OpenTelemetry's own protos read each program's numbers with their names, units, kinds and times", async () => {
  const other = { name: 'depot', fingerprint: 'def', pid: 43 };
  const { resourceMetrics } = await sent('metrics', [
    reading(1, { 'loop.delayP99Ms': 310, 'memory.rssBytes': 5e7, 'cpu.timeMs': 1500 }),
    event(2, { type: 'metrics.read', target: other, values: { 'memory.rssBytes': 6e7 } }),
    reading(3, { 'loop.delayP99Ms': 320 }),
  ]);
  const point = (at: string, value: number) => ({ timeUnixNano: at, asDouble: value });
  const sum = (value: number, at = '1700000000001000000') => ({
    aggregationTemporality: 'AGGREGATION_TEMPORALITY_CUMULATIVE',
    dataPoints: [expect.objectContaining(point(at, value))],
  });
  expect(resourceMetrics).toMatchObject([
    {
      resource: resource(42, 'shop'),
      scopeMetrics: [
        {
          scope: { name: 'node-lens', version: '1.0' },
          metrics: [
            {
              ...{ name: 'nodejs.eventloop.delay.p99', unit: 's' },
              gauge: { dataPoints: [point('1700000000001000000', 0.31), point('1700000000003000000', 0.32)] },
            },
            { name: 'process.memory.usage', unit: 'By', sum: sum(5e7) },
            { name: 'process.cpu.time', unit: 's', sum: { ...sum(1.5), isMonotonic: true } },
          ],
        },
      ],
    },
    { resource: resource(43, 'depot'), scopeMetrics: [{ metrics: [{ sum: sum(6e7, '1700000000002000000') }] }] },
  ]);
});

test("OpenTelemetry's own protos read news as log records of their program", async () => {
  const culprit = { file: 'src/cart.js', line: 7 };
  const { resourceLogs } = await sent('logs', [
    fired(1),
    event(2, {
      ...{ type: 'investigation.finished', target, reason: 'r', verdict: 'critical', summary: 's', path: '/p' },
      culprit,
    }),
  ]);
  const attribute = (key: string, value: Message) => ({ key, value });
  expect(resourceLogs).toMatchObject([
    {
      resource: resource(42, 'shop'),
      scopeLogs: [
        {
          logRecords: [
            {
              ...{ timeUnixNano: '1700000000001000000', severityText: 'WARN', severityNumber: 'SEVERITY_NUMBER_WARN' },
              ...{ eventName: 'lens.alert.fired', body: { stringValue: expect.stringContaining('310 ms') } },
              attributes: expect.arrayContaining([attribute('lens.alert.value', { intValue: '310' })]),
            },
            {
              attributes: expect.arrayContaining([
                attribute('code.file.path', { stringValue: 'src/cart.js' }),
                attribute('code.line.number', { intValue: '7' }),
              ]),
            },
          ],
        },
      ],
    },
  ]);
});

test('what a receiver takes only in part is told and counted; an answer in another tongue is no failure', async () => {
  await using hook = await receiver();
  const failures: string[] = [];
  const env = {
    sleep: async () => {},
    random: () => 0,
    onFailure: (_: string, message: string) => failures.push(message),
  };
  const sink = otlpSink({ endpoint: `http://127.0.0.1:${hook.port}/`, signal: 'metrics' }, '1.0');
  const queue = new SinkQueue(sink, memoryJournal(10), env);
  await push(queue, hook);
  expect(failures).toEqual([]);
  const { ExportMetricsServiceResponse } = collector.metrics.v1;
  const partialSuccess = { rejectedDataPoints: 1, errorMessage: 'too old' };
  const body = ExportMetricsServiceResponse.encode(ExportMetricsServiceResponse.create({ partialSuccess })).finish();
  hook.answer = { type: 'application/x-protobuf', body };
  await push(queue, hook);
  expect(failures).toEqual(['took only a part: 1 rejected too old']);
  expect(queue.dropped).toBe(1);
  await queue.close(0);
});

async function push(queue: SinkQueue, hook: Receiver): Promise<void> {
  const before = hook.requests.length;
  queue.push(reading(before, { 'cpu.percent': 1 }));
  await hook.until(before + 1);
  while (queue.waiting > 0) await new Promise(setImmediate);
}

test('names that are not lens’ own are those of the semantic conventions, and of prom-client', async () => {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const known = new Set(registry.getMetricsAsArray().map(({ name }) => name));
  const conventional = new Set<unknown>(Object.values(conventions));
  for (const { name } of METRICS) {
    const [otel, prometheus] = [otelName(name).name, prometheusName(name).name];
    expect(otel.startsWith('lens.') || conventional.has(otel), otel).toBe(true);
    // prom-client leaves utilization out, and nobody calls it otherwise.
    expect(/^(lens_|nodejs_eventloop_utilization$)/.test(prometheus) || known.has(prometheus), prometheus).toBe(true);
  }
});
