import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { LENS, LensTerminal } from './terminal.js';
import { events, RECORDED, states } from './world.js';

/** The recorded run in a folder of its own: notes are written beside it. */
function recorded(): string {
  const folder = mkdtempSync(join(tmpdir(), 'lens-replay-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  cpSync(RECORDED, join(folder, 'run.ndjson'));
  return folder;
}

test('a recorded run plays, halts, is stepped through, marked, compared and annotated', async () => {
  const run = recorded();
  await using terminal = new LensTerminal(['replay', run, '--speed', '8'], { columns: 120, rows: 34 }, {}, run);
  await terminal.until(/▶ \d+\.\d s of 25\.8 s, 8×/);
  await terminal.until(/resident +\d/);
  terminal.press(' ');
  await terminal.until(/⏸/);
  terminal.press('m');
  await terminal.until(/Marked/);
  terminal.press('n');
  await terminal.until(/◆|●/);
  terminal.press('NNNnd');
  await terminal.until(/Two moments[\s\S]*resident +\d+\S* \S+ +\d/);
  terminal.press('x2');
  await terminal.until(/What happened/);
  terminal.press('nnnnnn');
  await terminal.until(/▲ warning shop\/server\.mjs/);
  terminal.press('athe deploy was here\r');
  await terminal.until(/The note is kept beside the run/);
  const notes = JSON.parse(readFileSync(join(run, 'annotations.json'), 'utf8'));
  expect(notes).toEqual([{ at: states.to, text: 'the deploy was here' }]);
  terminal.press('5w');
  await terminal.until(/Written: lens-report\.md/);
  terminal.press('q');
  expect(await terminal.exited).toBe(0);
  expect(terminal.alternate).toBe(false);
});

test('a recording that was cut off says so and shows what it has', async () => {
  const run = recorded();
  const file = join(run, 'run.ndjson');
  writeFileSync(file, readFileSync(file, 'utf8').slice(0, -5000));
  await using terminal = new LensTerminal(['replay', run], { columns: 100, rows: 30 }, {}, run);
  await terminal.until(/The recording is cut off/);
  terminal.press('q');
  expect(await terminal.exited).toBe(0);
});

test('without a terminal it says what to run instead; for a screen reader it prints the story', () => {
  const run = recorded();
  const refused = spawnSync(process.execPath, [LENS, 'replay', run], { encoding: 'utf8' });
  expect(refused.status).toBe(2);
  expect(refused.stderr).toContain('lens report RUN');
  const told = spawnSync(process.execPath, [LENS, 'replay', run, '--screen-reader'], { encoding: 'utf8' });
  expect(told.stdout).toContain('Cause: warning: `remembered`');
});

test('any moment is the fold of the events until then, also when one goes back', () => {
  const moments = [states.to, states.from, (states.from + states.to) / 2, states.from + 100, states.to];
  for (const at of moments)
    expect(states.at(at).feed.length).toBe(states.at(at).feed.filter(row => row.at <= at).length);
  expect(states.next(states.from, 1, true)).toBe(states.notable[0]?.at);
  expect(states.next(states.to, 1, false)).toBe(states.to);
  expect(states.next(states.to, -1, false)).toBe(events.findLast(event => event.at < states.to)?.at);
});

test('with --mouse the wheel and clicks reach lens, trees unfold, and the terminal gets its mouse back', async () => {
  const run = recorded();
  await using terminal = new LensTerminal(
    ['replay', run, '--speed', '64', '--mouse'],
    { columns: 120, rows: 34 },
    {},
    run,
  );
  await terminal.until(/⏸/);
  const click = (row: number, column: number) =>
    terminal.press(`\u001b[<0;${column + 1};${row + 1}M\u001b[<0;${column + 1};${row + 1}m`);
  click(1, (terminal.text().split('\n')[1] ?? '').indexOf('evidence'));
  const list = await terminal.until(/› +\S+-\d+ +(ok|partial)/);
  const row = list.split('\n').findIndex(text => text.includes('collection-growth-1'));
  click(row, 10);
  await terminal.until(/› +collection-growth-1/);
  click(row, 10);
  await terminal.until(/All fields/);
  terminal.press('o');
  await terminal.until(/▾ times: 21 items/);
  terminal.press('\u001b[<65;9;9M'.repeat(3));
  await terminal.until(/^› active timers/m);
  terminal.press('M');
  await terminal.until(/drag selects text/);
  terminal.press('q');
  expect(await terminal.exited).toBe(0);
  expect(terminal.raw).toContain('\u001b[?1000h\u001b[?1006h');
  expect(terminal.raw.lastIndexOf('\u001b[?1000l')).toBeGreaterThan(terminal.raw.lastIndexOf('\u001b[?1000h'));
});

test('without being told lens leaves the mouse to the terminal', async () => {
  const run = recorded();
  await using terminal = new LensTerminal(['replay', run, '--speed', '64'], { columns: 120, rows: 34 }, {}, run);
  await terminal.until(/⏸/);
  terminal.press('q');
  await terminal.exited;
  expect(terminal.raw).not.toContain('\u001b[?1000h');
});
