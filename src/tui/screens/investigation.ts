import { sayDisturbance } from '../../report/report.js';
import { beside, fit, type Line, line, span, wrap } from '../line.js';
import { glyphOfSeverity, toneOfSeverity } from '../severity.js';
import type { Ui } from '../ui.js';
import type { World } from '../world.js';

/** Below this one pane has to do: list above, detail below. */
const TWO_PANES = 100;

/** The operators at work, and what the chosen one asked and learned. */
export function investigation(world: World, ui: Ui, width: number, height: number): Line[] {
  const list = operatorList(world, ui);
  if (width < TWO_PANES)
    return [...list.slice(0, Math.ceil(height / 2)), [], ...detail(world, ui, width)].slice(0, height);
  const left = Math.floor(width * 0.42);
  return beside(list, detail(world, ui, width - left - 3), left, span(' │ ', 'dim')).slice(0, height);
}

function operatorList(world: World, ui: Ui): Line[] {
  const { operators } = world.run;
  if (operators.length === 0) return [line(span('no operator has started yet', 'dim'))];
  return operators.map((o, i) => {
    const chosen = i === ui.cursor.investigation;
    const state = o.result?.incomplete ? 'inconclusive' : o.state;
    return line(
      span(chosen ? '› ' : '  ', 'accent'),
      span(glyphOfSeverity(state), toneOfSeverity(state)),
      ' ',
      span(o.id.padEnd(13), chosen ? 'bold' : 'plain'),
      span(o.result ? ' ' : '… ', 'dim'),
      span(o.activity, 'dim'),
    );
  });
}

function detail(world: World, ui: Ui, width: number): Line[] {
  const { operators, notifications, waitingFor, report } = world.run;
  const chosen = operators[ui.cursor.investigation];
  const mine = chosen ? notifications.filter(n => n.operator === chosen.id) : [];
  return [
    ...(chosen ? about(chosen, width) : []),
    ...mine.flatMap(n => [
      line(
        span(`${glyphOfSeverity(n.severity)} ${n.severity} `, toneOfSeverity(n.severity)),
        span(n.faultClass, 'dim'),
      ),
      ...wrap(n.observation, width).map(text => line(text)),
      ...(n.hypothesis ? wrap(`supposed: ${n.hypothesis}`, width).map(text => line(span(text, 'dim'))) : []),
      [],
    ]),
    ...(waitingFor.length > 0 ? [line(span(`reading ${[...new Set(waitingFor)].join(', ')}…`, 'accent'))] : []),
    ...(report ? wrap(sayDisturbance(report.disturbance), width).map(text => line(span(text, 'dim'))) : []),
  ].map(l => fit(l, width));
}

function about(chosen: World['run']['operators'][number], width: number): Line[] {
  return [
    line(
      span(chosen.id, 'bold'),
      span(`  ${chosen.state}, ${chosen.calls} calls${chosen.urgent ? ', urgent' : ''}`, 'dim'),
    ),
    ...wrap(chosen.result?.summary ?? chosen.activity, width).map(text => line(text)),
    [],
  ];
}
