import { sayBytes, sayMs } from '../base/say.js';
import type { HealthWord } from '../model/watch-event.js';
import type { WatchedState, WatchNews, WatchState } from '../report/watch-state.js';
import { sparkline } from './chart.js';
import { EMPTY, fit, type Line, line, type Span, span, type Tone, widthOf, wrap } from './line.js';
import { glyphOfSeverity, toneOfSeverity } from './severity.js';
import { MIN_SIZE, type Size } from './size.js';

/** What a person has chosen on the screen of a watch. */
export interface WatchUi {
  /** Row of the selected target. */
  readonly index: number;
  /** list: all targets and the news; target: one of them with all its metrics. */
  readonly page: 'list' | 'target';
  readonly scroll: number;
}

export const initialWatchUi: WatchUi = { index: 0, page: 'list', scroll: 0 };

/** What the frame is given beside the state: the time, and how a metric's number is said. */
export interface WatchSeat {
  readonly now: number;
  readonly ascii: boolean;
  readonly say: (metric: string, value: number) => string;
}

/** The whole screen of `lens watch`: exactly `rows` lines of `columns` cells. Pure: the same state gives the same frame. */
export function watchFrame(state: WatchState, ui: WatchUi, size: Size, seat: WatchSeat): Line[] {
  const small = size.columns < MIN_SIZE.columns || size.rows < MIN_SIZE.rows;
  const lines = small ? [line(`lens needs ${MIN_SIZE.columns}×${MIN_SIZE.rows}.`)] : whole(state, ui, size, seat);
  return Array.from({ length: size.rows }, (_, i) => fit(plainly(lines[i] ?? EMPTY, seat.ascii), size.columns));
}

function whole(state: WatchState, ui: WatchUi, size: Size, seat: WatchSeat): Line[] {
  const rows = size.rows - 2;
  const selected = selectedOf(state, ui);
  const body =
    ui.page === 'target' && selected
      ? detail(selected, state, size.columns, seat)
      : list(state, ui, { ...size, rows }, seat);
  const from = ui.page === 'target' ? Math.min(ui.scroll, Math.max(0, body.length - rows)) : 0;
  return [header(state, size.columns, seat), ...filled(body.slice(from), rows), footer(state, ui, size.columns)];
}

/** The target the cursor stands on; undefined while there is none. */
export const selectedOf = (state: WatchState, ui: WatchUi): WatchedState | undefined =>
  state.targets[Math.min(ui.index, state.targets.length - 1)];

const filled = (lines: readonly Line[], rows: number): Line[] =>
  Array.from({ length: rows }, (_, i) => lines[i] ?? EMPTY);

const ORDER: readonly HealthWord[] = ['healthy', 'warning', 'critical'];
const worst = (targets: readonly WatchedState[]): HealthWord =>
  ORDER[Math.max(0, ...targets.map(({ health }) => ORDER.indexOf(health)))] ?? 'healthy';

function header(state: WatchState, width: number, { now }: WatchSeat): Line {
  const health = worst(state.targets);
  const up = state.targets.filter(target => target.up).length;
  const word = state.stopped !== undefined ? `stopped: ${state.stopped}` : up === 0 ? 'nothing to watch yet' : health;
  const left = line(
    span(
      `${glyphOfSeverity(up === 0 ? 'observing' : health)} ${word} `,
      toneOfSeverity(up === 0 ? 'observing' : health),
    ),
    span(`watching ${shortened(state.watching)}`, 'bold'),
    span(`  ${up} up`, 'plain'),
    span(state.startedAt === undefined ? '' : `  ${sayMs(now - state.startedAt)}`, 'dim'),
  );
  const { status } = state;
  const own = status ? `lens ${status.cpuPercent.toFixed(1)} % ${sayBytes(status.rssBytes)}` : '';
  return sides(left, line(span(own, 'dim')), width);
}

/** A program given with -e has its whole text for a name. */
const MAX_NAME = 40;
const shortened = (text: string): string => (text.length > MAX_NAME ? `${text.slice(0, MAX_NAME - 1)}…` : text);

/** One line with both ends used; the right one gives way. */
function sides(left: Line, right: Line, width: number): Line {
  const room = width - widthOf(right) - 1;
  return room < widthOf(left) ? fit(left, width) : [...fit(left, width - widthOf(right)), ...right];
}

/** What a row shows of a target, where there is room for it. */
const COLUMNS = [
  { title: 'cpu', metric: 'cpu.percent' },
  { title: 'loop p99', metric: 'loop.delayP99Ms' },
  { title: 'rss', metric: 'memory.rssBytes' },
  { title: 'heap', metric: 'heap.usedBytes' },
  { title: 'fds', metric: 'fds.open' },
] as const;
const CELL = 10;
const SPARK = 14;
const NAME = 30;

function list(state: WatchState, ui: WatchUi, size: Size, seat: WatchSeat): Line[] {
  const rows = Math.max(1, Math.min(state.targets.length, Math.floor((size.rows - 3) / 2)));
  const index = Math.min(ui.index, state.targets.length - 1);
  const from = Math.max(0, Math.min(index - Math.floor(rows / 2), state.targets.length - rows));
  const shown = state.targets.slice(from, from + rows);
  const more = state.targets.length - shown.length;
  return [
    heading(size.columns),
    ...shown.map((target, i) => row(target, from + i === index, size.columns, seat)),
    line(span(more > 0 ? `  and ${more} more` : '', 'dim')),
    ...news(state.news, size.columns, seat),
  ];
}

const fitting = (width: number) => COLUMNS.slice(0, Math.max(1, Math.floor((width - NAME - SPARK - 6) / CELL)));

function heading(width: number): Line {
  const cells = fitting(width)
    .map(({ title }) => title.padStart(CELL))
    .join('');
  return line(span(`${'  target'.padEnd(NAME + 4)}${cells}  ${'loop busy'.padEnd(SPARK)}`, 'dim'));
}

function row(watched: WatchedState, isSelected: boolean, width: number, { say, ascii }: WatchSeat): Line {
  const { target, up, health, values, past, looking } = watched;
  const tone: Tone = up ? toneOfSeverity(health) : 'dim';
  const name = line(
    span(isSelected ? (ascii ? '>' : '▸') : ' ', 'accent'),
    span(`${up ? glyphOfSeverity(health) : '-'} `, tone),
    span(target.name, isSelected ? 'bold' : 'plain'),
    span(looking === undefined ? ` ${target.pid || ''}` : ' looking closer', looking === undefined ? 'dim' : 'accent'),
  );
  const cells = fitting(width).map(({ metric }): Span => {
    const value = values[metric];
    const burns = watched.firing.some(alert => alert.metric === metric);
    const text = value === undefined ? '·' : say(metric, value);
    return span(text.padStart(CELL), burns ? 'bad' : value === undefined ? 'dim' : 'plain');
  });
  const bars = sparkline(past['loop.utilization'] ?? [], SPARK, { low: 0, high: 1 }, ascii);
  return [...fit(name, NAME + 4), ...(up ? cells : [span('  away', 'warn')]), span(up ? `  ${bars}` : '', 'accent')];
}

const NEWS_TONE: { readonly [L in WatchNews['level']]: Tone } = {
  ...{ info: 'plain', good: 'good', healthy: 'good', warning: 'warn', critical: 'bad' },
};

function news(all: readonly WatchNews[], width: number, { now }: WatchSeat): Line[] {
  if (all.length === 0) return [line(span('  No news: everything is as usual.', 'dim'))];
  return all.flatMap(({ at, text, level }) => {
    const age = now - at < 1_000 ? 'now' : `${sayMs(now - at)} ago`;
    return wrap(text, width - 15).map((part, i) =>
      line(span(`${(i === 0 ? age : '').padStart(12)}  `, 'dim'), span(part, NEWS_TONE[level])),
    );
  });
}

const METRIC = 26;

/** One target with everything that is known of it. */
function detail(watched: WatchedState, state: WatchState, width: number, seat: WatchSeat): Line[] {
  const { target, nodeVersion, restarts, firing, values, past, looking } = watched;
  const spark = Math.max(SPARK, Math.min(120, width - METRIC - CELL - 6));
  const names = Object.keys(past);
  const burning = (metric: string) => firing.some(alert => alert.metric === metric);
  return [
    line(
      span(` ${target.name}`, 'bold'),
      span(`  pid ${target.pid}  ${nodeVersion ?? ''}  ${restarts} restarts`, 'dim'),
    ),
    ...firing.flatMap(({ title, level }) =>
      wrap(title, width - 4).map(text => line(span(` ${glyphOfSeverity(level)} ${text}`, toneOfSeverity(level)))),
    ),
    ...(looking === undefined
      ? []
      : wrap(`looking closer: ${looking}`, width - 2).map(text => line(span(` ${text}`, 'accent')))),
    EMPTY,
    ...[...names.filter(burning), ...names.filter(name => !burning(name))].map(metric => {
      const value = values[metric];
      const burns = burning(metric);
      const series = past[metric] ?? [];
      const range = {
        low: Math.min(...series.filter(Number.isFinite)),
        high: Math.max(...series.filter(Number.isFinite)),
      };
      return line(
        span(` ${metric}`.padEnd(METRIC), burns ? 'bad' : 'plain'),
        span((value === undefined ? '·' : seat.say(metric, value)).padStart(CELL), burns ? 'bad' : 'bold'),
        span(`  ${sparkline(series, Math.min(spark, series.length), range, seat.ascii)}`, 'accent'),
      );
    }),
    EMPTY,
    ...news(
      state.news.filter(({ about }) => about?.fingerprint === target.fingerprint && about.twin === target.twin),
      width,
      seat,
    ),
  ];
}

function footer(state: WatchState, ui: WatchUi, width: number): Line {
  const keys = ui.page === 'list' ? '↑↓ choose  enter look at it  q leave' : '↑↓ scroll  esc back  q leave';
  const waiting = Object.values(state.status?.waiting ?? {}).reduce((sum, count) => sum + count, 0);
  const dropped = Object.values(state.status?.dropped ?? {}).reduce((sum, count) => sum + count, 0);
  const said = [waiting > 0 ? `${waiting} events wait for sinks` : '', dropped > 0 ? `${dropped} dropped` : ''];
  return sides(line(span(` ${keys}`, 'dim')), line(span(said.filter(Boolean).join(', '), 'warn')), width);
}

const ASCII: { readonly [char: string]: string } = {
  '✔': '+',
  '▲': '!',
  '✖': 'x',
  '○': 'o',
  '↑': '^',
  '↓': 'v',
  '·': '.',
  '…': '~',
  '×': 'x',
  '“': '"',
  '”': '"',
};

function plainly(spans: Line, ascii: boolean): Line {
  if (!ascii) return spans;
  return spans.map(({ text, tone }) => ({
    text: [...text].map(char => ASCII[char] ?? (char.charCodeAt(0) > 126 ? '?' : char)).join(''),
    tone,
  }));
}
