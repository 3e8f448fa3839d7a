import { expect, test } from 'vitest';
import { frame } from '../../src/tui/frame.js';
import { parseKeys } from '../../src/tui/input.js';
import { type Key, press } from '../../src/tui/keys.js';
import { plain } from '../../src/tui/line.js';
import { initialUi, type Ui, type UiCommand } from '../../src/tui/ui.js';
import type { EvidenceView, World } from '../../src/tui/world.js';
import { states, worldAt } from './world.js';

const SIZE = { columns: 100, rows: 30 };
const leaf = (label: string) => ({ label, children: [] });
const VIEW: EvidenceView = {
  title: 'heap-snapshot-1: ok',
  sections: [
    { kind: 'text', title: 'A file', lines: ['one line'] },
    {
      kind: 'tree',
      title: 'Retaining paths',
      roots: [
        { label: 'sessions', children: [{ label: 'module cart.js', children: [leaf('Map of carts')] }] },
        { label: 'timers', children: [leaf('Timeout')] },
      ],
    },
  ],
};
const world = worldAt(states.to, { view: () => VIEW });
const opened: Ui = { ...initialUi, screen: 'evidence', opened: 'heap-snapshot-1' };

function pressed(ui: Ui, keys: string, at: World = world): { ui: Ui; commands: UiCommand[] } {
  const commands: UiCommand[] = [];
  for (const key of parseKeys(keys, true).keys) {
    const next = press(ui, key, at, SIZE);
    ui = next.ui;
    if (next.command) commands.push(next.command);
  }
  return { ui, commands };
}

const shown = (ui: Ui, at: World = world) => frame(at, ui, SIZE, false).map(line => plain(line).trimEnd());
const DOWN_TO_SESSIONS = 'j'.repeat(6);
const RIGHT = '\u001b[C';
const LEFT = '\u001b[D';
const mouse = (row: number, column: number, button = 0) => `\u001b[<${button};${column + 1};${row + 1}M`;

test('} goes to the next section and { to the one before, in evidence and in the report', () => {
  const there = pressed(opened, '}}').ui;
  expect(shown(there).join('\n')).toMatch(/› Retaining paths/);
  expect(shown(pressed(there, '{').ui).join('\n')).toMatch(/› A file/);
  const report: Ui = { ...initialUi, screen: 'report' };
  const small = { columns: 80, rows: 20 };
  const top = (ui: Ui) => plain(frame(world, ui, small, false)[2] ?? []).trim();
  const next = press(report, { input: '}' }, world, small).ui;
  expect(top(next)).toMatch(/^1\. /);
  expect(top(press(press(next, { input: '}' }, world, small).ui, { input: '{' }, world, small).ui)).toBe(top(next));
});

test('trees come folded; enter unfolds one, right goes in, left folds and goes out', () => {
  expect(shown(opened).join('\n')).toMatch(/▸ sessions\n {2}▸ timers/);
  const { ui } = pressed(opened, `${DOWN_TO_SESSIONS}\r`);
  expect(shown(ui).join('\n')).toMatch(/› ▾ sessions\n {4}▸ module cart\.js\n {2}▸ timers/);
  const inside = pressed(ui, RIGHT + RIGHT).ui;
  expect(shown(inside).join('\n')).toMatch(/▾ sessions\n› {3}▾ module cart\.js\n {8}Map of carts/);
  const out = pressed(inside, LEFT + LEFT).ui;
  expect(shown(out).join('\n')).toMatch(/› ▾ sessions\n {4}▸ module cart\.js\n {2}▸ timers/);
});

test('o unfolds everything and folds everything, the cursor stays with what it stood on', () => {
  const all = pressed(opened, `${DOWN_TO_SESSIONS}jo`).ui;
  expect(shown(all).join('\n')).toMatch(/▾ sessions\n {4}▾ module cart\.js\n {8}Map of carts\n› ▾ timers\n {6}Timeout/);
  expect(shown(pressed(all, 'o').ui).join('\n')).toMatch(/▸ sessions\n› ▸ timers/);
});

test('a filter unfolds down to what matches, and c copies the line of the cursor', () => {
  const { ui } = pressed(opened, '/carts\r');
  const text = shown(ui).join('\n');
  expect(text).toContain('Map of carts');
  expect(text).not.toContain('timers');
  expect(pressed(opened, `${DOWN_TO_SESSIONS}c`).commands).toEqual([{ do: 'copy', text: 'sessions' }]);
});

test('what was unfolded is forgotten with the evidence', () => {
  const { ui } = pressed(opened, `${DOWN_TO_SESSIONS}o\u001b`);
  expect(ui.opened).toBeUndefined();
  expect(ui.folds).toEqual({ own: {} });
});

test('in a replay the arrows move along the time line, except in a tree', () => {
  const replay = { at: states.from, from: states.from, to: states.to, playing: false, speed: 1 };
  const replayed = { ...world, replay: { ...replay, notable: [], annotations: [], stateAt: () => world.run } };
  expect(pressed(opened, RIGHT, replayed).commands).toEqual([
    { do: 'seek', to: states.from + (states.to - states.from) / 20 },
  ]);
  expect(pressed(opened, DOWN_TO_SESSIONS + RIGHT, replayed).commands).toEqual([]);
  const footer = shown(opened, replayed).at(-1) ?? '';
  const [first = 0, last = 0] = [footer.indexOf('●'), footer.lastIndexOf('─')];
  expect(pressed(opened, mouse(SIZE.rows - 1, last), replayed).commands).toEqual([{ do: 'seek', to: states.to }]);
  expect(pressed(opened, mouse(SIZE.rows - 1, first), replayed).commands).toEqual([{ do: 'seek', to: states.from }]);
});

test('a click goes to a tab, chooses a row, opens it when it is chosen, and unfolds; the wheel moves', () => {
  const tabs = shown(initialUi)[1] ?? '';
  const evidence = pressed(initialUi, mouse(1, tabs.indexOf('evidence'))).ui;
  expect(evidence.screen).toBe('evidence');
  const third = pressed(evidence, mouse(2 + 2, 10)).ui;
  expect(third).toMatchObject({ cursor: { evidence: 2 } });
  expect(third.opened).toBeUndefined();
  expect(pressed(third, mouse(2 + 2, 10)).ui.opened).toBe(/\S+-\d+/.exec(shown(evidence)[4] ?? '')?.[0]);
  expect(pressed(evidence, mouse(10, 10, 65)).ui.cursor.evidence).toBe(3);
  const sessions = shown(opened).findIndex(row => row.includes('sessions'));
  expect(shown(pressed(opened, mouse(sessions, 5)).ui).join('\n')).toContain('▾ sessions');
  const operators = pressed(initialUi, `2${mouse(2 + 3, 5)}`).ui;
  expect(shown(operators)[5]).toMatch(/^›/);
});

test('a click answers no question', () => {
  const asked = worldAt(states.from, { consent: { title: 'Heap snapshot', costs: 'a pause', helps: 'much' } });
  for (let row = 0; row < SIZE.rows; row++) expect(pressed(initialUi, mouse(row, 2), asked).commands).toEqual([]);
});

test('M takes the mouse and gives it back', () => {
  const { ui, commands } = pressed(initialUi, 'M');
  expect(commands).toEqual([{ do: 'mouse', on: true }]);
  expect(pressed(ui, 'M').commands).toEqual([{ do: 'mouse', on: false }]);
});

test('help scrolls where it is longer than the screen, and any other key goes back', () => {
  const small = { columns: 60, rows: 15 };
  const key = (input: string): Key => ({ input });
  const help = press(initialUi, key('?'), world, small).ui;
  const first = frame(world, help, small, false).map(plain).join('\n');
  expect(first).not.toContain('detach and leave');
  const last = press(help, key('G'), world, small).ui;
  expect(frame(world, last, small, false).map(plain).join('\n')).toContain('detach and leave');
  expect(press(last, key('x'), world, small).ui.overlay.kind).toBe('none');
  expect(press(press(initialUi, key('?'), world, SIZE).ui, key('j'), world, SIZE).ui.overlay.kind).toBe('none');
});
