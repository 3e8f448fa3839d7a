import { sayBytes, sayMs } from '../base/say.js';
import { EMPTY, fit, type Line, line, span } from './line.js';
import { paletteRows } from './lists.js';
import { evidence } from './screens/evidence.js';
import { investigation } from './screens/investigation.js';
import { overview } from './screens/overview.js';
import { picker } from './screens/picker.js';
import { report } from './screens/report.js';
import { source } from './screens/source.js';
import { glyphOfSeverity, toneOfSeverity } from './severity.js';
import { SCREENS, type Ui } from './ui.js';
import type { World } from './world.js';

export interface Size {
  readonly columns: number;
  readonly rows: number;
}

/** Smaller than this nothing useful fits. */
const MIN: Size = { columns: 60, rows: 15 };
const HEADER = 2;
const FOOTER = 1;

/** The whole screen: exactly `rows` lines of `columns` cells. Pure: the same world gives the same frame. */
export function frame(world: World, ui: Ui, size: Size, ascii: boolean): Line[] {
  if (size.columns < MIN.columns || size.rows < MIN.rows)
    return filled(
      [
        line(`lens needs ${MIN.columns}×${MIN.rows}, this is ${size.columns}×${size.rows}.`),
        line('Make the window larger, or use: lens run'),
      ],
      size,
    );
  const height = size.rows - HEADER - FOOTER;
  const lines = [
    ...header(world, ui, size.columns),
    ...filled(body(world, ui, { columns: size.columns, rows: height }, ascii), { columns: size.columns, rows: height }),
    footer(world, ui),
  ];
  return lines.map(l => fit(ascii ? asciiOnly(l) : l, size.columns));
}

function filled(lines: readonly Line[], size: Size): Line[] {
  return Array.from({ length: size.rows }, (_, i) => fit(lines[i] ?? EMPTY, size.columns));
}

function header(world: World, ui: Ui, width: number): Line[] {
  const { target, report: done, lost, startedAt } = world.run;
  const word = done?.verdict ?? (lost ? 'inconclusive' : 'observing');
  const who = target
    ? `${target.name ?? target.entry ?? target.command}  pid ${target.pid}  Node ${target.nodeVersion}`
    : 'attaching…';
  const own = world.overhead
    ? `lens ${Math.round(world.overhead.cpuPercent)} % ${sayBytes(world.overhead.rssBytes)}`
    : '';
  const tabs = SCREENS.flatMap((screen, i) => [span(` ${i + 1} ${screen} `, screen === ui.screen ? 'inverse' : 'dim')]);
  const state = lost ? 'target lost' : done ? done.verdict : 'investigating';
  return [
    line(
      span(`${glyphOfSeverity(word)} ${state} `, toneOfSeverity(word)),
      span(who, 'bold'),
      span(
        `  ${startedAt ? sayMs(Math.max(0, world.now - startedAt)) : ''}  ${ui.paused ? 'PAUSED  ' : ''}${own}`,
        'dim',
      ),
    ),
    fit(line(...tabs), width),
  ];
}

function body(world: World, ui: Ui, size: Size, ascii: boolean): Line[] {
  if (world.choices) return picker(world, ui);
  if (world.consent) return consent(world.consent);
  if (ui.overlay.kind === 'help') return help(world);
  if (ui.overlay.kind === 'palette') return palette(ui.overlay.input, ui.overlay.index);
  switch (ui.screen) {
    case 'overview':
      return overview(world, size.columns, ascii);
    case 'investigation':
      return investigation(world, ui, size.columns, size.rows);
    case 'evidence':
      return evidence(world, ui, size.columns, size.rows);
    case 'source':
      return source(world, ui, size.columns, size.rows);
    case 'report':
      return report(world, ui, size.columns, size.rows);
    default:
      return ui.screen satisfies never;
  }
}

function consent(ask: NonNullable<World['consent']>): Line[] {
  return [
    [],
    line(span(`Take this reading? ${ask.title}`, 'bold')),
    line(span('It costs: ', 'warn'), ask.costs),
    line(span('It helps: ', 'good'), ask.helps),
    [],
    line('y  take it      n  go without it'),
  ];
}

function help(world: World): Line[] {
  const keys: readonly (readonly [string, string])[] = [
    ['1-5, tab', 'screens'],
    ['j k, arrows, g G, PgUp PgDn', 'move, scroll'],
    ['enter, esc', 'open, back'],
    ['/', 'filter the list'],
    [':', 'commands'],
    ['a', 'ask a question, or add a hint'],
    ['i, ctrl-c', 'interrupt the operators and conclude'],
    ['r', 'investigate once more'],
    ['p', 'pause the display'],
    ['e', 'pin the chosen evidence to the report'],
    ['c', 'copy the culprit, or the report'],
    ['w', 'write the report'],
    ...(world.replay ? [['space, [ ]', 'play, step through the recorded run'] as const] : []),
    ['ctrl-l', 'redraw'],
    ['q', 'detach and leave'],
  ];
  return [
    line(span('Keys', 'bold')),
    [],
    ...keys.map(([key, what]) => line(span(key.padEnd(30), 'accent'), what)),
    [],
    line(span('any key: back', 'dim')),
  ];
}

function palette(input: string, index: number): Line[] {
  const rows = paletteRows(input);
  return [
    line(span(`: ${input}▏`, 'bold')),
    [],
    ...rows.map((row, i) =>
      line(
        span(i === index ? '› ' : '  ', 'accent'),
        span(row.name.padEnd(26), i === index ? 'bold' : 'plain'),
        span(row.about, 'dim'),
      ),
    ),
    ...(rows.length === 0 ? [line(span('no command matches', 'dim'))] : []),
  ];
}

function footer(world: World, ui: Ui): Line {
  if (ui.overlay.kind === 'filter')
    return line(span(`/ ${ui.overlay.input}▏`, 'bold'), span('  enter keeps, esc clears', 'dim'));
  if (ui.overlay.kind === 'ask')
    return line(span(`ask: ${ui.overlay.input}▏`, 'bold'), span('  enter sends, esc leaves', 'dim'));
  if (ui.notice !== undefined) return line(span(ui.notice, 'accent'));
  if (world.replay) return replayFooter(world.replay);
  const keys = [
    '? help',
    ': commands',
    '/ filter',
    ...(world.run.report ? ['r again', 'w write'] : ['i interrupt']),
    'q quit',
  ];
  return line(span(keys.join('   '), 'dim'));
}

function replayFooter(replay: NonNullable<World['replay']>): Line {
  const share = (replay.at - replay.from) / Math.max(1, replay.to - replay.from);
  const track = `${'─'.repeat(Math.round(share * 30))}●${'─'.repeat(30 - Math.round(share * 30))}`;
  return line(
    span(
      `${replay.playing ? '▶' : '⏸'} ${sayMs(replay.at - replay.from)} ${track} ${sayMs(replay.to - replay.from)}`,
      'accent',
    ),
    span('  space plays, [ ] step, q leaves', 'dim'),
  );
}

const ASCII: { readonly [glyph: string]: string } = {
  '│': '|',
  '›': '>',
  '✔': '+',
  '○': 'o',
  '▲': '!',
  '✖': 'x',
  '…': '~',
  '▏': '_',
  '─': '-',
  '●': '*',
  '▶': '>',
  '⏸': '=',
  '█': '#',
  '░': '.',
  '×': 'x',
  '→': '->',
  '“': '"',
  '”': '"',
};

/** For terminals that draw nothing else. */
function asciiOnly(spans: Line): Line {
  return spans.map(s => ({ ...s, text: s.text.replace(/[^\x20-\x7e]/gu, char => ASCII[char] ?? '?') }));
}
