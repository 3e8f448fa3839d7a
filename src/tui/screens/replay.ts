import { sayBytes, sayCount } from '../../base/say.js';
import type { RunState } from '../../report/state.js';
import { type Line, line, type Span, span } from '../line.js';
import type { Ui } from '../ui.js';
import type { Replay, World } from '../world.js';

/** The time line: what is past, where it stands, and marks at the moments a person would stop at. */
export function replayFooter(replay: Replay, width: number): Line {
  return line(span(clockOf(replay), 'accent'), ...track(replay, trackCells(replay, width)), span(KEYS, 'dim'));
}

const KEYS = '  space plays, n next, ? help';

function clockOf({ at, from, to, playing, speed }: Replay): string {
  return `${playing ? '▶' : '⏸'} ${seconds(at - from)} of ${seconds(to - from)}${speed === 1 ? '' : `, ${speed}×`} `;
}

const trackCells = (replay: Replay, width: number) => Math.max(10, width - clockOf(replay).length - KEYS.length - 1);

/** The moment that a cell of the footer stands for; undefined beside the track. */
export function momentAt(replay: Replay, column: number, width: number): number | undefined {
  const cell = column - clockOf(replay).length;
  const cells = trackCells(replay, width);
  if (cell < 0 || cell >= cells) return undefined;
  return replay.from + (cell / (cells - 1)) * (replay.to - replay.from);
}

function track({ at, from, to, notable, annotations }: Replay, cells: number): Span[] {
  const cellOf = (time: number) => Math.round(((time - from) / Math.max(1, to - from)) * (cells - 1));
  const marks = new Map(notable.map(n => [cellOf(n.at), span('◆', n.bad ? 'bad' : 'warn')]));
  for (const note of annotations) marks.set(cellOf(note.at), span('#', 'good'));
  const now = cellOf(at);
  return Array.from({ length: cells }, (_, i) =>
    i === now ? span('●', 'accent') : (marks.get(i) ?? span('─', i < now ? 'plain' : 'dim')),
  );
}

/** Two moments side by side: their vitals, and what was known at each. */
export function compare(world: World, ui: Ui, width: number): Line[] {
  const { replay } = world;
  if (!replay || ui.marked === undefined) return [line(span('nothing is marked', 'dim'))];
  const [before, after] = [ui.marked, replay.at].sort((a, b) => a - b) as [number, number];
  const states = [replay.stateAt(before), replay.stateAt(after)] as const;
  const column = Math.max(12, Math.floor((width - 20) / 3));
  const row = (label: string, cells: readonly string[], dim = false) =>
    line(span(label.padEnd(18), 'dim'), span(cells.map(c => c.padEnd(column)).join(''), dim ? 'dim' : 'plain'));
  return [
    line(span('Two moments', 'bold'), span('   any key: back', 'dim')),
    [],
    row('', [seconds(before - replay.from), seconds(after - replay.from), 'difference'], true),
    ...VITALS.map(([label, name, say]) => row(label, numbers(states, name, say))),
    row(
      'readings',
      counts(states, s => s.readings.length),
    ),
    row(
      'noticed',
      counts(states, s => s.notifications.length),
    ),
    row(
      'causes',
      counts(states, s => s.insights.length),
    ),
    [],
    line(span('Noticed between them', 'accent')),
    ...newNotes(states).map(text => line(`  ${text}`)),
  ];
}

const seconds = (ms: number) => `${(Math.max(0, ms) / 1000).toFixed(1)} s`;
const percent = (v: number) => `${Math.round(v)} %`;
const VITALS: readonly (readonly [string, string, (value: number) => string])[] = [
  ['resident', 'rssBytes', sayBytes],
  ['heap', 'heapUsedBytes', sayBytes],
  ['external', 'externalBytes', sayBytes],
  ['cpu', 'cpuPercent', percent],
  ['loop busy', 'elu', v => percent(v * 100)],
  ['loop delay', 'loopDelayMs', v => `${v.toFixed(1)} ms`],
  ['handles', 'handles', sayCount],
];

function numbers(states: readonly [RunState, RunState], name: string, say: (v: number) => string): string[] {
  const [a, b] = states.map(s => s.vitals.findLast(v => Number.isFinite(v.values[name]))?.values[name]);
  const difference = a === undefined || b === undefined ? '' : `${b >= a ? '+' : ''}${say(b - a)}`;
  return [a === undefined ? 'unknown' : say(a), b === undefined ? 'unknown' : say(b), difference];
}

function counts(states: readonly [RunState, RunState], of: (state: RunState) => number): string[] {
  const [a, b] = [of(states[0]), of(states[1])];
  return [String(a), String(b), `+${b - a}`];
}

function newNotes([before, after]: readonly [RunState, RunState]): string[] {
  const known = new Set(before.notifications.map(n => n.id));
  const fresh = after.notifications
    .filter(n => !known.has(n.id))
    .map(n => `${n.operator}: ${n.title ?? n.observation}`);
  return fresh.length > 0 ? fresh : ['nothing'];
}
