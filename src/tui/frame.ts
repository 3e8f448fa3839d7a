import { sayBytes, sayMs } from '../base/say.js';
import { EMPTY, fit, type Line, line, span, type Tone, widthOf, wrap } from './line.js';
import { firstShown, paletteRows } from './lists.js';
import { isOpened } from './opened.js';
import { evidence } from './screens/evidence.js';
import { helpLines } from './screens/help.js';
import { investigation } from './screens/investigation.js';
import { overview } from './screens/overview.js';
import { picker } from './screens/picker.js';
import { compare, replayFooter } from './screens/replay.js';
import { pageOf, scrolledLines } from './screens/scrolled.js';
import { skillChoice } from './screens/skill-choice.js';
import { glyphOfSeverity, toneOfSeverity } from './severity.js';
import { bodySize, MIN_SIZE, type Size } from './size.js';
import { SCREENS, tabOf, type Ui } from './ui.js';
import type { World } from './world.js';

/** The whole screen: exactly `rows` lines of `columns` cells. Pure: the same world gives the same frame. */
export function frame(world: World, ui: Ui, size: Size, ascii: boolean): Line[] {
  const lines =
    size.columns < MIN_SIZE.columns || size.rows < MIN_SIZE.rows ? tooSmall(size) : whole(world, ui, size, ascii);
  return lines.map(l => fit(ascii ? asciiOnly(l) : l, size.columns));
}

function tooSmall(size: Size): Line[] {
  return filled(
    [
      line(`lens needs ${MIN_SIZE.columns}×${MIN_SIZE.rows}, this is ${size.columns}×${size.rows}.`),
      line('Make the window larger, or use: lens run'),
    ],
    size,
  );
}

function whole(world: World, ui: Ui, size: Size, ascii: boolean): Line[] {
  const room = bodySize(size);
  return [
    ...header(world, ui, size.columns),
    ...filled(body(world, ui, room, ascii), room),
    footer(world, ui, size.columns),
  ];
}

function filled(lines: readonly Line[], size: Size): Line[] {
  return Array.from({ length: size.rows }, (_, i) => fit(lines[i] ?? EMPTY, size.columns));
}

function header(world: World, ui: Ui, width: number): Line[] {
  const { target, report: done, lost, startedAt } = world.run;
  const word = lost ? 'inconclusive' : (done?.verdict ?? 'observing');
  const state = lost
    ? 'target lost'
    : done
      ? done.verdict
      : world.choices
        ? 'choose'
        : target
          ? startedAt
            ? 'investigating'
            : 'watching'
          : 'attaching';
  const now = done ? done.run.finishedAt : world.now;
  const left = line(
    span(`${glyphOfSeverity(word)} ${state} `, toneOfSeverity(word)),
    span(target ? nameOf(target) : '', 'bold'),
    span(target ? `  pid ${target.pid}  Node ${target.nodeVersion.replace(/^v/, '')}` : '', 'plain'),
    span(startedAt ? `  ${sayMs(Math.max(0, now - startedAt))}` : '', 'dim'),
    span(world.run.held ? '  PAUSED' : '', 'warn'),
  );
  const own = world.overhead
    ? `lens ${Math.round(world.overhead.cpuPercent)} % ${sayBytes(world.overhead.rssBytes)}`
    : '';
  const tabs = SCREENS.map(screen => span(tabOf(screen, width), screen === ui.screen ? 'inverse' : 'dim'));
  const reading = [...new Set(world.run.waitingFor)];
  const busy =
    done || reading.length === 0 ? '' : `reading ${reading.slice(0, 3).join(', ')}${reading.length > 3 ? ', …' : ''}`;
  return [sides(left, line(span(own, 'dim')), width), sides(line(...tabs), line(span(busy, 'dim')), width)];
}

/** The entry's last folder and file say more than the whole path cut off. */
function nameOf({ name, entry, command }: NonNullable<World['run']['target']>): string {
  const said = name ?? (entry ?? command).split('/').slice(-2).join('/');
  return said.length > MAX_NAME ? `${said.slice(0, MAX_NAME - 1)}…` : said;
}

/** A program given with -e has its whole text for a name. */
const MAX_NAME = 40;

/** One line with both ends used; the right one gives way. */
function sides(left: Line, right: Line, width: number): Line {
  const room = width - widthOf(left) - 1;
  return widthOf(right) > room ? fit(left, width) : [...fit(left, width - widthOf(right)), ...right];
}

function body(world: World, ui: Ui, size: Size, ascii: boolean): Line[] {
  if (world.choices) return picker(world, ui, size.rows);
  if (world.consent) return consent(world.consent, size.columns);
  if (ui.overlay.kind === 'help') return pageOf(helpLines(world, ui, size), ui.overlay.scroll, size.rows);
  if (ui.overlay.kind === 'compare') return compare(world, ui, size.columns);
  if (ui.overlay.kind === 'skills') return skillChoice(world, ui.overlay, size.rows);
  if (ui.overlay.kind === 'palette') return palette(ui.overlay.input, ui.overlay.index, world, size.rows);
  const text = scrolledLines(world, ui, size.columns);
  if (text) return pageOf(text, ui.scroll[ui.screen], size.rows);
  switch (ui.screen) {
    case 'investigation':
      return investigation(world, ui, size);
    case 'evidence':
      return evidence(world, ui, size.rows);
    default:
      return overview(world, size, ascii);
  }
}

function consent(ask: NonNullable<World['consent']>, width: number): Line[] {
  const part = (label: string, tone: Tone, text: string) =>
    wrap(text, width - 14).map((row, i) => line(span((i === 0 ? label : '').padEnd(12), tone), row));
  return [
    [],
    line(span(`Take this reading? ${ask.title}`, 'bold')),
    [],
    ...part('It costs', 'warn', ask.costs),
    ...part('It helps', 'good', ask.helps),
    [],
    line(span('y', 'accent'), '  take it once'),
    line(span('n', 'accent'), '  go without it'),
  ];
}

function palette(input: string, index: number, world: World, height: number): Line[] {
  const rows = paletteRows(input, world);
  const room = height - 2;
  const first = firstShown(index, rows.length, room);
  return [
    line(span(`: ${input}▏`, 'bold')),
    [],
    ...rows
      .slice(first, first + room)
      .map((row, i) =>
        line(
          span(first + i === index ? '› ' : '  ', 'accent'),
          span(row.name.padEnd(26), first + i === index ? 'bold' : 'plain'),
          span(row.about, 'dim'),
        ),
      ),
    ...(rows.length === 0 ? [line(span('no command matches (esc: back)', 'dim'))] : []),
  ];
}

function footer(world: World, ui: Ui, width: number): Line {
  const { overlay } = ui;
  if (overlay.kind === 'filter') return typed('/', overlay.input, 'enter keeps, esc clears');
  if (overlay.kind === 'ask') return typed('ask:', overlay.input, 'enter sends, esc leaves');
  if (overlay.kind === 'note') return typed('note:', overlay.input, 'enter keeps, esc leaves');
  if (overlay.kind === 'skills') return line(span(SKILL_KEYS, 'dim'));
  if (ui.notice !== undefined) return line(span(ui.notice, 'accent'));
  if (world.choices) return line(span('j k move   / filter   enter attaches   q leaves', 'dim'));
  if (world.consent) return line(span('y takes it   n goes without it', 'dim'));
  if (world.replay) return replayFooter(world.replay, width);
  const keys = isOpened(ui) ? OPENED_KEYS : listKeys(world);
  return line(span(fitting(keys, width), 'dim'));
}

/** The keys that find room whole; the last one always stays, as it is the way out. */
function fitting(keys: readonly string[], width: number): string {
  const wide = keys.join('   ');
  const text = wide.length <= width ? wide : keys.join('  ');
  return text.length <= width || keys.length <= 2 ? text : fitting(keys.toSpliced(-2, 1), width);
}

const OPENED_KEYS = ['enter unfolds', 'o all', 'esc back', 'e pin', '/ filter', '? help', 'q quit'];

const SKILL_KEYS = 'space takes or leaves   a all   n none   enter looks   esc back';

function listKeys({ run }: World): readonly string[] {
  return ['? help', ': commands', '/ filter', ...actKeys(run), 'q quit'];
}

function actKeys({ report, startedAt, held }: World['run']): readonly string[] {
  if (report) return ['a ask', 'r again', 's skills', 'w write'];
  if (startedAt === 0) return ['r begin', 's skills', 'a ask'];
  return ['a ask', held ? 'p go on' : 'p pause', 'i conclude'];
}

function typed(label: string, input: string, how: string): Line {
  return line(span(`${label} ${input}▏`, 'bold'), span(`  ${how}`, 'dim'));
}

const ASCII: { readonly [glyph: string]: string } = {
  '│': '|',
  '›': '>',
  '✔': '+',
  '○': 'o',
  '✖': 'x',
  '…': '~',
  '▏': '_',
  '─': '-',
  '●': '*',
  '▸': '+',
  '▾': '-',
  '’': "'",
  '▶': '>',
  '⏸': '=',
  '▁': '_',
  '▂': '.',
  '▃': '-',
  '▄': '~',
  '▅': '=',
  '▆': '+',
  '▇': '*',
  '█': '#',
  '░': '.',
  '×': 'x',
  '→': '>',
  '└': '`',
  '◆': '#',
  '»': '>',
  '·': '.',
  '▲': '!',
  '“': '"',
  '”': '"',
};

/** For terminals that draw nothing else. */
function asciiOnly(spans: Line): Line {
  return spans.map(s => ({ ...s, text: s.text.replace(/[^\x20-\x7e]/gu, char => ASCII[char] ?? '?') }));
}
