import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, test } from 'vitest';
import { prometheusSink } from '../../src/sinks/prometheus.js';
import { event, fired, reading, target } from './events.js';
import { freePort } from './free-port.js';

const never = new AbortController().signal;
const has = (command: string) => spawnSync(command, ['--version']).status === 0;

/** Everything a scrape may hold: a program with names nobody would choose, its twin, one that is away, lens itself. */
async function exposed() {
  const sink = prometheusSink({ port: 0 });
  const port = await sink.listen();
  const odd = { name: 'a "quoted"\n\\name', fingerprint: 'def', pid: 43 };
  const twin = { ...target, pid: 44, twin: 1 };
  const status = { targets: 2, rssBytes: 9e7, cpuPercent: 1.5, dropped: { 'webhook "x"': 2 }, waiting: {} };
  await sink.deliver(
    [
      reading(1, { 'memory.rssBytes': 5e7, 'loop.delayP99Ms': 310, 'gc.longestMs': 3, 'my.queue': 7 }),
      fired(2),
      event(3, { type: 'metrics.read', target: odd, values: { 'memory.rssBytes': 6e7 } }),
      event(4, { type: 'metrics.read', target: twin, values: { 'memory.rssBytes': 7e7 } }),
      event(5, { type: 'target.lost', target: twin, reason: 'ended' }),
      event(6, { type: 'target.restarted', target: { ...twin, pid: 45 }, previousPid: 44, downMs: 3 }),
      event(7, { type: 'target.health', target, health: 'warning', stability: 0.5 }),
      event(8, { type: 'watch.status', ...status }),
    ],
    never,
  );
  return { port, sink, text: await (await fetch(`http://127.0.0.1:${port}/metrics`)).text() };
}

test('processes of one command are rows of their own, and no row comes twice', async () => {
  const { sink, text } = await exposed();
  const series = text.split('\n').filter(line => line !== '' && !line.startsWith('#'));
  const names = series.map(line => line.slice(0, line.lastIndexOf(' ')));
  expect(new Set(names).size).toBe(names.length);
  expect(text).toContain('lens_target_up{application="shop",fingerprint="abc123"} 1');
  expect(text).toContain('lens_target_up{application="shop",fingerprint="abc123",twin="1"} 0');
  expect(text).toContain('lens_target_restarts_total{application="shop",fingerprint="abc123",twin="1"} 1');
  expect(text).toContain('lens_target_health{application="shop",fingerprint="abc123"} 1');
  await sink.close?.();
});

test.runIf(has('promtool'))("promtool finds nothing that can't be read", async () => {
  const { sink, text } = await exposed();
  const { status, stderr } = spawnSync('promtool', ['check', 'metrics'], { input: text, encoding: 'utf8' });
  // 3: it would name things otherwise; the names are prom-client's. 1: it can't parse.
  expect([0, 3], stderr).toContain(status);
  expect(stderr).not.toMatch(/error while linting/);
  await sink.close?.();
});

test.runIf(has('prometheus'))(
  'Prometheus scrapes lens, and answers with what lens has read',
  async () => {
    const { sink, port } = await exposed();
    const home = mkdtempSync(join(tmpdir(), 'lens-prometheus-'));
    const config = `scrape_configs: [{job_name: lens, scrape_interval: 1s, scrape_timeout: 1s, static_configs: [{targets: ['127.0.0.1:${port}']}]}]`;
    writeFileSync(join(home, 'prometheus.yml'), config);
    const listen = await freePort();
    const argv = [`--config.file=${home}/prometheus.yml`, `--storage.tsdb.path=${home}/data`];
    const server = spawn('prometheus', [...argv, `--web.listen-address=127.0.0.1:${listen}`], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    try {
      for await (const line of createInterface({ input: server.stderr })) if (line.includes('Server is ready')) break;
      const ask = async (query: string) => {
        const url = `http://127.0.0.1:${listen}/api/v1/query?query=${encodeURIComponent(query)}`;
        const { data } = (await (await fetch(url)).json()) as Answer;
        return data.result.map(({ metric, value }) => [metric, Number(value[1])]);
      };
      await expect.poll(() => ask('up{job="lens"} == 1'), { timeout: 15_000, interval: 250 }).toHaveLength(1);
      expect(await ask('nodejs_eventloop_lag_p99_seconds')).toMatchObject([[{ application: 'shop', pid: '42' }, 0.31]]);
      expect(await ask('process_resident_memory_bytes{pid="43"}')).toMatchObject([
        [{ application: 'a "quoted"\n\\name' }, 6e7],
      ]);
      expect(await ask('lens_alert_firing')).toMatchObject([[{ level: 'warning' }, 1]]);
      expect(await ask('lens_my_queue')).toMatchObject([[{ pid: '42' }, 7]]);
      expect(await ask('sum(lens_target_up)')).toMatchObject([[{}, 2]]);
    } finally {
      server.kill('SIGKILL');
      if (server.exitCode === null && server.signalCode === null) await once(server, 'exit');
      await sink.close?.();
      rmSync(home, { recursive: true, force: true });
    }
  },
  40_000,
);

/** Prometheus' HTTP API, of an instant query. */
interface Answer {
  readonly data: {
    readonly result: readonly { readonly metric: object; readonly value: readonly [at: number, value: string] }[];
  };
}
