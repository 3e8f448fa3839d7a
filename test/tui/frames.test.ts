import fc from 'fast-check';
import { expect, test } from 'vitest';
import { initialState, reduce } from '../../src/report/state.js';
import { frame } from '../../src/tui/frame.js';
import { type Key, press } from '../../src/tui/keys.js';
import { plain, widthOf } from '../../src/tui/line.js';
import type { Size } from '../../src/tui/size.js';
import { initialUi, SCREENS, type Ui } from '../../src/tui/ui.js';
import type { World } from '../../src/tui/world.js';
import { events, states, worldAt } from './world.js';

const SIZES = [
  { columns: 80, rows: 24 },
  { columns: 120, rows: 34 },
  { columns: 200, rows: 50 },
] as const;

const textOf = (ui: Ui, size: Size, at: number, ascii = false) =>
  frame(worldAt(at), ui, size, ascii)
    .map(line => plain(line).trimEnd())
    .join('\n');

const OPENED: Ui = { ...initialUi, screen: 'evidence', opened: 'collection-growth-1' };

test.each(SIZES)('every screen of a recorded run at $columns×$rows, midway and at its end', async size => {
  const middle = (states.from + states.to) / 2;
  const parts = [middle, states.to].flatMap(at => [
    ...SCREENS.map(screen => [`${screen} at ${at - states.from} ms`, textOf({ ...initialUi, screen }, size, at)]),
    [`opened evidence at ${at - states.from} ms`, textOf(OPENED, size, at)],
  ]);
  const text = parts.map(([name, frameText]) => `=== ${name}\n${frameText}\n`).join('');
  await expect(text).toMatchFileSnapshot(`golden/${size.columns}x${size.rows}.txt`);
});

test('a replayed moment looks exactly as it did live, from the same events', () => {
  const size = { columns: 120, rows: 34 };
  let live = initialState;
  for (const [i, event] of events.entries()) {
    live = reduce(live, event);
    if (events[i + 1]?.at === event.at) continue;
    const shown = frame({ ...worldAt(event.at), run: live }, initialUi, size, false);
    expect(frame(worldAt(event.at), initialUi, size, false)).toEqual(shown);
  }
});

test('ASCII draws nothing else, whatever the screen', () => {
  for (const screen of SCREENS)
    expect(textOf({ ...initialUi, screen }, SIZES[1], states.to, true)).toMatch(/^[\x20-\x7e\n]*$/);
});

test('below 60×15 there is a polite word and nothing else', () => {
  expect(plain(frame(worldAt(states.to), initialUi, { columns: 59, rows: 14 }, false)[0] ?? []).trim()).toBe(
    'lens needs 60×15, this is 59×14.',
  );
});

const KEY = fc.oneof(
  fc.constantFrom<Key>(
    ...(
      [
        'up',
        'down',
        'left',
        'right',
        'pageUp',
        'pageDown',
        'return',
        'escape',
        'tab',
        'backspace',
        'home',
        'end',
        'paste',
      ] as const
    ).map(name => ({ input: name === 'paste' ? 'q\n\u001b[31m' : '', name })),
  ),
  fc.string({ unit: 'grapheme', minLength: 1, maxLength: 1 }).map((input): Key => ({ input })),
  fc
    .record({
      name: fc.constantFrom('click' as const, 'wheelUp' as const, 'wheelDown' as const),
      at: fc.record({ column: fc.integer({ min: 0, max: 300 }), row: fc.integer({ min: 0, max: 80 }) }),
    })
    .map((mouse): Key => ({ input: '', ...mouse })),
  fc.constantFrom(...'12345?:/aeirwcpqnmdoM[]+- gGjk').map((input): Key => ({ input })),
);

test('whatever is pressed, at whatever size, a frame fills the screen exactly and lets no control character through', () => {
  const size = fc.record({ columns: fc.integer({ min: 1, max: 300 }), rows: fc.integer({ min: 1, max: 80 }) });
  const moment = fc.integer({ min: states.from, max: states.to });
  fc.assert(
    fc.property(fc.array(KEY, { maxLength: 30 }), size, moment, fc.boolean(), (keys, size, at, ascii) => {
      const world = worldAt(at);
      const ui = keys.reduce((before, key) => press(before, key, world, size).ui, initialUi);
      const lines = frame(world, ui, size, ascii);
      expect(lines).toHaveLength(size.rows);
      for (const line of lines) {
        expect(widthOf(line)).toBe(size.columns);
        // biome-ignore lint/suspicious/noControlCharactersInRegex: exactly those must not come through
        expect(plain(line)).not.toMatch(/[\u0000-\u001f\u007f-\u009f]/);
      }
    }),
    { numRuns: 150 },
  );
});

test('scrolling to the end shows the end, and one key up moves at once', () => {
  const size = { columns: 80, rows: 24 };
  const world = worldAt(states.to);
  const go = (ui: Ui, input: string) => press(ui, { input }, world, size).ui;
  const end = go(go(initialUi, '5'), 'G');
  expect(textOf(end, size, states.to)).toContain('Nothing of lens is left in the target.');
  const up = go(end, 'k');
  expect(textOf(up, size, states.to)).not.toBe(textOf(end, size, states.to));
  expect(go(up, 'g').scroll.report).toBe(0);
});

test('help and palette name only what works now', () => {
  const size = { columns: 100, rows: 40 };
  const running = worldAt(states.from + 1000);
  const done = worldAt(states.to);
  const help = (world: typeof done) =>
    frame(world, { ...initialUi, overlay: { kind: 'help', scroll: 0 } }, size, false)
      .map(plain)
      .join('\n');
  expect(help(running)).toContain('stop the operators and conclude');
  expect(help(done)).not.toContain('stop the operators and conclude');
  const palette = (world: typeof done) =>
    frame(world, { ...initialUi, overlay: { kind: 'palette', input: 're', index: 0 } }, size, false)
      .map(plain)
      .join('\n');
  expect(palette(done)).toContain('rerun');
  expect(palette(running)).not.toContain('rerun');
});

test('a dialog that comes up while somebody types does not take the y of a word for a yes', () => {
  const consent = { title: 'Heap snapshot', costs: 'a pause', helps: 'much' };
  const size = { columns: 100, rows: 30 };
  const typing: Ui = { ...initialUi, overlay: { kind: 'ask', input: 'wh' } };
  const { ui, command } = press(typing, { input: 'y' }, worldAt(states.from, { consent }), size);
  expect(command).toBeUndefined();
  expect(ui.overlay).toEqual({ kind: 'ask', input: 'why' });
  const plainly = press(initialUi, { input: 'y' }, worldAt(states.from, { consent }), size);
  expect(plainly.command).toEqual({ do: 'consent', given: true });
});

test('requests a second stand among the numbers once traffic was read, and not where nothing is served', () => {
  const size = { columns: 120, rows: 34 };
  const shown = (at: number, requestRate: World['requestRate']) =>
    frame(worldAt(at, { ...(requestRate && { requestRate }) }), initialUi, size, false)
      .map(plain)
      .join('\n');
  expect(shown(states.from + 500, () => 120)).not.toMatch(/requests +\d/);
  expect(shown(states.to, () => 120)).toMatch(/requests +120 \/s/);
  expect(shown(states.to, () => undefined)).not.toMatch(/requests +\d/);
});

test('an operator that has looked at nothing yet, or was stopped, is not called healthy', () => {
  const event = events.find(e => e.type === 'operator.started');
  const started = reduce(initialState, event ?? fail());
  const shown = (run: typeof started) =>
    frame({ ...worldAt(states.from), run }, { ...initialUi, screen: 'investigation' }, SIZES[1], false)
      .map(plain)
      .join('\n');
  expect(shown(started)).not.toMatch(/healthy|✔/);
  expect(shown(started)).toContain('observing');
});

function fail(): never {
  throw new Error('the recording holds no operator');
}

test('the picker shows what runs, not where its node lies', () => {
  const choices = [
    { pid: 7, command: '/opt/very/long/bin/node --inspect /srv/shop/server.js', about: '/srv', mayAttach: true },
  ];
  const shown = frame({ ...worldAt(states.from), choices }, initialUi, SIZES[0], false)
    .map(plain)
    .join('\n');
  expect(shown).toMatch(/7 {2}node --inspect \/srv\/shop\/server\.js/);
});
