import { expect, test } from 'vitest';
import type { Alert, WatchEvent, WatchEventBody } from '../../src/model/watch-event.js';
import { initialWatchState, reduceWatch, type WatchState } from '../../src/report/watch-state.js';
import { plain, widthOf } from '../../src/tui/line.js';
import { initialWatchUi, type WatchUi, watchFrame } from '../../src/tui/watch-frame.js';
import { pressInWatch } from '../../src/tui/watch-keys.js';

const shop = { name: 'shop/server.js', fingerprint: 'f', pid: 42 };
const depot = { name: 'depot.js', fingerprint: 'd', pid: 43 };
const alert: Alert = {
  ...{ fingerprint: 'f/limit', kind: 'limit', rule: 'fds.open>150', metric: 'fds.open', level: 'critical' },
  ...{ title: 'fds.open is 300, beyond 150', value: 300, normal: 150, firedAt: 4_000, count: 1 },
};
const burning: readonly WatchEventBody[] = [
  { type: 'watch.started', lens: '1', watching: '“server”', intervalMs: 30_000 },
  { type: 'target.attached', target: shop, nodeVersion: 'v24.0.0' },
  { type: 'metrics.read', target: shop, values: { 'fds.open': 40, 'cpu.percent': 12, 'loop.utilization': 0.1 } },
  { type: 'target.attached', target: depot, nodeVersion: 'v22.0.0' },
  { type: 'metrics.read', target: shop, values: { 'fds.open': 300, 'cpu.percent': 12, 'loop.utilization': 0.9 } },
  { type: 'alert.fired', target: shop, alert, snapshot: {} },
  { type: 'target.health', target: shop, health: 'critical', stability: 0.5 },
];
const stateOf = (bodies: readonly WatchEventBody[]): WatchState =>
  bodies
    .map((body, seq): WatchEvent => ({ at: seq * 1_000, watch: 'w', seq, ...body }))
    .reduce(reduceWatch, initialWatchState);

const seat = { now: 10_000, ascii: false, say: (_: string, value: number) => String(value) };
const shown = (state: WatchState, ui: WatchUi = initialWatchUi, size = { columns: 100, rows: 24 }, ascii = false) =>
  watchFrame(state, ui, size, { ...seat, ascii });
const text = (...args: Parameters<typeof shown>) =>
  shown(...args)
    .map(plain)
    .join('\n');

test('a screen tells each target, what burns, and the news, newest first', () => {
  const screen = text(stateOf(burning));
  expect(screen).toMatch(/^✖ critical watching “server” {2}2 up/);
  expect(screen).toMatch(/▸✖ shop\/server\.js 42 .*12 .*300/);
  expect(screen).toMatch(/✔ depot\.js 43/);
  expect(screen).toMatch(/5\.0 s ago {2}CRITICAL shop\/server\.js \(pid 42\): fds\.open is 300/);
  expect(screen.indexOf('CRITICAL')).toBeLessThan(screen.indexOf('attached'));
});

test('what is over is good news, and what ends is away', () => {
  const screen = text(
    stateOf([
      ...burning,
      { type: 'alert.resolved', target: shop, alert },
      { type: 'target.health', target: shop, health: 'healthy', stability: 0.5 },
      { type: 'target.lost', target: depot, reason: 'the process has ended' },
    ]),
  );
  expect(screen).toMatch(/^✔ healthy .* 1 up/);
  expect(screen).toMatch(/- depot\.js 43 +away/);
});

test('a restarted process takes the row of the one that ended; a twin gets a row of its own', () => {
  const lost: WatchEventBody = { type: 'target.lost', target: shop, reason: 'ended' };
  const next = { ...shop, pid: 50 };
  const again: WatchEventBody = { type: 'target.restarted', target: next, previousPid: 42, downMs: 5 };
  const twin: WatchEventBody = {
    type: 'target.attached',
    target: { ...shop, pid: 51, twin: 1 },
    nodeVersion: 'v24.0.0',
  };
  const { targets } = stateOf([...burning, lost, again, twin]);
  expect(targets.map(({ target, restarts }) => [target.pid, restarts])).toEqual([
    [50, 1],
    [43, 0],
    [51, 0],
  ]);
});

test('whatever the size, a frame has exactly its rows and columns, and draws ASCII alone where asked', () => {
  const state = stateOf(burning);
  for (const size of [
    { columns: 20, rows: 5 },
    { columns: 60, rows: 15 },
    { columns: 220, rows: 60 },
  ])
    for (const page of ['list', 'target'] as const) {
      const frame = shown(state, { ...initialWatchUi, page }, size, true);
      expect(frame).toHaveLength(size.rows);
      for (const line of frame) expect(widthOf(line)).toBe(size.columns);
      expect(frame.map(plain).join('')).toMatch(/^[\x20-\x7e]*$/);
    }
});

test('a hundred targets leave room for the news', () => {
  const many = Array.from(
    { length: 100 },
    (_, i): WatchEventBody => ({
      ...{
        type: 'target.attached',
        target: { name: `s${i}`, fingerprint: `${i}`, pid: i + 1 },
        nodeVersion: 'v24.0.0',
      },
    }),
  );
  const screen = text(stateOf([...burning, ...many]), { ...initialWatchUi, index: 90 });
  expect(screen).toMatch(/▸✔ s88 /);
  expect(screen).toMatch(/and 93 more/);
  expect(screen).toMatch(/now {2}s99 /);
});

test('keys choose, look closer, come back and leave; what they change is the screen alone', () => {
  const state = stateOf(burning);
  let ui = initialWatchUi;
  const press = (key: Parameters<typeof pressInWatch>[1]) => {
    const pressed = pressInWatch(ui, key, state);
    ui = pressed.ui;
    return pressed.command;
  };
  press({ input: '', name: 'down' });
  press({ input: '', name: 'down' });
  expect(ui.index).toBe(1);
  press({ input: '', name: 'return' });
  expect(text(state, ui)).toContain('v22.0.0');
  press({ input: '', name: 'escape' });
  expect(ui.page).toBe('list');
  expect(press({ input: 'c', ctrl: true })).toBe('interrupt');
  expect(press({ input: 'q' })).toBe('leave');
});

test('a target can not draw on the screen', () => {
  const evil = { ...shop, name: 'a\u001b[2Jb' };
  expect(text(stateOf([{ type: 'target.attached', target: evil, nodeVersion: 'v24.0.0' }]))).not.toContain('\u001b');
});
