import { markdownOf } from '../report/markdown.js';
import type { OperatorRow, ReadingRow } from '../report/state.js';
import { openSkills, underWay } from './choosing.js';
import type { Pressed } from './keys.js';
import { SCREENS, type Ui } from './ui.js';
import type { PickRow, World } from './world.js';

/** The first of the `room` rows in sight, so that the cursor stands in their middle where it can. */
export function firstShown(cursor: number, count: number, room: number): number {
  return Math.max(0, Math.min(cursor - Math.floor(room / 2), count - room));
}

/** Readings that match the filter, newest first. */
export function evidenceRows(world: World, filter: string): readonly ReadingRow[] {
  const wanted = filter.toLowerCase();
  return world.run.readings.filter(r => `${r.id} ${r.kind} ${r.status}`.toLowerCase().includes(wanted)).toReversed();
}

/** Processes to choose from that match the filter. */
export function choiceRows(world: World, filter: string): readonly PickRow[] {
  const wanted = filter.toLowerCase();
  return (world.choices ?? []).filter(c => `${c.pid} ${c.command} ${c.about}`.toLowerCase().includes(wanted));
}

/** Operators that match the filter: those that found something first, then those at work, then the others. */
export function operatorRows(world: World, filter: string): readonly OperatorRow[] {
  const wanted = filter.toLowerCase();
  const rows = world.run.operators.filter(o => `${o.id} ${o.state} ${o.activity}`.toLowerCase().includes(wanted));
  return world.run.report ? rows.toSorted((a, b) => weight(b) - weight(a)) : rows;
}

/** Only the end sorts: rows that jump while somebody reads them cannot be read. */
function weight({ state, result }: OperatorRow): number {
  return ['healthy', 'observing', 'warning', 'critical'].indexOf(state) + (result?.outcome === 'found' ? 4 : 0);
}

/** The report as it would be written; before the end of a run, what is known so far. */
export function reportText(world: World): string {
  const { report, insights } = world.run;
  if (report) return markdownOf(report);
  if (insights.length === 0) return 'The report appears here when the investigation has ended.';
  return insights.map(i => `# ${i.rank}. ${i.title}\n\n${i.summary}\n`).join('\n');
}

/** With the mouse lens hears wheel and clicks; without it the terminal selects text as ever. */
export function toggleMouse(ui: Ui): Pressed {
  const on = !ui.mouse;
  const notice = on
    ? 'Wheel and clicks work; shift-drag selects text; M gives the mouse back.'
    : 'The mouse is the terminal’s again: drag selects text.';
  return { ui: { ...ui, mouse: on, notice }, command: { do: 'mouse', on } };
}

export interface PaletteRow {
  readonly name: string;
  readonly about: string;
  readonly run: (ui: Ui, world: World) => Pressed;
  /** Whether it would do anything now; what would not is not shown. */
  readonly when?: (world: World) => boolean;
}

const live = (world: World) => world.replay === undefined && world.run.lost === undefined;
const replayed = (world: World) => world.replay !== undefined;

/** Readings a person may ask for by hand, in the words of the palette. */
const READINGS: readonly (readonly [string, string])[] = [
  ['vitals', 'memory, loop, cpu over three seconds'],
  ['cpu-profile', 'where the cpu time goes, 5 s'],
  ['heap-sampling', 'who allocates what stays, 5 s'],
  ['collection-growth', 'which collections grow, about 20 s'],
  ['in-flight', 'requests and calls that are open now'],
  ['async-dump', 'what the oldest requests wait for, 4 s'],
  ['handles', 'timers, sockets, files, children'],
  ['holders', 'pools, locks and queues, by their shape'],
  ['suspended', 'every async function that waits, and at which line; stops the target for a moment'],
  ['logs', 'what the program writes, 5 s'],
  ['exceptions', 'what is thrown and not caught, 5 s'],
  ['process', 'descriptors, threads and memory as the kernel sees them'],
  ['heap-snapshot', 'the whole heap to a file; stops the target, asks where that is long'],
];

const PALETTE: readonly PaletteRow[] = [
  ...SCREENS.map(
    (screen, i): PaletteRow => ({ name: screen, about: `screen ${i + 1}`, run: ui => ({ ui: { ...ui, screen } }) }),
  ),
  ...READINGS.map(
    ([kind, about]): PaletteRow => ({
      name: `read ${kind}`,
      about,
      run: ui => ({ ui, command: { do: 'read', kind } }),
      when: live,
    }),
  ),
  {
    name: 'ask',
    about: 'a question, or a hint where to look',
    run: ui => ({ ui: { ...ui, overlay: { kind: 'ask', input: '' } } }),
    when: live,
  },
  {
    name: 'rerun',
    about: 'begin, or look at everything once more',
    run: (ui, world) => ({ ui, command: { do: 'rerun', reason: world.run.reason } }),
    when: world => live(world) && !underWay(world),
  },
  { name: 'skills', about: 'choose who looks', run: openSkills, when: live },
  {
    name: 'pause',
    about: 'no other reading begins; the numbers go on',
    run: ui => ({ ui, command: { do: 'hold', held: true } }),
    when: world => live(world) && underWay(world) && !world.run.held,
  },
  {
    name: 'go on',
    about: 'after a pause',
    run: ui => ({ ui, command: { do: 'hold', held: false } }),
    when: world => live(world) && underWay(world) && world.run.held,
  },
  {
    name: 'interrupt',
    about: 'stop the operators and conclude',
    run: ui => ({ ui, command: { do: 'interrupt', orLeave: false } }),
    when: world => live(world) && underWay(world),
  },
  { name: 'play', about: 'run or halt the recording', run: ui => ({ ui, command: { do: 'play' } }), when: replayed },
  {
    name: 'note',
    about: 'write a note at this moment',
    run: ui => ({ ui: { ...ui, overlay: { kind: 'note', input: '' } } }),
    when: replayed,
  },
  {
    name: 'write report',
    about: 'lens-report.md and lens-report.html, here',
    run: ui => ({ ui, command: { do: 'write-report', pinned: ui.pinned } }),
    when: world => world.run.report !== undefined,
  },
  {
    name: 'mouse',
    about: 'take it (wheel, clicks) or give it back (select, copy)',
    run: ui => toggleMouse(ui),
  },
  { name: 'quit', about: 'leave; the target is released', run: ui => ({ ui, command: { do: 'quit' } }) },
];

/** The commands that would work now and whose words contain the input. */
export function paletteRows(input: string, world: World): readonly PaletteRow[] {
  const wanted = input.trim().toLowerCase();
  return PALETTE.filter(
    row => (row.when?.(world) ?? true) && `${row.name} ${row.about}`.toLowerCase().includes(wanted),
  );
}
