import type { InstallPart, Part } from '../host.js';
import { isNumber } from '../text.js';
import { type GcWindow, watchGc } from './gc.js';
import type { DelayWindow, RawDelay, RawVitals, RawWindow } from './raw.js';

type PerfHooks = typeof import('node:perf_hooks');
type V8 = typeof import('node:v8');

/** The histogram's timer; what it measures includes this wait. 10 ms is what INSPECTOR measured as free. */
const RESOLUTION_MS = 10;
/** A program with a million timers makes getActiveResourcesInfo build a million strings: then it is read more rarely. */
const RESOURCES_BUDGET_MS = 2;
/** More askers than this at once is a mistake in lens; the oldest window goes. */
const MAX_WINDOWS = 12;
const NS_PER_MS = 1e6;

/** Methods of the part `vitals`. Counters are absolute, so that askers can't disturb each other; windows are per asker. */
export interface VitalsPart extends Part {
  /** Counters of this moment, without a window. */
  read(): RawVitals;
  /** Begins a window of loop delay and collections for `asker`, and reads the counters. */
  open(asker: string): RawVitals;
  /** Ends the asker's window. Throws when it was never opened. */
  close(asker: string): RawWindow;
}

interface Window {
  readonly delay: DelayWindow;
  readonly gc: GcWindow;
}

const install: InstallPart = (host): VitalsPart => {
  // The host hands out the target's own node: modules; their shape is Node's.
  const { performance, monitorEventLoopDelay, PerformanceObserver } = host.require('node:perf_hooks') as PerfHooks;
  const v8 = host.require('node:v8') as V8;
  const proc = host.require('node:process') as NodeJS.Process;
  const gc = watchGc(PerformanceObserver, () => v8.getHeapStatistics().used_heap_size, host);
  const windows = new Map<string, Window>();
  const resources = countResources(proc, host.now);

  const read = (): RawVitals => {
    const memory = proc.memoryUsage();
    const heap = v8.getHeapStatistics();
    const usage = proc.resourceUsage();
    const elu = performance.eventLoopUtilization();
    return {
      now: performance.now(),
      timeOrigin: performance.timeOrigin,
      uptimeSeconds: proc.uptime(),
      rss: memory.rss,
      heapUsed: memory.heapUsed,
      heapTotal: memory.heapTotal,
      heapLimit: heap.heap_size_limit,
      external: memory.external,
      arrayBuffers: memory.arrayBuffers,
      malloced: heap.malloced_memory,
      nativeContexts: heap.number_of_native_contexts,
      detachedContexts: heap.number_of_detached_contexts,
      spaces: v8.getHeapSpaceStatistics().map(s => [s.space_name, s.space_used_size, s.space_size] as const),
      eluActive: elu.active,
      eluIdle: elu.idle,
      cpuMicros: usage.userCPUTime + usage.systemCPUTime,
      involuntary: usage.involuntaryContextSwitches,
      loopCount: loopCount(performance),
      resources: resources(),
    };
  };

  const drop = (asker: string): Window | undefined => {
    const window = windows.get(asker);
    if (window === undefined) return undefined;
    windows.delete(asker);
    window.delay.disable();
    gc.close(window.gc);
    return window;
  };

  return {
    read,
    open(asker) {
      drop(asker);
      const oldest = windows.keys().next();
      if (windows.size >= MAX_WINDOWS && !oldest.done) drop(oldest.value);
      const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
      const raw = read();
      delay.enable();
      windows.set(asker, { delay, gc: gc.open() });
      return raw;
    },
    close(asker) {
      gc.flush();
      const window = drop(asker);
      if (window === undefined) throw new Error(`no window of ${asker}`);
      const limit = memoryLimit(proc);
      const oldLimit = oldSpaceFlag(proc);
      return {
        vitals: read(),
        delay: readDelay(window.delay),
        gc: window.gc,
        ...(limit === undefined ? {} : { limit }),
        ...(oldLimit === undefined ? {} : { oldLimit }),
      };
    },
    dispose() {
      for (const asker of [...windows.keys()]) drop(asker);
      gc.dispose();
    },
  };
};

function readDelay(delay: DelayWindow): RawDelay {
  // Before its first tick the histogram answers with the largest number and NaN.
  if (delay.count === 0) return { min: 0, mean: 0, p50: 0, p90: 0, p99: 0, max: 0, count: 0 };
  const late = (ns: number) => Math.max(0, ns / NS_PER_MS - RESOLUTION_MS);
  return {
    min: late(delay.min),
    mean: late(delay.mean),
    p50: late(delay.percentile(50)),
    p90: late(delay.percentile(90)),
    p99: late(delay.percentile(99)),
    max: late(delay.max),
    count: delay.count,
  };
}

/** Iterations of the loop so far; absent before Node 20.20 and 22. */
function loopCount(performance: PerfHooks['performance']): number | undefined {
  // @types/node 20 doesn't know uvMetricsInfo yet.
  const timing = performance.nodeTiming as unknown as { uvMetricsInfo?: { loopCount: number } };
  return timing.uvMetricsInfo?.loopCount;
}

/** The control group's limit; libuv answers 0 or an absurd number where there is none. */
function memoryLimit(proc: NodeJS.Process): number | undefined {
  // Node 18.15 and later; absent in older ones.
  const constrained = (proc as { constrainedMemory?: () => number | undefined }).constrainedMemory?.();
  return constrained !== undefined && constrained > 0 && constrained < 2 ** 50 ? constrained : undefined;
}

/** --max-old-space-size in bytes: the last one given wins, the command line over NODE_OPTIONS. */
function oldSpaceFlag(proc: NodeJS.Process): number | undefined {
  const given = `${proc.env.NODE_OPTIONS ?? ''} ${proc.execArgv.join(' ')}`;
  const words = given.split('_').join('-').split('=').join(' ').split(' ');
  const megabytes = words[words.lastIndexOf('--max-old-space-size') + 1] ?? '';
  return words.includes('--max-old-space-size') && isNumber(megabytes) ? Number(megabytes) * 2 ** 20 : undefined;
}

function countResources(proc: NodeJS.Process, now: () => number): () => { [type: string]: number } {
  let counts: { [type: string]: number } = {};
  let skip = 0;
  return () => {
    if (skip > 0) {
      skip -= 1;
      return counts;
    }
    const began = now();
    counts = {};
    for (const type of proc.getActiveResourcesInfo()) counts[type] = (counts[type] ?? 0) + 1;
    skip = Math.floor((now() - began) / RESOURCES_BUDGET_MS);
    return counts;
  };
}

export default install;
