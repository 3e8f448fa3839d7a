import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, test } from 'vitest';
import { alertmanagerSink } from '../../src/sinks/alertmanager.js';
import { alert, event, target } from './events.js';
import { freePort } from './free-port.js';
import { receiver } from './receiver.js';

const never = new AbortController().signal;
const COMMAND = 'prometheus-alertmanager';
const has = (command: string) => spawnSync(command, ['--version']).status === 0;

test.runIf(has(COMMAND))(
  'Alertmanager takes an alert, routes it on, and its end',
  async () => {
    await using hook = await receiver();
    const home = mkdtempSync(join(tmpdir(), 'lens-alertmanager-'));
    const route = '{receiver: hook, group_wait: 0s, group_interval: 1s, group_by: [fingerprint]}';
    const receivers = `[{name: hook, webhook_configs: [{url: '${hook.url}'}]}]`;
    writeFileSync(join(home, 'config.yml'), `route: ${route}\nreceivers: ${receivers}\n`);
    const port = await freePort();
    const argv = [`--config.file=${home}/config.yml`, `--storage.path=${home}/data`, '--cluster.listen-address='];
    const server = spawn(COMMAND, [...argv, `--web.listen-address=127.0.0.1:${port}`], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    try {
      for await (const line of createInterface({ input: server.stderr })) if (/Listening on/i.test(line)) break;
      const sink = alertmanagerSink({ url: `http://127.0.0.1:${port}` });
      const now = Date.now();
      const burning = { ...alert, firedAt: now - 1_000 };
      const at = (seq: number) => ({
        ...event(seq, { type: 'alert.fired', target, alert: burning, snapshot: {} }),
        at: now,
      });
      await sink.deliver([at(1), at(2)], never);
      await hook.until(1);
      const [fired] = hook.requests.map(({ body }) => JSON.parse(body));
      expect(fired).toMatchObject({
        status: 'firing',
        alerts: [{ labels: { rule: alert.rule, application: 'shop' } }],
      });
      expect(fired.alerts).toHaveLength(1); // told twice, it is one alert
      const end = { ...event(3, { type: 'alert.resolved', target, alert: burning }), at: Date.now() };
      await sink.deliver([end], never);
      await hook.until(2);
      expect(JSON.parse(hook.requests[1]?.body ?? '')).toMatchObject({
        status: 'resolved',
        alerts: [{ status: 'resolved' }],
      });
    } finally {
      server.kill('SIGKILL');
      if (server.exitCode === null && server.signalCode === null) await once(server, 'exit');
      rmSync(home, { recursive: true, force: true });
    }
  },
  40_000,
);
