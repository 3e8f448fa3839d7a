// What lens does to a target, at rates no run ever reaches: every agent opened and closed over and over, every
// collector one after the other, sessions that come and go.
import { setTimeout as sleep } from 'node:timers/promises';
import type { CollectContext } from '../../src/collectors/collector.js';
import { collectors } from '../../src/collectors/index.js';
import type { Session } from '../../src/inspector/session.js';
import type { EvidenceKind } from '../../src/model/evidence/index.js';
import type { V8CpuProfile } from '../../src/model/evidence/v8-cpu-profile.js';
import type { Json } from '../../src/model/json.js';

const BUDGET = { perSecond: 2500, perRequest: 1500, all: 12_000, outside: 2500, stackLimit: 24 };
const CREATORS = ['timer', 'socket', 'child', 'watcher', 'file', 'worker', 'other'];

export const context: CollectContext = {
  signal: new AbortController().signal,
  now: () => performance.now(),
  sleep: ms => sleep(ms).then(() => undefined),
  exclusively: work => work(),
  mayPause: () => true,
};

const some = (ms: number): Promise<void> => sleep(Math.random() * ms).then(() => undefined);

type Step = (session: Session) => Promise<unknown>;

const call = (session: Session, name: string, method: string, ...args: Json[]) =>
  session.agent.call<unknown>(name, method, args);

/** An agent's recording, opened and closed a few milliseconds later. */
const window =
  (name: string, open: string, close: string, ...args: Json[]): Step =>
  async session => {
    await session.agent.install(name);
    await call(session, name, open, ...args);
    await some(12);
    await call(session, name, close, ...(name === 'handles' ? [] : args));
  };

let askers = 0;

const flurries: Readonly<Record<string, Step>> = {
  hooks: async session => {
    await session.agent.install('waiting');
    const number = (await call(session, 'waiting', 'open', { budget: BUDGET, maxMs: 2000 })) as number;
    await some(25);
    await call(session, 'waiting', 'close', number);
    await call(session, 'waiting', 'select', number, 0);
    await call(session, 'waiting', 'page', number, 5);
    await call(session, 'waiting', 'rest', number);
    await call(session, 'waiting', 'forget', number);
  },
  creators: window('handles', 'watch', 'creators', { kinds: CREATORS }),
  handles: async session => {
    await session.agent.install('handles');
    await call(session, 'handles', 'read', 'torture');
  },
  vitals: async session => {
    await session.agent.install('vitals');
    const asker = `torture ${++askers}`;
    await call(session, 'vitals', 'open', asker);
    await some(12);
    await call(session, 'vitals', 'close', asker);
  },
  logs: async session => {
    await session.agent.install('logs');
    const asker = `torture ${++askers}`;
    await call(session, 'logs', 'start', asker);
    await some(20);
    await call(session, 'logs', 'stop', asker);
  },
  exceptions: window('exceptions', 'start', 'stop'),
  offspring: window('offspring', 'start', 'stop'),
  rejections: window('native-rejections', 'start', 'stop'),
  scan: async session => {
    await session.agent.install('waiting');
    await call(session, 'waiting', 'scan');
  },
  turns: session => session.loopTurns(2000),
};

/** Beside each other, as a run's operators are; each agent by one of them. */
const LANES = [
  ['hooks', 'scan'],
  ['creators', 'handles'],
  ['vitals', 'vitals'],
  ['logs', 'turns'],
  ['exceptions', 'offspring', 'rejections'],
];

async function lane(session: Session, names: readonly string[], until: number): Promise<number> {
  let steps = 0;
  for (; performance.now() < until; steps++) await flurries[names[steps % names.length] ?? '']?.(session);
  return steps;
}

interface Busy {
  readonly scriptId: string;
  readonly url: string;
  readonly line: number;
  readonly column: number;
}

const READINGS: readonly (readonly [EvidenceKind, object])[] = [
  ['cpu-profile', { seconds: 0.15, intervalUs: 200 }],
  ['heap-sampling', { seconds: 0.15, intervalBytes: 4096 }],
  ['exceptions', { seconds: 0.6, caught: true }],
  ['cpu-profile', { seconds: 0.1, intervalUs: 1000 }],
  ['hang', { seconds: 0.3 }],
  ['holders', {}],
  ['scripts', {}],
  ['workers', { seconds: 0.2 }],
  ['heap-sampling', { seconds: 0.1, intervalBytes: 1024, all: true }],
  ['threadpool', { seconds: 0.3 }],
  ['collection-growth', { seconds: 1 }],
  ['console', { seconds: 0.3 }],
  ['process', {}],
  ['in-flight', {}],
];

/** What the run before a crash can be read from. */
export interface Storm {
  readonly steps: number;
  readonly readings: number;
  readonly failures: readonly string[];
}

const parametersOf = (functions: readonly Busy[]) => ({ seconds: 0.5, functions, sameArguments: false });

const pointOf = ({ url, line, column }: Busy) => ({
  label: `${url}:${line}`,
  url,
  position: { line, column },
  names: ['n', 'this'],
});

/** Every reading in turn, those that pause too; functions that the last profile saw are counted and traced. */
async function readings(
  session: Session,
  until: number,
  { from, without = [] }: StormOptions,
  note: (what: string, error: unknown) => void,
): Promise<number> {
  let taken = 0;
  let busy: Busy[] = [];
  const read = async (kind: EvidenceKind, params: object) => {
    taken++;
    const reading = await collectors
      .get(kind)
      ?.collect(session, params as never, context)
      .catch(error => note(kind, error));
    // A collector's data is its own kind's.
    if (reading && kind === 'cpu-profile') busy = busyOf((reading.data as { profile: V8CpuProfile }).profile);
  };
  const all = READINGS.filter(([kind, params]) => !without.includes('caught' in params ? 'throws' : kind));
  for (let i = from; performance.now() < until && !session.lost.aborted; i++) {
    const [kind, params] = all[i % all.length] ?? ['vitals', { seconds: 0.1 }];
    await read(kind, params);
    if (busy.length === 0 || i % 4 !== 0 || without.includes('breakpoints')) continue;
    await read('call-counts', parametersOf(busy));
    const common = { expressions: [], stack: true, seconds: 0.3, hits: 20, perSecond: 200 };
    await read('trace', { mode: 'hits', points: busy.slice(0, 2).map(pointOf), ...common });
  }
  return taken;
}

function busyOf({ nodes }: V8CpuProfile): Busy[] {
  return [...nodes]
    .filter(({ callFrame: { url, functionName } }) => functionName !== '' && !/^(node|lens):|^$/.test(url))
    .sort((a, b) => (b.hitCount ?? 0) - (a.hitCount ?? 0))
    .slice(0, 4)
    .map(({ callFrame: f }) => ({ scriptId: f.scriptId, url: f.url, line: f.lineNumber, column: f.columnNumber }));
}

export interface StormOptions {
  readonly ms: number;
  /** Where in the list of readings to begin: short storms take turns. */
  readonly from: number;
  /** Flurries and kinds to leave out; `throws`: stops at exceptions, `breakpoints`: counts and traces. */
  readonly without?: readonly string[];
}

export async function storm(session: Session, options: StormOptions): Promise<Storm> {
  const { ms, without = [] } = options;
  const until = performance.now() + ms;
  const failures: string[] = [];
  const failed = (what: string) => (error: unknown) => {
    failures.push(`${what}: ${error instanceof Error ? error.message : String(error)}`);
    return 0;
  };
  const lanes = LANES.map(names => names.filter(name => !without.includes(name))).filter(names => names.length > 0);
  const counts = await Promise.all([
    readings(session, until, options, (what, error) => void failed(what)(error)),
    ...lanes.map(names => lane(session, names, until).catch(failed(names.join()))),
  ]);
  const [taken = 0, ...steps] = counts;
  return { steps: steps.reduce((sum, count) => sum + count, 0), readings: taken, failures };
}
