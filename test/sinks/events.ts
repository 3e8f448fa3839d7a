import type { Alert, WatchEvent, WatchEventBody } from '../../src/model/watch-event.js';

export const target = { name: 'shop', fingerprint: 'abc123', pid: 42 };

export const alert: Alert = {
  fingerprint: 'abc123-0/loop.delayP99Ms>200ms',
  kind: 'limit',
  rule: 'loop.delayP99Ms>200ms',
  metric: 'loop.delayP99Ms',
  level: 'warning',
  title: 'loop.delayP99Ms is 310 ms, beyond 200 ms <now>',
  value: 310,
  normal: 200,
  firedAt: 1_700_000_000_000,
  count: 1,
};

export const event = (seq: number, body: WatchEventBody): WatchEvent => ({
  at: 1_700_000_000_000 + seq,
  watch: 'w1',
  seq,
  ...body,
});
export const fired = (seq: number) =>
  event(seq, { type: 'alert.fired', target, alert, snapshot: { 'loop.delayP99Ms': 310 } });
export const resolved = (seq: number) => event(seq, { type: 'alert.resolved', target, alert });
export const reading = (seq: number, values: { readonly [metric: string]: number }) =>
  event(seq, { type: 'metrics.read', target, values });
