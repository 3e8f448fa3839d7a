import { sayCount, sayMs } from '../../base/say.js';
import { sayUse } from '../../model/model-use.js';
import type { FeedRow } from '../../report/feed.js';
import type { OperatorRow } from '../../report/state.js';
import { type Hypothesis, hypothesesOf } from '../hypotheses.js';
import { beside, fit, type Line, line, span, type Tone, wrap } from '../line.js';
import { firstShown, operatorRows } from '../lists.js';
import { glyphOfSeverity, toneOfSeverity } from '../severity.js';
import { hasTwoPanes, type Size } from '../size.js';
import type { Ui } from '../ui.js';
import type { World } from '../world.js';

/** The operators at work, what the chosen one asked and learned, what is supposed so far, and what it has cost. */
export function investigation(world: World, ui: Ui, size: Size): Line[] {
  if (!hasTwoPanes(size)) return onePane(world, ui, size);
  const { columns: left, rows } = operatorListSize(0, size);
  const right = size.columns - left - 3;
  return [
    ...beside(
      operatorList(world, ui, left, rows),
      detail(world, ui, { columns: right, rows }).slice(0, rows),
      left,
      span(' │ ', 'dim'),
    ),
    budget(world),
  ];
}

/** How many rows, and how many of their cells, hold the list of operators. */
export function operatorListSize(count: number, size: Size): Size {
  if (hasTwoPanes(size)) return { columns: Math.floor(size.columns * 0.4), rows: size.rows - 1 };
  return { columns: size.columns, rows: Math.min(count || 1, Math.ceil(size.rows / 2)) };
}

function onePane(world: World, ui: Ui, size: Size): Line[] {
  const { rows: listRows } = operatorListSize(operatorRows(world, ui.filter).length, size);
  const rows = size.rows - listRows - 2;
  return [
    ...operatorList(world, ui, size.columns, listRows),
    line(span('─'.repeat(size.columns), 'dim')),
    ...padded(detail(world, ui, { columns: size.columns, rows }).slice(0, rows), rows),
    budget(world),
  ];
}

function padded(lines: readonly Line[], rows: number): Line[] {
  return Array.from({ length: Math.max(0, rows) }, (_, i) => lines[i] ?? []);
}

function operatorList(world: World, ui: Ui, width: number, rows: number): Line[] {
  const all = operatorRows(world, ui.filter);
  if (all.length === 0)
    return padded(
      [
        line(
          span(
            ui.filter
              ? `no operator matches “${ui.filter}” (esc clears)`
              : world.run.startedAt > 0
                ? 'no operator has started yet'
                : 'nothing begins by itself: r investigates, s chooses who',
            'dim',
          ),
        ),
      ],
      rows,
    );
  const cursor = Math.min(ui.cursor.investigation, all.length - 1);
  const first = firstShown(cursor, all.length, rows);
  return padded(
    all.slice(first, first + rows).map((o, i) => fit(operatorLine(o, first + i === cursor), width)),
    rows,
  );
}

/** An operator that was stopped has not found anybody healthy. */
function stateOf({ result, state }: OperatorRow): OperatorRow['state'] | 'inconclusive' {
  return result?.incomplete || result?.outcome === 'inconclusive' ? 'inconclusive' : state;
}

function operatorLine(o: OperatorRow, chosen: boolean): Line {
  const state = stateOf(o);
  return line(
    span(chosen ? '› ' : '  ', 'accent'),
    span(glyphOfSeverity(state), toneOfSeverity(state)),
    ' ',
    span(o.id.padEnd(12), chosen ? 'bold' : 'plain'),
    span(o.result ? ' ' : o.urgent ? '» ' : '… ', 'accent'),
    span(o.activity || 'begins', 'dim'),
  );
}

function detail(world: World, ui: Ui, size: Size): Line[] {
  const chosen = operatorRows(world, ui.filter)[ui.cursor.investigation];
  const above = [
    ...(world.answer ? answerLines(world.answer, size.columns) : []),
    ...(chosen ? about(chosen, size.columns) : []),
    ...(chosen ? noticed(world, chosen.id, size.columns) : []),
    ...hypothesisLines(hypothesesOf(world.run), size.columns),
  ];
  const room = Math.max(4, size.rows - above.length - 1);
  return [...above, line(span('What happened', 'accent')), ...feedLines(world, room)].map(l => fit(l, size.columns));
}

function answerLines({ question, text }: NonNullable<World['answer']>, width: number): Line[] {
  return [line(span('You asked ', 'accent'), span(question, 'bold')), ...wrap(text, width).map(part => line(part)), []];
}

function about(chosen: OperatorRow, width: number): Line[] {
  const { calls, urgent, result } = chosen;
  return [
    line(
      span(chosen.id, 'bold'),
      span(
        `  ${stateOf(chosen)}, ${sayCount(calls)} calls${urgent ? ', urgent' : ''}${result ? `, ${sayMs(result.durationMs)}` : ''}`,
        'dim',
      ),
    ),
    ...wrap(result?.summary ?? chosen.activity, width).map(text => line(text)),
    [],
  ];
}

function noticed(world: World, operator: string, width: number): Line[] {
  return world.run.notifications
    .filter(n => n.operator === operator)
    .flatMap(n => [
      line(
        span(`${glyphOfSeverity(n.severity)} ${n.severity} `, toneOfSeverity(n.severity)),
        span(n.faultClass, 'dim'),
      ),
      ...wrap(n.observation, width).map(text => line(text)),
      [],
    ]);
}

const HYPOTHESIS: { readonly [S in Hypothesis['state']]: readonly [string, Tone] } = {
  open: ['? open', 'warn'],
  supported: ['✔ supported', 'good'],
  refuted: ['✖ refuted', 'dim'],
};

function hypothesisLines(all: readonly Hypothesis[], width: number): Line[] {
  if (all.length === 0) return [];
  return [
    line(span('Supposed', 'accent')),
    ...all.flatMap(h => {
      const [word, tone] = HYPOTHESIS[h.state];
      return [
        line(span(`${word}  `, tone), span(h.operator, 'dim'), span(h.why ? `  ${h.why}` : '', 'dim')),
        ...wrap(h.text, width - 2).map(text => line('  ', text)),
      ];
    }),
    [],
  ];
}

const WHAT: { readonly [W in FeedRow['what']]: Tone } = {
  began: 'dim',
  asked: 'dim',
  read: 'dim',
  changed: 'accent',
  noticed: 'warn',
  refused: 'warn',
  concluded: 'good',
  cause: 'bad',
  failed: 'bad',
};

/** The newest at the end, as in a log. */
function feedLines(world: World, rows: number): Line[] {
  const { feed, startedAt } = world.run;
  return feed
    .slice(-rows)
    .map(row =>
      line(
        span(`${((row.at - startedAt) / 1000).toFixed(1).padStart(6)} s `, 'dim'),
        span(row.who.padEnd(12), 'plain'),
        span(` ${row.what.padEnd(10)}`, WHAT[row.what]),
        row.text,
      ),
    );
}

/** What the investigation has cost so far: the target's time, and a model's. */
function budget(world: World): Line {
  const { readings, operators, model } = world.run;
  const paused = readings.reduce((sum, r) => sum + r.pausedMs, 0);
  const cpu = readings.reduce((sum, r) => sum + r.costMs, 0);
  const calls = operators.reduce((sum, o) => sum + o.calls, 0);
  const asked = model ? `; model: ${sayUse(model)}` : '';
  return line(
    span(
      `so far ${readings.length} readings, ${sayCount(calls)} calls; the target stood still ${sayMs(paused)} and gave ${sayMs(cpu)} of cpu${asked}`,
      'dim',
    ),
  );
}
