import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Alert, Measures, WatchEvent, WatchedTarget } from '../model/watch-event.js';
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
  values: Measures;
  readonly firing: Map<string, Alert>;
}

/** The latest numbers of every target at /metrics, in the text format 0.0.4. Values that are not current are left out. */
export function prometheusSink({ port, host = '127.0.0.1' }: { port: number; host?: string }): PrometheusSink {
  const targets = new Map<string, Known>();
  const own = new Map<string, number>();
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

function take(event: WatchEvent, targets: Map<string, Known>, own: Map<string, number>): void {
  if (event.type === 'watch.status') {
    own.set('lens_watch_resident_memory_bytes', event.rssBytes);
    own.set('lens_watch_cpu_percent', event.cpuPercent);
    for (const [what, count] of Object.entries(event.dropped))
      own.set(`lens_watch_dropped_total{what=${quoted(what)}}`, count);
  }
  if (!('target' in event)) return;
  const key = `${event.target.fingerprint} ${event.target.name}`;
  const known = targets.get(key) ?? { target: event.target, up: true, restarts: 0, values: {}, firing: new Map() };
  targets.set(key, known);
  known.target = event.target;
  if (event.type === 'metrics.read') known.values = event.values;
  if (event.type === 'target.attached') known.up = true;
  if (event.type === 'target.restarted') known.restarts++;
  if (event.type === 'alert.fired' || event.type === 'alert.escalated')
    known.firing.set(event.alert.fingerprint, event.alert);
  if (event.type === 'alert.resolved') known.firing.delete(event.alert.fingerprint);
  if (event.type !== 'target.lost') return;
  known.up = false;
  known.values = {};
}

interface Row {
  readonly name: string;
  readonly labels: { readonly [name: string]: string };
  readonly value: number;
}

function exposition(targets: ReadonlyMap<string, Known>, own: ReadonlyMap<string, number>): string {
  const rows = [...targets.values()].flatMap(rowsOf);
  const names = [...new Set(rows.map(row => row.name))];
  const lines = names.flatMap(name => [
    `# TYPE ${name} ${name.endsWith('restarts_total') ? 'counter' : 'gauge'}`,
    ...rows.filter(row => row.name === name).map(line),
  ]);
  const self = [...own].map(([name, value]) => `${name} ${value}`);
  return `${[...lines, ...self].join('\n')}\n`;
}

function rowsOf({ target, up, restarts, values, firing }: Known): Row[] {
  const labels = { application: target.name, pid: String(target.pid) };
  const application = { application: target.name, fingerprint: target.fingerprint };
  return [
    { name: 'lens_target_up', labels: application, value: up ? 1 : 0 },
    { name: 'lens_target_restarts_total', labels: application, value: restarts },
    ...Object.entries(values).map(([metric, value]) => {
      const { name, factor } = prometheusName(metric);
      return { name, labels, value: value * factor };
    }),
    ...[...firing.values()].map(({ rule, level }) => ({
      name: 'lens_alert_firing',
      labels: { ...application, rule, level },
      value: 1,
    })),
  ];
}

function line({ name, labels, value }: Row): string {
  const pairs = Object.entries(labels).map(([label, text]) => `${label}=${quoted(text)}`);
  return `${name}{${pairs.join(',')}} ${value}`;
}

function quoted(text: string): string {
  return `"${text.replace(/\\/g, '\\\\').replace(/"/g, '\\"').replace(/\n/g, '\\n')}"`;
}
