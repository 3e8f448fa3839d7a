import { mkdtempSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { launch } from '../launch.js';
import { attach, ESC, LEAKS, SIZE, state, untilReleased } from './attached.js';
import { LensTerminal } from './terminal.js';

/** Length of the run's stream so far. */
function recordedBytes(home: string): number {
  const runs = join(home, 'lens', 'runs');
  return readdirSync(runs).reduce((sum, run) => sum + statSync(join(runs, run, 'run.ndjson')).size, 0);
}

test.each([
  ['SIGTERM', 143],
  ['SIGHUP', 129],
] as const)('%s leaves cleanly with %i', async (signal, code) => {
  await using target = await launch(LEAKS);
  await using terminal = attach(target);
  await terminal.until(/loop delay +\d/);
  terminal.kill(signal);
  expect(await terminal.exited).toBe(code);
  expect(terminal.raw).toContain(`${ESC}[?25h`);
  expect(terminal.raw.lastIndexOf(`${ESC}[?1049l`)).toBeGreaterThan(terminal.raw.lastIndexOf(`${ESC}[?1049h`));
  await untilReleased(target);
});

test('a question looks again where it points, and is answered', async () => {
  await using target = await launch(LEAKS);
  await using terminal = attach(target);
  await terminal.until(/pid \d+[\s\S]*(Findings|No fault found|Not enough)/, 20_000);
  terminal.press('awhat about gc only?\r');
  await terminal.until(/Answered: 2 shows it/, 20_000);
  terminal.press('2');
  await terminal.until(/You asked what about gc only\?/);
  expect(terminal.text()).toMatch(/1 operators: asked for: gc|gc +healthy/);
  terminal.press('q');
  await terminal.exited;
});

test('what was found stays found when a question then looks elsewhere', async () => {
  await using target = await launch(LEAKS);
  const args = ['attach', String(target.pid), '--no-llm', '--skills', 'heap', '--fail-on', 'warning'];
  await using terminal = new LensTerminal(args, SIZE, { XDG_STATE_HOME: state }, state);
  await terminal.until(/Findings\n/, 45_000);
  await terminal.until(/r again/, 20_000);
  terminal.press('awhat about gc only?\r');
  await terminal.until(/(warning|critical) .*pid \d[\s\S]*Answered: 2 shows it/, 20_000);
  expect(terminal.text()).toMatch(/Findings\n/);
  terminal.press('5');
  await terminal.until(/Found by an earlier pass/);
  terminal.press('3');
  await terminal.until(/collection-growth-\d+ +ok/);
  terminal.press('q');
  expect(await terminal.exited).toBe(1);
});

test('a terminal that stops reading neither stops lens nor floods it: afterwards it shows the newest frame', async () => {
  await using target = await launch(LEAKS);
  const home = mkdtempSync(join(state, 'slow-'));
  await using terminal = attach(target, { args: ['--skills', 'heap'], env: { XDG_STATE_HOME: home } });
  await terminal.until(/loop delay +\d/);
  terminal.pause();
  for (let i = 0; i < 400; i++) terminal.press(i % 2 ? '1' : '2');
  // While nobody reads, lens goes on writing down what it sees every other second.
  const before = recordedBytes(home);
  await vi.waitUntil(() => recordedBytes(home) > before, { timeout: 15_000, interval: 50 });
  terminal.press('3');
  terminal.resume();
  await terminal.until(/vitals|nothing has been read yet/);
  terminal.press('q');
  await terminal.exited;
  await untilReleased(target);
});

test('TERM=dumb and screen readers get lines and numbered questions, no escape sequence at all', async () => {
  await using target = await launch(LEAKS);
  await using terminal = attach(target, { env: { TERM: 'dumb' } });
  await terminal.until(/Type a question, or: 1 investigate again/, 20_000);
  terminal.press('3\r');
  await terminal.until(/Type an id to read it/);
  terminal.press('vitals-1\r');
  await terminal.until(/Loop delay:/);
  terminal.press('4\r');
  expect(await terminal.exited).toBeLessThan(4);
  expect(terminal.raw).not.toContain(ESC);
  await untilReleased(target);
});

test('without a pid it asks which process', async () => {
  await using one = await launch(LEAKS);
  await using two = await launch(LEAKS);
  await using terminal = new LensTerminal(['attach'], SIZE, { XDG_STATE_HOME: state });
  await terminal.until(/Which process\?/);
  // Other programs may run on this machine.
  terminal.press('/const seen\r');
  const text = await terminal.until(new RegExp(` ${two.pid} `));
  expect(text).toContain(String(one.pid));
  terminal.press(ESC);
  terminal.press('q');
  expect(await terminal.exited).toBe(0);
});

test('a skill that there is not is told, and the target is let go again', async () => {
  await using target = await launch(LEAKS);
  await using terminal = attach(target, { args: ['--skills', 'hepa'] });
  expect(await terminal.exited).toBe(2);
  expect(terminal.raw).toContain('There is no skill hepa');
  await untilReleased(target);
});

test('a target that sits in native code is reported from outside, and asked again once it is free', async () => {
  await using target = await launch(
    `console.log('ready'); setTimeout(() => require('node:child_process').execFileSync('sleep', ['15']), 100);
     setInterval(() => {}, 1000)`,
  );
  await using terminal = attach(target);
  await terminal.until(/critical[\s\S]*waiting synchronously for its child/, 20_000);
  terminal.press('r');
  await terminal.until(/loop delay +\d/, 25_000);
  terminal.press('q');
  await terminal.exited;
  await untilReleased(target);
});

test('a replay of the kept run ends on the screens that were live', async () => {
  await using target = await launch(LEAKS);
  const home = mkdtempSync(join(state, 'kept-'));
  await using live = attach(target, { env: { XDG_STATE_HOME: home } });
  await live.until(/pid \d+[\s\S]*(Findings|No fault found|Not enough)/, 20_000);
  const screens = ['2', '3', '4', '5'];
  const before = await bodies(live, screens);
  live.press('q');
  await live.exited;
  const [run = ''] = readdirSync(join(home, 'lens', 'runs'));
  const args = ['replay', join(home, 'lens', 'runs', run), '--speed', '64'];
  await using replay = new LensTerminal(args, SIZE, { XDG_STATE_HOME: home }, state);
  await replay.until(/⏸/);
  expect(await bodies(replay, screens)).toEqual(before);
});

test('requests a second are among the numbers as soon as they were counted, live and in the replay', async () => {
  await using target = await launch(SERVES);
  const home = mkdtempSync(join(state, 'served-'));
  const args = ['attach', String(target.pid), '--no-llm', '--skills', 'http'];
  await using live = new LensTerminal(args, SIZE, { XDG_STATE_HOME: home }, state);
  await live.until(/requests +\d+(\.\d)? \/s/, 20_000);
  live.press('q');
  await live.exited;
  const [run = ''] = readdirSync(join(home, 'lens', 'runs'));
  const replayed = ['replay', join(home, 'lens', 'runs', run), '--speed', '64'];
  await using replay = new LensTerminal(replayed, SIZE, { XDG_STATE_HOME: home }, state);
  await replay.until(/requests +\d+(\.\d)? \/s/);
});

/** A server that asks itself some twenty times a second. */
const SERVES = `const http = require('http');
const server = http.createServer((_, response) => response.end('ok')).listen(0, () => console.log('ready'));
setInterval(() => http.get({ port: server.address().port }, response => response.resume()), 50);`;

/** What each screen shows between header and footer. */
async function bodies(terminal: LensTerminal, screens: readonly string[]): Promise<string[]> {
  const shown: string[] = [];
  for (const key of screens) {
    terminal.press(key);
    // The tab in force is drawn inverse: a frame has come when the screen did not change any more.
    let text = '';
    do {
      text = terminal.text();
      await new Promise(resolve => setTimeout(resolve, 300));
    } while (text !== terminal.text());
    shown.push(text.split('\n').slice(2, -1).join('\n'));
  }
  return shown;
}

test('where nothing can be written the screen works all the same, and the end says what was not kept', async () => {
  await using target = await launch(LEAKS);
  await using terminal = attach(target, { env: { XDG_STATE_HOME: '/dev/null' } });
  await terminal.until(/pid \d+[\s\S]*(Findings|No fault found|Not enough)/, 20_000);
  terminal.press('q');
  await terminal.exited;
  expect(terminal.raw).toMatch(/could not be kept in .*: /);
  await untilReleased(target);
});
