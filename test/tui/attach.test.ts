import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { launch } from '../launch.js';
import { attach, CTRL_C, CTRL_Z, clears, ESC, LEAKS, SIZE, state, untilReleased } from './attached.js';
import { LENS, LensTerminal } from './terminal.js';

test('numbers at once, every screen by its key, lists, dialogs, a written report; then the target is as it was', async () => {
  await using target = await launch(LEAKS);
  await using terminal = attach(target);
  await terminal.until(/resident +\d+.* MB/);
  await terminal.until(/loop delay +\d/);
  await terminal.until(/handles +\d/);
  terminal.press('2');
  await terminal.until(/runtime.*\n.*gc/);
  terminal.press('?');
  await terminal.until(/ctrl-z +suspend/);
  terminal.press('x:');
  await terminal.until(/read cpu-profile/);
  terminal.press('read handles\r');
  await terminal.until(/handles-1: ok/, 20_000);
  await terminal.until(/What keeps the loop alive/);
  terminal.press('/every\r');
  await terminal.until(/only “every”[\s\S]*timer every/);
  terminal.press(`${ESC}e`);
  await terminal.until(/handles-1 is pinned/);
  terminal.press(`${ESC}3`);
  await terminal.until(/● handles-1/);
  terminal.press('/vital\r');
  await terminal.until(/(?<!handles-1[\s\S]*)vitals-1/);
  terminal.press(ESC);
  await terminal.until(/handles-1/);
  terminal.press('4');
  await terminal.until(/No place in the code is accused/);
  await terminal.until(/(healthy|warning|observing|inconclusive) .*pid \d/, 20_000);
  terminal.press('5w');
  await terminal.until(/Written: lens-report\.md and lens-report\.html/);
  expect(readFileSync(join(state, 'lens-report.md'), 'utf8')).toMatch(/## Pinned evidence[\s\S]*handles-1: ok/);
  expect(readFileSync(join(state, 'lens-report.html'), 'utf8')).toMatch(/^<!doctype html>[\s\S]*<\/html>\n$/);
  terminal.press('c');
  await terminal.until(/Copied/);
  expect(terminal.raw).toContain(`${ESC}]52;c;`);
  terminal.press('q');
  expect(await terminal.exited).toBeLessThan(4);
  expect(terminal.alternate).toBe(false);
  expect(clears(terminal.raw)).toBe(0);
  await untilReleased(target);
});

test('p pauses: what is being read ends, nothing else begins until p goes on', async () => {
  await using target = await launch(LEAKS);
  const run = join(state, 'paused');
  await using terminal = attach(target, { args: ['--skills', 'handles,gc', '--dir', run] });
  await terminal.until(/investigating[\s\S]*reading [\s\S]*p pause/);
  terminal.press('p');
  await terminal.until(/PAUSED[\s\S]*Paused: what is being read ends/);
  terminal.press(':read process\r');
  await terminal.until(/process-\d+: ok/);
  await terminal.until(/(?<!reading [\s\S]*)PAUSED/);
  await new Promise(resolve => setTimeout(resolve, 2_000));
  terminal.press('p');
  await terminal.until(/(healthy|warning) .*pid \d/, 30_000);
  terminal.press('r');
  await terminal.until(/investigating[\s\S]*reading /);
  terminal.press('pi'); // a paused investigation concludes as well
  await terminal.until(/(healthy|warning|observing|inconclusive) .*pid \d/);
  terminal.press('q');
  expect(await terminal.exited).toBeLessThan(4);
  const events = readFileSync(join(run, 'run.ndjson'), 'utf8')
    .split('\n')
    .filter(Boolean)
    .map(line => JSON.parse(line));
  const at = (held: boolean) => events.findIndex(e => e.type === 'run.held' && e.held === held);
  const asked = events.slice(at(true), at(false)).filter(e => e.type === 'evidence.asked');
  expect(asked.map(e => e.kind)).toEqual(['process']);
  expect(events.slice(at(false)).filter(e => e.type === 'evidence.collected').length).toBeGreaterThan(0);
  await untilReleased(target);
});

test('with --hold nothing begins by itself; s chooses who looks, and they alone do', async () => {
  await using target = await launch(LEAKS);
  const run = join(state, 'held');
  await using terminal = attach(target, { args: ['--hold', '--dir', run] });
  await terminal.until(/watching .*pid \d[\s\S]*resident +\d+.* MB[\s\S]*Only the numbers are read/);
  expect(existsSync(run)).toBe(false);
  terminal.press('p');
  await terminal.until(/There is nothing to pause; r investigates/);
  terminal.press('sn');
  await terminal.until(/Who looks\? +0 of \d+/);
  terminal.press('j ');
  await terminal.until(/1 of \d+[\s\S]*› \[x\] [\w-]+/);
  const chosen = terminal.text().match(/› \[x\] ([\w-]+)/)?.[1];
  terminal.press('\r');
  await terminal.until(/(healthy|warning) .*pid \d/, 60_000);
  terminal.press('q');
  await terminal.exited;
  const [only] = readFileSync(join(run, 'run.ndjson'), 'utf8')
    .split('\n')
    .filter(line => line.includes('"skills.chosen"'));
  expect(JSON.parse(only ?? '').skills).toEqual([chosen]);
  await untilReleased(target);
});

test('it follows every size, and asks politely for room below 60×15', async () => {
  await using target = await launch(LEAKS);
  await using terminal = attach(target, { size: { columns: 300, rows: 80 } });
  await terminal.until(/resident +\d/);
  terminal.resize(80, 24);
  await terminal.until(/resident +\d/);
  expect(
    terminal
      .text()
      .split('\n')
      .filter(line => line.includes('1 overview')),
  ).toHaveLength(1);
  terminal.resize(40, 10);
  await terminal.until(/lens needs 60×15, this is 40×10/);
  terminal.resize(100, 30);
  await terminal.until(/resident +\d[\s\S]*\? help/);
  expect(clears(terminal.raw)).toBe(0);
  terminal.press('q');
  await terminal.exited;
  await untilReleased(target);
});

test('ctrl-z gives the shell its terminal back, and going on draws the screen anew', async () => {
  await using target = await launch(LEAKS);
  await using terminal = attach(target);
  await terminal.until(/loop delay +\d/);
  terminal.press(CTRL_Z);
  await terminal.stopped();
  expect(terminal.alternate).toBe(false);
  terminal.kill('SIGCONT');
  await terminal.until(/1 overview[\s\S]*resident +\d/);
  expect(terminal.alternate).toBe(true);
  terminal.press('2');
  await terminal.until(/What happened/);
  terminal.press('q');
  await terminal.exited;
  await untilReleased(target);
});

test('a target that is killed midway stays readable, and the exit code says that it was lost', async () => {
  await using target = await launch(LEAKS);
  await using terminal = attach(target, { args: ['--skills', 'runtime,heap'] });
  await terminal.until(/loop delay +\d/);
  process.kill(target.pid, 'SIGKILL');
  await terminal.until(/target lost/);
  expect(terminal.text()).toMatch(/resident +\d/);
  terminal.press('2');
  await terminal.until(/the target is gone/);
  terminal.press('5');
  await terminal.until(/The target was lost/);
  terminal.press('r');
  await terminal.until(/No process has pid|no longer|is gone/);
  terminal.press('q');
  expect(await terminal.exited).toBe(6);
});

test('pasted rubbish neither leaves nor breaks the screen; typed questions take pasted text as one line', async () => {
  await using target = await launch(LEAKS);
  await using terminal = attach(target);
  await terminal.until(/resident +\d/);
  terminal.press(`${ESC}[200~qqq\u0003rm -rf /\n${ESC}[201~`);
  await terminal.until(/Pasted text goes where you type/);
  terminal.press(`${ESC}[999;999;999zKK\u0000\u0001\u0002\u009b2J${ESC}]0;title\u0007${ESC}[?1049l`);
  terminal.press('a');
  terminal.press(`${ESC}[200~why is\nthe ${ESC}[31mheap growing${ESC}[201~`);
  await terminal.until(/ask: why is the .*heap growing▏/);
  terminal.press(ESC);
  await terminal.until(/\? help/);
  terminal.press('1');
  await terminal.until(/resident +\d/);
  expect(terminal.alternate).toBe(true);
  terminal.press('q');
  await terminal.exited;
});

test('the first ctrl-c concludes, the next one leaves with 130; the target is released', async () => {
  await using target = await launch(LEAKS);
  await using terminal = attach(target, { args: ['--skills', 'heap'] });
  await terminal.until(/loop delay +\d/);
  terminal.press(CTRL_C);
  await terminal.until(/(inconclusive|healthy|warning) .*pid \d/);
  terminal.press(CTRL_C);
  expect(await terminal.exited).toBe(130);
  expect(terminal.alternate).toBe(false);
  await untilReleased(target);
});

test('a dear reading is asked for first; without a yes it is refused and says so', async () => {
  await using target = await launch(LEAKS);
  await using terminal = attach(target);
  await terminal.until(/loop delay +\d/);
  terminal.press(':read heap-snap\r');
  await terminal.until(/Take this reading\?[\s\S]*It costs +\S+/);
  terminal.press('z');
  await terminal.until(/Answer y/);
  terminal.press('n');
  await terminal.until(/heap-snapshot-1: refused/);
  terminal.press('q');
  await terminal.exited;
});

test('NO_COLOR leaves weight alone; --ascii draws ASCII alone', async () => {
  await using target = await launch(LEAKS);
  await using terminal = attach(target, { env: { NO_COLOR: '1' }, args: ['--ascii'] });
  await terminal.until(/loop delay +\d/);
  terminal.press('2');
  await terminal.until(/What happened/);
  expect(terminal.text()).toMatch(/^[\x20-\x7e\n]*$/);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: colours are escape sequences
  expect(terminal.raw).not.toMatch(/\u001b\[(\d+;)*3\dm/);
  terminal.press('q');
  await terminal.exited;
});

test('without a terminal it says what to run instead', () => {
  const { status, stderr } = spawnSync(process.execPath, [LENS, 'attach', String(process.pid)], { encoding: 'utf8' });
  expect(status).toBe(2);
  expect(stderr).toMatch(/draws in a terminal[\s\S]*lens run/);
});

test('a process that is not there gives the terminal back with one sentence', async () => {
  const terminal = new LensTerminal(['attach', '999999999'], SIZE, { XDG_STATE_HOME: state });
  onTestFinished(() => terminal[Symbol.asyncDispose]());
  expect(await terminal.exited).toBe(5);
  expect(terminal.alternate).toBe(false);
  expect(terminal.raw).toMatch(/No process has pid 999999999|no process/i);
});
