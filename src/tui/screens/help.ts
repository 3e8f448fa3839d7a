import { type Line, line, span, wrap } from '../line.js';
import type { Size } from '../size.js';
import type { Screen, Ui } from '../ui.js';
import type { World } from '../world.js';

type Help = readonly (readonly [key: string, what: string, when?: (world: World, ui: Ui) => boolean])[];

const opened = (_world: World, ui: Ui) => ui.screen === 'evidence' && ui.opened !== undefined;
const on =
  (...screens: readonly Screen[]) =>
  (_world: World, ui: Ui) =>
    screens.includes(ui.screen);
const ended = ({ run }: World) => run.report !== undefined;
const known = ({ run }: World, { screen }: Ui) => screen === 'report' || run.insights[0]?.culprit !== undefined;

const COMMON: Help = [
  ['1-5, tab', 'screens'],
  ['j k, arrows, g G, PgUp PgDn', 'move, scroll'],
  ['enter, right, left', 'unfold, go in; fold, go to what holds it', opened],
  ['o', 'unfold everything, fold everything', opened],
  ['enter', 'open', (world, ui) => !opened(world, ui) && on('overview', 'evidence')(world, ui)],
  ['} {', 'to the next section, to the one before', (world, ui) => opened(world, ui) || ui.screen === 'report'],
  ['esc', 'back'],
  ['/', 'filter the list', on('investigation', 'evidence')],
  [':', 'commands'],
  ['e', 'pin this evidence to the report', on('evidence')],
  ['c', 'copy the line', opened],
  ['c', 'copy the report', on('report')],
  ['c', 'copy the place of the cause', (world, ui) => !opened(world, ui) && ui.screen !== 'report' && known(world, ui)],
  ['w', 'write the report as Markdown and HTML', ended],
  ['M', 'take the mouse, or give it back: wheel, clicks'],
  ['ctrl-l', 'draw anew'],
  ['ctrl-z', 'suspend; fg comes back'],
];
const RUNNING: Help = [
  ['i, ctrl-c', 'stop the operators and conclude'],
  ['p', 'pause: no other reading begins; go on'],
  ['a', 'ask a question, or hint where to look'],
  ['s', 'choose the skills that look next'],
];
const WAITING: Help = [
  ['r', 'begin to investigate'],
  ['s', 'choose the skills that look'],
  ['a', 'ask a question; the skills it names look'],
];
const FINISHED: Help = [
  ['r', 'investigate once more'],
  ['a', 'ask a question; the skills it names look again'],
  ['s', 'choose the skills that look again'],
];
const REPLAYED: Help = [
  ['space, + -', 'play or halt; faster, slower'],
  ['left right', 'along the time line'],
  ['[ ]', 'one event back, one on'],
  ['n N', 'to the next notable event, to the one before'],
  ['m, d', 'mark this moment; compare it with another'],
  ['a', 'write a note at this moment; it is kept beside the run'],
];

/** Only what would do something here and now. */
export function helpLines(world: World, ui: Ui, { columns, rows }: Size): Line[] {
  const special = world.replay ? REPLAYED : ended(world) ? FINISHED : world.run.startedAt > 0 ? RUNNING : WAITING;
  const keys: Help = [...special, ...COMMON, ['q', world.replay ? 'leave' : 'detach and leave']];
  const lines = keys
    .filter(([, , when]) => when?.(world, ui) ?? true)
    .flatMap(([key, what]) =>
      wrap(what, columns - KEY_COLUMN).map((text, i) =>
        line(span((i === 0 ? key : '').padEnd(KEY_COLUMN), 'accent'), text),
      ),
    );
  const how = lines.length < rows ? '   any key: back' : '   j k scroll, any other key: back';
  return [line(span('Keys', 'bold'), span(how, 'dim')), ...lines];
}

/** The longest key and a gap. */
const KEY_COLUMN = 29;
