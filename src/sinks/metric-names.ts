/** A metric's name elsewhere, and what its value is multiplied by to be in that place's unit. */
interface Foreign {
  readonly name: string;
  readonly factor: number;
}

interface OtelName extends Foreign {
  readonly unit: string;
  /** upDown: amounts of many processes may be added up. counter: they also only rise. */
  readonly kind: 'gauge' | 'upDown' | 'counter';
}

interface Names {
  readonly prometheus: Foreign;
  readonly otel: OtelName;
}

const SECONDS = 0.001;

const names = (
  prometheus: string,
  otel: string,
  unit: string,
  kind: OtelName['kind'] = 'gauge',
  factor = unit === 's' ? SECONDS : 1,
): Names => ({ prometheus: { name: prometheus, factor }, otel: { name: otel, unit, kind, factor } });

/**
 * Prometheus: as prom-client calls them. OpenTelemetry: the semantic conventions for Node, V8 and processes, where lens'
 * number means the same (process.cpu.utilization is by all cores, lens' is by one).
 */
const KNOWN: { readonly [metric: string]: Names } = {
  'memory.rssBytes': names('process_resident_memory_bytes', 'process.memory.usage', 'By', 'upDown'),
  'memory.externalBytes': names('nodejs_external_memory_bytes', 'lens.memory.external', 'By'),
  'heap.usedBytes': names('nodejs_heap_size_used_bytes', 'v8js.memory.heap.used', 'By', 'upDown'),
  'heap.totalBytes': names('nodejs_heap_size_total_bytes', 'lens.heap.total', 'By'),
  'heap.limitBytes': names('lens_heap_limit_bytes', 'v8js.memory.heap.limit', 'By', 'upDown'),
  'loop.delayMinMs': names('nodejs_eventloop_lag_min_seconds', 'nodejs.eventloop.delay.min', 's'),
  'loop.delayMeanMs': names('nodejs_eventloop_lag_mean_seconds', 'nodejs.eventloop.delay.mean', 's'),
  'loop.delayP50Ms': names('nodejs_eventloop_lag_p50_seconds', 'nodejs.eventloop.delay.p50', 's'),
  'loop.delayP90Ms': names('nodejs_eventloop_lag_p90_seconds', 'nodejs.eventloop.delay.p90', 's'),
  'loop.delayP99Ms': names('nodejs_eventloop_lag_p99_seconds', 'nodejs.eventloop.delay.p99', 's'),
  'loop.delayMaxMs': names('nodejs_eventloop_lag_max_seconds', 'nodejs.eventloop.delay.max', 's'),
  'loop.utilization': names('nodejs_eventloop_utilization', 'nodejs.eventloop.utilization', '1'),
  'cpu.timeMs': names('process_cpu_seconds_total', 'process.cpu.time', 's', 'counter'),
  'process.uptimeMs': names('lens_process_uptime_seconds', 'process.uptime', 's'),
  'handles.active': names('nodejs_active_handles_total', 'v8js.resource.active', '{resource}', 'upDown'),
  'requests.active': names('nodejs_active_requests_total', 'lens.requests.active', '{request}'),
  'fds.open': names('process_open_fds', 'process.unix.file_descriptor.count', '{file_descriptor}', 'upDown'),
  'fds.limit': names('process_max_fds', 'lens.fds.limit', '{file_descriptor}'),
  'threads.count': names('lens_threads', 'process.thread.count', '{thread}', 'upDown'),
};

export const prometheusName = (metric: string): Foreign =>
  KNOWN[metric]?.prometheus ?? { name: `lens_${snake(metric)}`, factor: 1 };

export const otelName = (metric: string): OtelName =>
  KNOWN[metric]?.otel ?? {
    name: `lens.${snake(metric).replace(/^([a-z]+)_/, '$1.')}`,
    factor: 1,
    unit: unitOf(metric),
    kind: 'gauge',
  };

/** `gc.longestMs` → `gc_longest_ms`. */
function snake(metric: string): string {
  return metric.replace(/\./g, '_').replace(/([a-z])([A-Z])/g, (_, a: string, b: string) => `${a}_${b.toLowerCase()}`);
}

function unitOf(metric: string): string {
  if (metric.endsWith('Bytes')) return 'By';
  return metric.endsWith('Ms') ? 'ms' : '1';
}
