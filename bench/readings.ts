// What each reading costs a busy HTTP server: cpu per request during ÷ mean(before, after), windows of equal requests
// on one warmed server. Loaded: every agent is installed and none is recording; its second number is requests a second.
// Run: npx tsx bench/readings.ts [pairs] [reading,reading]   (NODE_BINARY=path for another target version)
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import http from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { collectors } from '../src/collectors/index.js';
import { attach } from '../src/inspector/attach.js';
import type { Session } from '../src/inspector/session.js';
import type { EvidenceKind } from '../src/model/evidence/index.js';

const pairs = Number(process.argv[2] ?? 3);
const REQUESTS = 5000;
const SECONDS = 60;

const SERVER = `
const rows = Array.from({ length: 40 }, (_, id) => ({ id, name: 'row ' + id, tags: ['a', 'b', id % 7] }));
const load = async url => { await null; return rows.map(r => ({ ...r, at: url })); };
require('http').createServer(async (q, s) => { s.setHeader('content-type', 'application/json'); s.end(JSON.stringify(await load(q.url))); })
  .listen(0, function () { console.log(this.address().port); });
process.stdin.resume().on('end', () => process.exit());`;

const target = spawn(process.env.NODE_BINARY ?? process.execPath, ['--inspect-port=0', '-e', SERVER], {
  stdio: ['pipe', 'pipe', 'ignore'],
});
const pid = target.pid ?? 0;
const port = Number(String((await once(target.stdout, 'data'))[0]));
const agent = new http.Agent({ keepAlive: true, maxSockets: 8 });

/** CPU of all threads so far, in milliseconds; finer than /proc/PID/stat's hundredths. */
function cpuMs(): number {
  const tasks = readdirSync(`/proc/${pid}/task`);
  return (
    tasks.reduce(
      (sum, task) => sum + Number(readFileSync(`/proc/${pid}/task/${task}/schedstat`, 'utf8').split(' ')[0]),
      0,
    ) / 1e6
  );
}

const get = () =>
  new Promise((resolve, reject) => {
    http.get({ port, agent, path: '/rows' }, response => response.resume().on('end', resolve)).on('error', reject);
  });

interface Window {
  readonly micros: number;
  readonly perSecond: number;
}

async function window(): Promise<Window> {
  const before = cpuMs();
  const from = performance.now();
  let left = REQUESTS;
  await Promise.all(
    Array.from({ length: 8 }, async () => {
      while (left-- > 0) await get();
    }),
  );
  const micros = ((cpuMs() - before) * 1000) / REQUESTS;
  return { micros, perSecond: (REQUESTS * 1000) / (performance.now() - from) };
}

/** Takes the reading over and over until told to stop. */
async function reading(session: Session, kind: EvidenceKind, params: object, signal: AbortSignal): Promise<void> {
  const context = {
    signal,
    now: () => Date.now(),
    sleep: (ms: number) => sleep(ms, undefined, { signal }).then(() => undefined),
    exclusively: <T>(work: () => Promise<T>) => work(),
    mayPause: () => true,
  };
  while (!signal.aborted) {
    await collectors
      .get(kind)
      ?.collect(session, params as never, context)
      .catch(error => {
        if (!signal.aborted) throw error;
      });
  }
}

const AGENTS = ['vitals', 'logs', 'exceptions', 'handles', 'waiting', 'offspring', 'call-counts'];
const modes: Readonly<Record<string, ((session: Session, signal: AbortSignal) => Promise<unknown>) | undefined>> = {
  'nothing (A/A)': undefined,
  loaded: async session => Promise.all(AGENTS.map(name => session.agent.install(name))),
  vitals: (s, signal) => reading(s, 'vitals', { seconds: SECONDS }, signal),
  handles: (s, signal) => reading(s, 'handles', { seconds: SECONDS }, signal),
  logs: (s, signal) => reading(s, 'logs', { seconds: SECONDS }, signal),
  exceptions: (s, signal) => reading(s, 'exceptions', { seconds: SECONDS }, signal),
  'in-flight': (s, signal) => reading(s, 'in-flight', {}, signal),
  traffic: (s, signal) => reading(s, 'traffic', {}, signal),
  'cpu-profile': (s, signal) => reading(s, 'cpu-profile', { seconds: SECONDS, intervalUs: 1000 }, signal),
  'heap-sampling': (s, signal) => reading(s, 'heap-sampling', { seconds: SECONDS, intervalBytes: 65536 }, signal),
  'async-dump': (s, signal) => reading(s, 'async-dump', {}, signal),
  'collection-growth': (s, signal) => reading(s, 'collection-growth', { seconds: 20 }, signal),
};

const median = (values: number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1] ?? 0;
const only = process.argv[3]?.split(',');
try {
  for (let i = 0; i < 3; i++) await window();
  for (const [name, begin] of Object.entries(modes)) {
    if (only && !only.includes(name)) continue;
    const cpu: number[] = [];
    const rate: number[] = [];
    for (let i = 0; i < pairs; i++) {
      const before = await window();
      const stop = new AbortController();
      const session = begin && (await attach({ pid }));
      const running = session && begin?.(session, stop.signal);
      await sleep(300);
      const during = await window();
      stop.abort();
      await running?.then(
        () => undefined,
        () => undefined,
      );
      await session?.detach();
      const after = await window();
      cpu.push((2 * during.micros) / (before.micros + after.micros));
      rate.push((2 * during.perSecond) / (before.perSecond + after.perSecond));
    }
    const told = cpu.map(ratio => ratio.toFixed(2)).join(' ');
    console.log(
      `${name.padEnd(18)} cpu × ${median(cpu).toFixed(3)}  requests/s × ${median(rate).toFixed(3)}  (${told})`,
    );
  }
} finally {
  target.stdin.end();
  agent.destroy();
}
