import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { type Baseline, learn } from '../../src/base/normal.js';
import { foundOf } from '../../src/commands/watch/census.js';
import { readNodeProcess } from '../../src/inspector/node-processes.js';
import type { Evidence } from '../../src/model/evidence/index.js';
import type { ProcessReading } from '../../src/model/evidence/process.js';
import type { Vitals, VitalsSample } from '../../src/model/evidence/vitals.js';
import type { Probe } from '../../src/model/probe.js';
import type { Report } from '../../src/model/report.js';
import { Operator, type OperatorEnv } from '../../src/operators/operator.js';
import { rulePlanner } from '../../src/operators/rule-planner.js';
import { anomaly } from '../../src/skills/anomaly.js';
import { remember } from '../../src/stores/watch-memory.js';
import { launch } from '../launch.js';

const MIB = 1_048_576;
const TARGET = { pid: 7, nodeVersion: 'v22.1.0', command: 'node a.js', cwd: '/srv', platform: 'linux' } as const;

const sample: VitalsSample = {
  ...{ at: 0, rssBytes: 100 * MIB, heapUsedBytes: 40 * MIB, heapTotalBytes: 60 * MIB, heapLimitBytes: 4000 * MIB },
  ...{ externalBytes: MIB, arrayBuffersBytes: 0, mallocedBytes: 0, nativeContexts: 1, detachedContexts: 0, spaces: [] },
  ...{ elu: 0.2, cpuPercent: 20, activeResources: { Timeout: 4 }, requests: 0, involuntarySwitches: 0 },
};
const vitals: Vitals = {
  ...{
    seconds: 5,
    samples: [sample],
    elu: 0.2,
    cpuPercent: 20,
    gc: [],
    gcShare: 0.01,
    liveHeap: [],
    uptimeSeconds: 900,
  },
  loopDelay: { minMs: 0, meanMs: 1, p50Ms: 1, p90Ms: 2, p99Ms: 4, maxMs: 9, count: 400 },
};
const own: ProcessReading = {
  ...{ takenAt: 0, uptimeSeconds: 900, cpuMs: 1000, rssBytes: 100 * MIB, swapBytes: 0, voluntarySwitches: 0 },
  ...{ involuntarySwitches: 0, threads: [], fds: { total: 40, limit: 1024, byKind: {} }, children: [] },
  sockets: { tcp: { ESTABLISHED: 10 }, unix: 0, udp: 0, listening: [], unreadBytes: 0, unsentBytes: 0 },
};

/** Two hours of a quiet time around `level`. */
const around = (level: number): Baseline =>
  learn(
    Array.from({ length: 240 }, (_, i) => level * (1 + 0.02 * Math.sin(i))),
    1,
  )!;
const NORMAL = {
  'memory.rssBytes': around(100 * MIB),
  'fds.open': around(40),
  'loop.delayP99Ms': around(4),
  'cpu.percent': around(20),
};

/** Windows one after the other; the last repeats. */
async function judged(
  windows: readonly (Partial<ProcessReading> & { readonly vitals?: Partial<Vitals> })[],
  baselines = NORMAL,
) {
  let asked = 0;
  let n = 0;
  const probe: Probe = {
    async ask(kind, _, { freshMs } = {}) {
      if (kind === 'vitals' && freshMs === 0) asked++;
      const { vitals: changed, ...process } = windows[Math.min(asked, windows.length - 1)]!;
      const data = {
        normal: { baselines, open: [], pending: [] },
        vitals: { ...vitals, ...changed },
        process: { ...own, ...process },
      };
      const evidence = {
        takenAt: 0,
        pausedMs: 0,
        costMs: 0,
        status: 'ok',
        data: data[kind as keyof typeof data],
      } as const;
      return { id: `${kind}-${++n}`, kind, ...evidence } as Evidence as never; // only these three kinds are asked
    },
  };
  const env: OperatorEnv = {
    ...{ target: TARGET, reason: '', urgent: false, probe, traceId: 't', blackboard: [], emit: () => {} },
    ...{
      now: () => 0,
      newId: prefix => `${prefix}-${++n}`,
      signal: new AbortController().signal,
      sleep: async () => {},
    },
  };
  const rules = rulePlanner(anomaly, {
    target: TARGET,
    reason: '',
    urgent: false,
    evidenceIds: () => operator.evidenceIds,
  });
  const operator: Operator = new Operator(anomaly, rules, env);
  return { result: await operator.run(), said: env.blackboard };
}

test('a target where it was before is normal', async () => {
  const { result, said } = await judged([{}]);
  expect(result).toMatchObject({ outcome: 'healthy', state: 'healthy' });
  expect(said).toEqual([]);
});

test('a metric that stays outside of its baseline is noticed, with its normal, and no cause is claimed', async () => {
  const { result, said } = await judged([{ fds: { total: 400, limit: 1024, byKind: {} } }]);
  expect(result).toMatchObject({ outcome: 'found', state: 'observing' });
  expect(said).toMatchObject([
    { faultClass: 'baseline.departure', severity: 'info', metrics: [{ name: 'fds.open', value: 400 }] },
  ]);
  expect(said[0]?.observation).toMatch(/fds\.open is 400, normal is 40/);
  expect(said[0]?.culprit).toBeUndefined();
});

test('a moment outside is no departure', async () => {
  const { result, said } = await judged([{ fds: { total: 400, limit: 1024, byKind: {} } }, {}]);
  expect(said).toEqual([]);
  expect(result.summary).toContain('fds.open left it for a moment');
});

test('what an investigation itself moves is not held against the target', async () => {
  const busy = { cpuPercent: 90, loopDelay: { ...vitals.loopDelay, p99Ms: 80 } };
  expect((await judged([{ vitals: busy }])).said).toEqual([]);
});

test('less than normal is no fault', async () => {
  expect((await judged([{ fds: { total: 2, limit: 1024, byKind: {} } }])).said).toEqual([]);
});

test('a young process, and one that was never watched, are not compared', async () => {
  const fds = { total: 400, limit: 1024, byKind: {} };
  expect((await judged([{ fds, vitals: { uptimeSeconds: 8 } }])).result.outcome).toBe('not-applicable');
  expect((await judged([{ fds }], {} as typeof NORMAL)).result.outcome).toBe('not-applicable');
});

test('a run finds what a watch of the same command in the same directory has learned', async () => {
  const state = mkdtempSync(join(tmpdir(), 'lens-normal-'));
  try {
    await using target = await launch(`setInterval(() => {}, 1000); console.log('ready');`);
    expect((await run(target.pid, state)).operators[0]?.summary).toContain('`lens watch` learns it');
    const { fingerprint } = foundOf((await readNodeProcess(target.pid))!);
    const learned = { baselines: new Map(Object.entries(NORMAL)), open: [], pending: [] };
    remember(join(state, 'lens', 'watch'), `${fingerprint}-0`, 'a', learned);
    expect((await run(target.pid, state)).operators[0]?.summary).toMatch(/too young to compare/);
  } finally {
    rmSync(state, { recursive: true, force: true });
  }
}, 60_000);

async function run(pid: number, state: string): Promise<Report> {
  const lens = resolve(import.meta.dirname, '../../bin/lens.js');
  const args = [lens, 'run', '--pid', String(pid), '--skills', 'anomaly', '--json', '--quiet', '--no-llm'];
  const env = { ...process.env, XDG_STATE_HOME: state };
  const child = promisify(execFile)(process.execPath, args, { env });
  // Nobody looked at its health: exit 3, with a report all the same.
  const { stdout } = await child.catch((error: { stdout: string }) => error);
  return JSON.parse(stdout) as Report;
}
