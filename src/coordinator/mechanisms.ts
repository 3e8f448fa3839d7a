import type { FaultClass } from '../model/fault.js';

/** A cause, what it brings about by itself, and how: read "X explains Y, because …". */
interface Mechanism {
  readonly cause: (faultClass: FaultClass) => boolean;
  readonly effects: readonly FaultClass[];
  /** Effects that have no life of their own beside this cause, however well their place is proven. */
  readonly inevitable?: readonly FaultClass[];
  readonly because: string;
}

const starts = (prefix: string) => (faultClass: FaultClass) => faultClass.startsWith(prefix);
const one =
  (...classes: FaultClass[]) =>
  (faultClass: FaultClass) =>
    classes.includes(faultClass);

const WAITS: readonly FaultClass[] = [
  'downstream.slow',
  'downstream.retries',
  'pool.exhaustion',
  'waiting.lock',
  'waiting.unsettled',
  'queue.backlog',
];

/** Small on purpose: a pair stands here only where V8's or libuv's working makes one follow from the other. */
const MECHANISMS: readonly Mechanism[] = [
  {
    cause: starts('memory.leak.'),
    effects: ['gc.pressure', 'memory.near-limit', 'memory.native', 'cpu.hot', 'memory.external', 'code.growth'],
    because: 'what a leak keeps alive every collection has to mark again, and it fills the heap up to its limit',
  },
  {
    cause: one('code.growth', 'memory.external'),
    effects: ['gc.pressure', 'memory.near-limit', 'memory.native'],
    because: 'what is kept fills the memory up to its limit',
  },
  { cause: one('code.growth'), effects: ['cpu.hot'], because: 'what is compiled anew each time is work each time' },
  {
    cause: one(
      'loop.block.sync-api',
      'loop.block.regexp',
      'loop.block.serialization',
      'loop.block.compute',
      'loop.starvation',
      'loop.hung',
      'cpu.busy-loop',
    ),
    effects: [
      ...WAITS,
      'cpu.hot',
      'gc.pressure',
      'threadpool.saturation',
      'downstream.chatty',
      'backpressure',
      'handles.leak.socket',
      'memory.leak.promise',
    ],
    inevitable: [
      'cpu.hot',
      'gc.pressure',
      'downstream.slow',
      'downstream.chatty',
      'waiting.unsettled',
      'queue.backlog',
      'memory.leak.promise',
      'handles.leak.socket',
    ],
    because: 'while the event loop stands still nothing else is answered, and work piles up',
  },
  {
    cause: one('loop.hung', 'loop.starvation'),
    effects: ['waiting.lock', 'pool.exhaustion'],
    inevitable: ['waiting.lock', 'pool.exhaustion'],
    because: 'a thread that does not come back answers nobody who waits for it',
  },
  {
    cause: one('downstream.retries'),
    effects: ['exceptions.storm', 'cpu.exceptions', 'logs.errors'],
    because: 'every call that fails throws, and is made again',
  },
  {
    cause: one('threadpool.saturation'),
    effects: [...WAITS, 'handles.leak.fd'],
    because: "file and name lookups wait behind the jobs that fill libuv's threads",
  },
  {
    cause: one(
      'waiting.lock',
      'waiting.unsettled',
      'pool.exhaustion',
      'downstream.slow',
      'downstream.retries',
      'queue.backlog',
    ),
    effects: [
      'memory.leak.promise',
      'memory.leak.closure',
      'memory.leak.collection',
      'memory.leak.listener',
      'memory.leak.timer',
      'handles.leak.socket',
      'handles.leak.timer',
      'queue.backlog',
      'backpressure',
    ],
    inevitable: ['memory.leak.promise', 'handles.leak.socket', 'queue.backlog'],
    because: 'requests that wait keep their sockets, timers, closures and queue entries alive',
  },
  {
    cause: one('pool.exhaustion', 'waiting.lock'),
    effects: ['waiting.unsettled', 'downstream.slow'],
    because: 'those who wait for it never get their turn',
  },
  {
    cause: one('downstream.slow'),
    effects: ['pool.exhaustion', 'waiting.unsettled'],
    because: 'connections that wait for the other side are not given back',
  },
  {
    cause: one('exceptions.storm', 'exceptions.swallowed', 'rejections.unhandled'),
    effects: ['logs.errors', 'logs.flood', 'cpu.exceptions', 'cpu.logging'],
    inevitable: ['logs.errors', 'cpu.exceptions'],
    because: 'every error is captured, formatted and written',
  },
  {
    cause: one('exceptions.swallowed'),
    effects: ['loop.starvation', 'cpu.busy-loop'],
    because: 'what fails is taken up again at once',
  },
  {
    cause: one('cpu.exceptions'),
    effects: ['exceptions.storm', 'cpu.hot', 'loop.block.serialization', 'loop.block.compute'],
    because: 'throwing with its stack and text takes the time',
  },
  {
    cause: one('logs.flood', 'cpu.logging'),
    effects: ['cpu.logging', 'logs.flood', 'cpu.hot', 'backpressure', 'logs.errors'],
    inevitable: ['cpu.logging', 'logs.flood', 'logs.errors'],
    because: 'formatting and writing the lines takes the time',
  },
  {
    cause: one('handles.leak.worker', 'handles.leak.child'),
    effects: [
      'memory.leak.listener',
      'memory.leak.closure',
      'memory.leak.collection',
      'memory.native',
      'handles.leak.fd',
      'handles.leak.socket',
      'handles.leak.port',
    ],
    inevitable: ['memory.leak.listener', 'memory.native', 'handles.leak.fd', 'handles.leak.port'],
    because: 'every worker and child is piped to the parent: listeners, descriptors and memory of its own',
  },
  {
    cause: starts('handles.leak.'),
    effects: [
      'memory.leak.timer',
      'memory.leak.closure',
      'memory.leak.collection',
      'memory.leak.listener',
      'memory.native',
      'memory.external',
      'handles.leak.fd',
      'gc.pressure',
      'cpu.hot',
    ],
    inevitable: ['memory.leak.timer', 'memory.native', 'gc.pressure'],
    because: 'every open handle keeps its callbacks, buffers and descriptors',
  },
  {
    cause: one('backpressure'),
    effects: [
      'memory.external',
      'memory.native',
      'memory.leak.collection',
      'memory.leak.closure',
      'gc.pressure',
      'memory.near-limit',
    ],
    because: 'what the reader does not take is buffered in memory',
  },
  {
    cause: one('host.cpu-throttled'),
    effects: ['loop.block.compute', 'cpu.hot', 'downstream.slow'],
    because: 'the process is not given a core',
  },
  {
    cause: one('memory.near-limit'),
    effects: ['gc.pressure', 'cpu.hot'],
    because: 'a full heap is collected again and again',
  },
  { cause: one('gc.pressure'), effects: ['cpu.hot'], because: 'the collector takes the cpu time' },
  { cause: one('cpu.hot'), effects: ['gc.pressure'], because: 'work that is done again allocates again' },
  {
    cause: one('restarts.storm'),
    effects: ['handles.leak.child', 'logs.errors'],
    because: 'children that die are started again',
  },
  {
    cause: faultClass => faultClass !== 'baseline.departure',
    effects: ['baseline.departure'],
    inevitable: ['baseline.departure'],
    because: 'a fault moves the metrics',
  },
];

/** True when the effect cannot be a second fault: waiters of a lock are promises that pile up, whoever holds them. */
export function isInevitable(cause: FaultClass, effect: FaultClass): boolean {
  return MECHANISMS.some(m => m.cause(cause) && m.inevitable?.includes(effect));
}

/** Why `cause` brings about `effect`, or undefined when lens knows no such mechanism. */
export function mechanismBetween(cause: FaultClass, effect: FaultClass): string | undefined {
  if (cause === effect) return undefined;
  return MECHANISMS.find(m => m.cause(cause) && m.effects.includes(effect))?.because;
}
