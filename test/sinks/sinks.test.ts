import { createHmac } from 'node:crypto';
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { alertmanagerSink } from '../../src/sinks/alertmanager.js';
import { commandSink } from '../../src/sinks/command.js';
import { ndjsonSink } from '../../src/sinks/ndjson.js';
import { pagerDutySink } from '../../src/sinks/pagerduty.js';
import { prometheusSink } from '../../src/sinks/prometheus.js';
import { Refused } from '../../src/sinks/sink.js';
import { slackSink } from '../../src/sinks/slack.js';
import { webhookSink } from '../../src/sinks/webhook.js';
import { alert, event, fired, reading, resolved, target } from './events.js';
import { receiver } from './receiver.js';

const never = new AbortController().signal;
const folder = () => mkdtempSync(join(tmpdir(), 'lens-sink-'));

test('a webhook can tell by the signature that lens spoke, and when', async () => {
  await using hook = await receiver();
  await webhookSink({ url: hook.url, secret: 'shh' }, () => 1_700_000_123_456).deliver([fired(1)], never);
  const [request] = hook.requests;
  const expected = createHmac('sha256', 'shh').update(`1700000123.${request?.body}`).digest('hex');
  expect(request?.headers['x-lens-signature']).toBe(`t=1700000123,v1=${expected}`);
  expect(JSON.parse(request?.body ?? '').events[0]).toMatchObject({ type: 'alert.fired', seq: 1, watch: 'w1' });
});

test('a receiver that says no is told apart from one that is away', async () => {
  await using hook = await receiver();
  const sink = webhookSink({ url: hook.url }, Date.now);
  hook.status = 400;
  await expect(sink.deliver([fired(1)], never)).rejects.toBeInstanceOf(Refused);
  for (hook.status of [429, 503]) await expect(sink.deliver([fired(1)], never)).rejects.not.toBeInstanceOf(Refused);
});

test('Slack gets a text and blocks in which the words of a target are no markup', async () => {
  await using hook = await receiver();
  await slackSink({ url: hook.url }).deliver([fired(1), resolved(2)], never);
  const message = JSON.parse(hook.requests[0]?.body ?? '');
  expect(message.text).toContain('loop.delayP99Ms is 310 ms');
  expect(message.blocks).toHaveLength(2);
  expect(message.blocks[0].text.text).toContain('&lt;now&gt;');
});

test('PagerDuty gets a trigger and a resolve of the same incident', async () => {
  await using hook = await receiver();
  await pagerDutySink({ routingKey: 'R1', url: hook.url }).deliver([fired(1), resolved(2)], never);
  const [trigger, resolve] = hook.requests.map(({ body }) => JSON.parse(body));
  expect(trigger).toMatchObject({
    routing_key: 'R1',
    event_action: 'trigger',
    payload: { severity: 'warning', component: 'shop', class: 'loop.delayP99Ms' },
  });
  expect(trigger.payload.custom_details.snapshot).toEqual({ 'loop.delayP99Ms': 310 });
  expect(resolve).toEqual({ routing_key: 'R1', dedup_key: trigger.dedup_key, event_action: 'resolve' });
});

test('Alertmanager gets the same labels at the begin and at the end', async () => {
  await using hook = await receiver();
  const sink = alertmanagerSink({ url: `http://127.0.0.1:${hook.port}/am` });
  await sink.deliver([fired(1)], never);
  await sink.deliver([resolved(2)], never);
  const [begin, end] = hook.requests.map(({ body }) => JSON.parse(body)[0]);
  expect(hook.requests[0]?.path).toBe('/am/api/v2/alerts');
  expect(end.labels).toEqual(begin.labels);
  // Another process of the same command burns for itself.
  await sink.deliver([event(3, { type: 'alert.fired', target: { ...target, twin: 1 }, alert, snapshot: {} })], never);
  expect(JSON.parse(hook.requests[2]?.body ?? '')[0].labels).toEqual({ ...begin.labels, twin: '1' });
  expect(Date.parse(begin.endsAt)).toBeGreaterThan(Date.parse(begin.startsAt));
  expect(Date.parse(end.endsAt)).toBe(1_700_000_000_002);
});

test('a command gets the event on stdin, and nothing of the target in its command line', async () => {
  const out = join(folder(), 'out');
  await commandSink({ command: `cat > ${out}; echo "$LENS_TITLE" >> ${out}` }).deliver([fired(7)], never);
  const [json = '', title] = readFileSync(out, 'utf8').split('\n');
  expect(JSON.parse(json)).toMatchObject({ type: 'alert.fired', seq: 7 });
  expect(title).toContain('beyond 200 ms <now>');
  await expect(commandSink({ command: 'exit 3' }).deliver([fired(1)], never)).rejects.toBeInstanceOf(Refused);
  await expect(commandSink({ command: 'exit 75' }).deliver([fired(1)], never)).rejects.not.toBeInstanceOf(Refused);
});

test('a file gets a line for each event', async () => {
  const path = join(folder(), 'deep', 'events.ndjson');
  await ndjsonSink(path).deliver([fired(1), resolved(2)], never);
  await ndjsonSink(path).deliver([reading(3, {})], never);
  const lines = readFileSync(path, 'utf8').trim().split('\n');
  expect(lines.map(line => JSON.parse(line).seq)).toEqual([1, 2, 3]);
});

test('Prometheus reads the usual names; a target that is gone has no values', async () => {
  const sink = prometheusSink({ port: 0 });
  const port = await sink.listen();
  const scrape = async () => (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  await sink.deliver(
    [reading(1, { 'memory.rssBytes': 5e7, 'loop.delayP99Ms': 310, 'gc.longestMs': 3 }), fired(2)],
    never,
  );
  const labels = '{application="shop",pid="42"}';
  const text = await scrape();
  expect(text).toContain(`# TYPE process_resident_memory_bytes gauge\nprocess_resident_memory_bytes${labels} 50000000`);
  expect(text).toContain(`nodejs_eventloop_lag_p99_seconds${labels} 0.31`);
  expect(text).toContain(`lens_gc_longest_ms${labels} 3`);
  expect(text).toMatch(/^lens_alert_firing\{.*rule="loop\.delayP99Ms>200ms",level="warning"\} 1$/m);
  for (const line of text.trim().split('\n'))
    expect(line).toMatch(/^(# TYPE [a-z_:]\w* (gauge|counter)|[a-z_:]\w*(\{(\w+="[^"\n]*",?)+\})? -?[\d.e+-]+)$/i);
  await sink.deliver([resolved(3), event(4, { type: 'target.lost', target, reason: 'ended' })], never);
  const after = await scrape();
  expect(after).not.toContain('process_resident_memory_bytes');
  expect(after).not.toContain('lens_alert_firing');
  expect(after).toContain('lens_target_up{application="shop",fingerprint="abc123"} 0');
  await sink.close?.();
});
