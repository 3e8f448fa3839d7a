/** A metric's name elsewhere, and what its value is multiplied by to be in that place's unit. */
interface Foreign {
  readonly name: string;
  readonly factor: number;
}

interface OtelName extends Foreign {
  readonly unit: string;
}

interface Names {
  readonly prometheus: Foreign;
  readonly otel: OtelName;
}

const MS = 0.001;
const PERCENT = 0.01;

const names = (
  prometheus: string,
  otel: string,
  unit: string,
  prometheusFactor = 1,
  otelFactor = prometheusFactor,
): Names => ({
  prometheus: { name: prometheus, factor: prometheusFactor },
  otel: { name: otel, unit, factor: otelFactor },
});

/** Prometheus: as prom-client calls them. OpenTelemetry: semantic conventions 1.45 for Node and processes. */
const KNOWN: { readonly [metric: string]: Names } = {
  'memory.rssBytes': names('process_resident_memory_bytes', 'process.memory.usage', 'By'),
  'memory.externalBytes': names('nodejs_external_memory_bytes', 'lens.memory.external', 'By'),
  'heap.usedBytes': names('nodejs_heap_size_used_bytes', 'v8js.memory.heap.used', 'By'),
  'loop.delayMeanMs': names('nodejs_eventloop_lag_mean_seconds', 'nodejs.eventloop.delay.mean', 's', MS),
  'loop.delayP99Ms': names('nodejs_eventloop_lag_p99_seconds', 'nodejs.eventloop.delay.p99', 's', MS),
  'loop.delayMaxMs': names('nodejs_eventloop_lag_max_seconds', 'nodejs.eventloop.delay.max', 's', MS),
  'loop.utilization': names('nodejs_eventloop_utilization', 'nodejs.eventloop.utilization', '1'),
  'cpu.percent': names('lens_cpu_percent', 'process.cpu.utilization', '1', 1, PERCENT),
  'handles.active': names('nodejs_active_handles_total', 'v8js.resource.active', '{resource}'),
  'requests.active': names('nodejs_active_requests_total', 'lens.requests.active', '{request}'),
  'fds.open': names('process_open_fds', 'process.unix.file_descriptor.count', '{file_descriptor}'),
  'threads.count': names('lens_threads', 'process.thread.count', '{thread}'),
};

export const prometheusName = (metric: string): Foreign =>
  KNOWN[metric]?.prometheus ?? { name: `lens_${snake(metric)}`, factor: 1 };

export const otelName = (metric: string): OtelName =>
  KNOWN[metric]?.otel ?? {
    name: `lens.${snake(metric).replace(/^([a-z]+)_/, '$1.')}`,
    factor: 1,
    unit: unitOf(metric),
  };

/** `gc.longestMs` → `gc_longest_ms`. */
function snake(metric: string): string {
  return metric.replace(/\./g, '_').replace(/([a-z])([A-Z])/g, (_, a: string, b: string) => `${a}_${b.toLowerCase()}`);
}

function unitOf(metric: string): string {
  if (metric.endsWith('Bytes')) return 'By';
  return metric.endsWith('Ms') ? 'ms' : '1';
}
