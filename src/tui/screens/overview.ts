import { sayBytes, sayCount } from '../../base/say.js';
import { bar, sparkline } from '../chart.js';
import { type Line, line, span, type Tone, wrap } from '../line.js';
import { glyphOfSeverity, toneOfSeverity } from '../severity.js';
import type { World } from '../world.js';

interface Gauge {
  readonly label: string;
  readonly name: string;
  readonly say: (value: number) => string;
  /** Where the sparkline's top lies; undefined: the largest value seen. */
  readonly top?: (world: World) => number | undefined;
  /** From here on the number is worth a look: shown beside it. */
  readonly warnAt?: (world: World) => number | undefined;
}

const percent = (value: number) => `${Math.round(value)} %`;
const latest = (world: World, name: string): number | undefined => world.run.vitals.at(-1)?.values[name];
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
  { label: 'requests', name: 'requests', say: sayCount },
];

function scaled(value: number | undefined, by: number): number | undefined {
  return value === undefined ? undefined : value * by;
}

const LABEL = 12;
const VALUE = 10;

/** Is the process in trouble? One row a number, with its past and its threshold; the findings so far below. */
export function overview(world: World, width: number, ascii: boolean): Line[] {
  if (world.run.vitals.length === 0) return [line(span('reading the first vitals…', 'dim'))];
  const rows = GAUGES.flatMap(gauge => gaugeRow(gauge, world, width, ascii));
  return [...rows, [], ...findings(world, width)];
}

function gaugeRow(gauge: Gauge, world: World, width: number, ascii: boolean): Line[] {
  const values = world.run.vitals.map(v => v.values[gauge.name] ?? Number.NaN);
  const value = values.at(-1);
  if (value === undefined || Number.isNaN(value)) return [];
  const warnAt = gauge.warnAt?.(world);
  const high = gauge.top?.(world) ?? Math.max(...values.filter(Number.isFinite), Number.MIN_VALUE);
  const over = warnAt !== undefined && value >= warnAt;
  const tone: Tone = over ? 'bad' : 'plain';
  const limit = warnAt === undefined ? '' : ` ${over ? '▲ over' : 'of'} ${gauge.say(warnAt)}`;
  const room = Math.max(8, width - LABEL - VALUE - 20);
  return [
    line(
      span(gauge.label.padEnd(LABEL), 'dim'),
      span(gauge.say(value).padStart(VALUE), tone),
      '  ',
      span(sparkline(values, Math.min(room, 60), { low: 0, high }, ascii), over ? 'warn' : 'accent'),
      span(ascii ? limit.replace('▲', '!') : limit, over ? 'bad' : 'dim'),
    ),
  ];
}

function findings(world: World, width: number): Line[] {
  const { insights, notifications, operators, report } = world.run;
  if (insights.length > 0)
    return [
      line(span(report ? 'Findings' : 'Findings so far', 'bold')),
      ...insights.flatMap(insight =>
        wrap(insight.title, width - 4).map((text, i) =>
          line(span(i === 0 ? `${glyphOfSeverity(insight.severity)} ` : '  ', toneOfSeverity(insight.severity)), text),
        ),
      ),
      line(span('enter: the report', 'dim')),
    ];
  if (report)
    return wrap(report.summary, width).map(text => line(span(text, report.verdict === 'healthy' ? 'good' : 'warn')));
  const done = operators.filter(o => o.result).length;
  return [
    line(
      span(`${done} of ${operators.length} operators have concluded, ${notifications.length} things noticed  `, 'dim'),
    ),
    line(span(bar(operators.length === 0 ? 0 : done / operators.length, Math.min(40, width), false), 'accent')),
  ];
}
