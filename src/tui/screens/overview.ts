import { sayBytes, sayCount } from '../../base/say.js';
import type { Insight } from '../../model/insight.js';
import { place } from '../../report/markdown.js';
import { bar, columns, sparkline } from '../chart.js';
import { beside, fit, type Line, line, span, wrap } from '../line.js';
import { glyphOfSeverity, toneOfSeverity } from '../severity.js';
import { hasTwoPanes, type Size } from '../size.js';
import type { World } from '../world.js';

interface Gauge {
  readonly label: string;
  readonly name: string;
  readonly say: (value: number) => string;
  /** Its past, when no vitals hold it. */
  readonly past?: (world: World) => readonly number[];
  /** Where the sparkline's top lies; undefined: the largest value seen. */
  readonly top?: (world: World) => number | undefined;
  /** From here on the number is worth a look: shown beside it. */
  readonly warnAt?: (world: World) => number | undefined;
}

const percent = (value: number) => `${Math.round(value)} %`;
const latest = (world: World, name: string): number | undefined =>
  world.run.vitals.findLast(v => Number.isFinite(v.values[name]))?.values[name];
/** DESIGN §7: 75 % of a limit is a warning. */
const NEAR_LIMIT = 0.75;
/** A user notices an answer that comes a tenth of a second late (Nielsen 1993). */
const SLOW_LOOP_MS = 100;

const GAUGES: readonly Gauge[] = [
  { label: 'resident', name: 'rssBytes', say: sayBytes },
  {
    label: 'heap',
    name: 'heapUsedBytes',
    say: sayBytes,
    top: world => latest(world, 'heapLimitBytes'),
    warnAt: world => scaled(latest(world, 'heapLimitBytes'), NEAR_LIMIT),
  },
  { label: 'external', name: 'externalBytes', say: sayBytes },
  { label: 'cpu', name: 'cpuPercent', say: percent, top: () => 100, warnAt: () => 90 },
  { label: 'loop busy', name: 'elu', say: v => percent(v * 100), top: () => 1, warnAt: () => 0.9 },
  { label: 'loop delay', name: 'loopDelayMs', say: v => `${v.toFixed(1)} ms`, warnAt: () => SLOW_LOOP_MS },
  { label: 'collections', name: 'gcShare', say: v => percent(v * 100), top: () => 1, warnAt: () => 0.25 },
  { label: 'handles', name: 'handles', say: sayCount },
  { label: 'requests', name: 'requestsPerSecond', say: v => `${v < 10 ? v.toFixed(1) : sayCount(v)} /s`, past: rates },
  /** File, dns, connect and write operations under way: what the thread pool and the kernel owe the program. */
  { label: 'operations', name: 'requests', say: sayCount },
];

/** Requests begun a second, each time traffic was read: counting all the time would cost the target. */
function rates({ run, requestRate }: World): readonly number[] {
  return run.readings.flatMap(({ id, kind }) => (kind === 'traffic' ? (requestRate?.(id) ?? []) : []));
}

const pastOf = (gauge: Gauge, world: World): readonly number[] =>
  gauge.past?.(world) ?? world.run.vitals.map(v => v.values[gauge.name] ?? Number.NaN);

function scaled(value: number | undefined, by: number): number | undefined {
  return value === undefined ? undefined : value * by;
}

const LABEL = 12;
const VALUE = 10;
/** Below this a card has no room for a chart under its numbers. */
const CARD_ROWS = 3;
const MAX_CHART_ROWS = 6;
/** Memory, loop and cpu are never given up for words. */
const MIN_GAUGES = 6;
/** What the findings need under the gauges. */
const FINDING_ROWS = 7;

/** Is the process in trouble? Every number with its past and its threshold; the findings so far below. */
export function overview(world: World, size: Size, ascii: boolean): Line[] {
  if (world.run.vitals.length === 0) return waiting(world, size.columns);
  const gauges = GAUGES.filter(gauge => pastOf(gauge, world).some(Number.isFinite));
  const cardRows = Math.min(
    MAX_CHART_ROWS + 2,
    Math.floor((size.rows - FINDING_ROWS) / Math.max(1, Math.ceil(gauges.length / 2))),
  );
  const below = findings(world, size.columns, ascii);
  if (hasTwoPanes(size) && cardRows >= CARD_ROWS)
    return [...cards(gauges, world, size.columns, cardRows, ascii), ...below];
  const room = Math.max(MIN_GAUGES, size.rows - 1 - Math.min(below.length, FINDING_ROWS));
  const rows = mostTelling(gauges, world, room, ascii).map(gauge => gaugeRow(gauge, world, size.columns, ascii));
  return [...rows, [], ...below];
}

/** On a small screen: those over their limit, then the first ones, all in their usual order. */
function mostTelling(gauges: readonly Gauge[], world: World, room: number, ascii: boolean): readonly Gauge[] {
  const over = gauges.filter(gauge => readingOf(gauge, world, ascii).over);
  const kept = new Set([...new Set([...over, ...gauges])].slice(0, room));
  return gauges.filter(gauge => kept.has(gauge));
}

function waiting(world: World, width: number): Line[] {
  if (world.run.report) return findings(world, width, false);
  return [
    line(span(world.run.target ? 'reading the first vitals…' : 'opening the inspector of the process…', 'dim')),
    ...(world.run.lost ? [line(span(world.run.lost, 'bad'))] : []),
  ];
}

interface Reading {
  readonly values: readonly number[];
  readonly value: number;
  readonly high: number;
  readonly over: boolean;
  readonly limit: string;
}

function readingOf(gauge: Gauge, world: World, ascii: boolean): Reading {
  const values = pastOf(gauge, world);
  const value = values.findLast(Number.isFinite) ?? Number.NaN;
  const warnAt = gauge.warnAt?.(world);
  const high = gauge.top?.(world) ?? Math.max(...values.filter(Number.isFinite), Number.MIN_VALUE);
  const over = warnAt !== undefined && value >= warnAt;
  const mark = ascii ? '!' : '▲';
  const limit = warnAt === undefined ? '' : over ? `${mark} over ${gauge.say(warnAt)}` : `below ${gauge.say(warnAt)}`;
  return { values, value, high, over, limit };
}

/** Two columns of cards: numbers above, the past below. */
function cards(gauges: readonly Gauge[], world: World, width: number, rows: number, ascii: boolean): Line[] {
  const cardWidth = Math.floor((width - 3) / 2);
  const made = gauges.map(gauge => card(gauge, world, cardWidth, rows, ascii));
  return Array.from({ length: Math.ceil(made.length / 2) }, (_, i) =>
    beside(made[i * 2] ?? [], made[i * 2 + 1] ?? [], cardWidth, span('   ')),
  ).flat();
}

function card(gauge: Gauge, world: World, width: number, rows: number, ascii: boolean): Line[] {
  const { values, value, high, over, limit } = readingOf(gauge, world, ascii);
  const title = fit(
    line(
      span(gauge.label.padEnd(LABEL), 'dim'),
      span(gauge.say(value).padStart(VALUE), over ? 'bad' : 'bold'),
      span(limit ? `  ${limit}` : '', over ? 'bad' : 'dim'),
    ),
    width,
  );
  const chart = columns(values, { width, height: rows - 2 }, high, ascii);
  return [title, ...chart.map(row => line(span(row, over ? 'warn' : 'accent'))), []];
}

function gaugeRow(gauge: Gauge, world: World, width: number, ascii: boolean): Line {
  const { values, value, high, over, limit } = readingOf(gauge, world, ascii);
  const room = Math.max(8, Math.min(60, width - LABEL - VALUE - 20));
  return line(
    span(gauge.label.padEnd(LABEL), 'dim'),
    span(gauge.say(value).padStart(VALUE), over ? 'bad' : 'plain'),
    '  ',
    span(sparkline(values, room, { low: 0, high }, ascii), over ? 'warn' : 'accent'),
    span(limit ? ` ${limit}` : '', over ? 'bad' : 'dim'),
  );
}

function findings(world: World, width: number, ascii: boolean): Line[] {
  const { insights, report } = world.run;
  if (insights.length > 0)
    return [
      line(span(report ? 'Findings' : 'Findings so far', 'bold')),
      ...insights.flatMap((insight, rank) => finding(insight, rank, width)),
      line(span('enter: the report', 'dim')),
    ];
  if (report)
    return wrap(report.summary, width).map(text => line(span(text, report.verdict === 'healthy' ? 'good' : 'warn')));
  return progress(world, width, ascii);
}

function finding(insight: Insight, rank: number, width: number): Line[] {
  const { culprit, fix } = insight;
  return [
    ...wrap(insight.title, width - 11).map((text, i) =>
      line(
        span(
          i === 0 ? `${glyphOfSeverity(insight.severity)} ${insight.severity.padEnd(9)}` : ' '.repeat(11),
          toneOfSeverity(insight.severity),
        ),
        text,
      ),
    ),
    ...(culprit ? [line(' '.repeat(11), span(place(culprit), 'accent'))] : []),
    ...(fix && rank === 0 ? wrap(fix, width - 11).map(text => line(' '.repeat(11), span(text, 'dim'))) : []),
  ];
}

/** While it goes on: how far, and what was noticed last. */
function progress(world: World, width: number, ascii: boolean): Line[] {
  const { operators, notifications, waitingFor, startedAt, target } = world.run;
  if (startedAt === 0 && target)
    return [line(span('Nothing is looked at yet: r investigates, s chooses who does.', 'dim'))];
  const done = operators.filter(o => o.result).length;
  const reading = [...new Set(waitingFor)].join(', ');
  return [
    line(
      span(bar(operators.length === 0 ? 0 : done / operators.length, Math.min(30, width), ascii), 'accent'),
      span(`  ${done} of ${operators.length} operators have concluded${reading ? `; reading ${reading}` : ''}`, 'dim'),
    ),
    ...notifications
      .toReversed()
      .map(n =>
        line(
          span(`${glyphOfSeverity(n.severity)} ${n.severity.padEnd(9)}`, toneOfSeverity(n.severity)),
          span(n.operator.padEnd(13), 'dim'),
          n.title ?? n.observation,
        ),
      ),
  ];
}
