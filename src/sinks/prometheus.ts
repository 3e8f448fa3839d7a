import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Alert, HealthWord, Measures, WatchEvent, WatchedTarget } from '../model/watch-event.js';
import { prometheusName } from './metric-names.js';
import type { Sink } from './sink.js';

export interface PrometheusSink extends Sink {
  /** Starts to listen; the port that was given, or a free one for 0. Rejects when it is taken. */
  listen(): Promise<number>;
}

interface Known {
  target: WatchedTarget;
  up: boolean;
  restarts: number;
  health: HealthWord;
  values: Measures;
  readAt: number;
  nodeVersion: string;
  readonly firing: Map<string, Alert>;
}

/** The latest numbers of every target at /metrics, in the text format 0.0.4. Values that are not current are left out. */
export function prometheusSink({ port, host = '127.0.0.1' }: { port: number; host?: string }): PrometheusSink {
  const targets = new Map<string, Known>();
  const own = new Map<string, Row>();
  let server: Server | undefined;
  return {
    name: `prometheus ${host}:${port}`,
    batch: 1000,
    wants: () => true,
    async deliver(events) {
      for (const event of events) take(event, targets, own);
    },
    async listen() {
      const listening = createServer((request, response) => {
        if (request.url?.split('?')[0] !== '/metrics') return response.writeHead(404).end('see /metrics\n');
        return response
          .writeHead(200, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' })
          .end(exposition(targets, own));
      });
      await new Promise<void>((resolve, reject) => {
        listening.once('error', reject).listen(port, host, resolve);
      });
      server = listening;
      return (listening.address() as AddressInfo).port; // a TCP server has one
    },
    async close() {
      server?.closeAllConnections();
      server?.close();
    },
  };
}

function take(event: WatchEvent, targets: Map<string, Known>, own: Map<string, Row>): void {
  if (event.type === 'watch.status') for (const row of ownRows(event)) own.set(line({ ...row, value: 0 }), row);
  if (!('target' in event)) return;
  const key = `${event.target.fingerprint} ${event.target.twin ?? 0}`;
  const known = targets.get(key) ?? {
    target: event.target,
    up: true,
    restarts: 0,
    health: 'healthy' as const,
    ...{ values: {}, readAt: 0, nodeVersion: '' },
    firing: new Map(),
  };
  targets.set(key, known);
  known.target = event.target;
  if (event.type === 'metrics.read') [known.values, known.readAt] = [event.values, event.at];
  if (event.type === 'target.attached') [known.up, known.nodeVersion] = [true, event.nodeVersion];
  if (event.type === 'target.health') known.health = event.health;
  if (event.type === 'target.restarted') known.restarts++;
  if (event.type === 'alert.fired' || event.type === 'alert.escalated')
    known.firing.set(event.alert.fingerprint, event.alert);
  if (event.type === 'alert.resolved') known.firing.delete(event.alert.fingerprint);
  if (event.type !== 'target.lost') return;
  known.up = false;
  known.health = 'healthy'; // nothing burns in what is away; lens_target_up says so
  known.values = {};
}

function ownRows({ rssBytes, cpuPercent, dropped }: Extract<WatchEvent, { type: 'watch.status' }>): Row[] {
  return [
    { name: 'lens_watch_resident_memory_bytes', labels: {}, value: rssBytes },
    { name: 'lens_watch_cpu_percent', labels: {}, value: cpuPercent },
    ...Object.entries(dropped).map(([what, value]) => ({ name: 'lens_watch_dropped_total', labels: { what }, value })),
  ];
}

/** As exit codes of monitoring plugins: higher is worse. */
const HEALTH: { readonly [W in HealthWord]: number } = { healthy: 0, warning: 1, critical: 2 };

interface Row {
  readonly name: string;
  readonly labels: { readonly [name: string]: string };
  readonly value: number;
}

const isCounter = (name: string): boolean => /(restarts|dropped|cpu_seconds)_total$/.test(name);

function exposition(targets: ReadonlyMap<string, Known>, own: ReadonlyMap<string, Row>): string {
  const rows = [...[...targets.values()].flatMap(rowsOf), ...own.values()];
  const names = [...new Set(rows.map(row => row.name))];
  const lines = names.flatMap(name => [
    `# TYPE ${name} ${isCounter(name) ? 'counter' : 'gauge'}`,
    ...rows.filter(row => row.name === name).map(line),
  ]);
  return `${lines.join('\n')}\n`;
}

function rowsOf({ target, up, restarts, health, values, readAt, nodeVersion, firing }: Known): Row[] {
  const labels = { application: target.name, pid: String(target.pid) };
  const twin = target.twin === undefined ? {} : { twin: String(target.twin) };
  const application = { application: target.name, fingerprint: target.fingerprint, ...twin };
  return [
    { name: 'lens_target_up', labels: application, value: up ? 1 : 0 },
    { name: 'lens_target_restarts_total', labels: application, value: restarts },
    { name: 'lens_target_health', labels: application, value: HEALTH[health] },
    ...Object.entries(values).map(([metric, value]) => {
      const { name, factor } = prometheusName(metric);
      return { name, labels, value: value * factor };
    }),
    ...bornRows(labels, values['process.uptimeMs'], readAt),
    ...(nodeVersion === ''
      ? []
      : [{ name: 'nodejs_version_info', labels: { ...labels, version: nodeVersion }, value: 1 }]),
    ...[...firing.values()].map(({ rule, level }) => ({
      name: 'lens_alert_firing',
      labels: { ...application, rule, level },
      value: 1,
    })),
  ];
}

/** rate() and increase() see a restart by it; to the second, for readings of a moment differ by milliseconds. */
function bornRows(labels: Row['labels'], uptimeMs: number | undefined, readAt: number): Row[] {
  if (uptimeMs === undefined) return [];
  return [{ name: 'process_start_time_seconds', labels, value: Math.round((readAt - uptimeMs) / 1000) }];
}

function line({ name, labels, value }: Row): string {
  const pairs = Object.entries(labels).map(([label, text]) => `${label}=${quoted(text)}`);
  return `${name}${pairs.length > 0 ? `{${pairs.join(',')}}` : ''} ${value}`;
}

function quoted(text: string): string {
  return `"${text.replace(/\\/g, '\\\\').replace(/"/g, '\\"').replace(/\n/g, '\\n')}"`;
}
