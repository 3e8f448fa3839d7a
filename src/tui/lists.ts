import { markdownOf } from '../report/markdown.js';
import type { ReadingRow } from '../report/state.js';
import type { Pressed } from './keys.js';
import { wrap } from './line.js';
import { SCREENS, type Ui } from './ui.js';
import type { World } from './world.js';

/** Readings that match the filter, newest first. */
export function evidenceRows(world: World, filter: string): readonly ReadingRow[] {
  const wanted = filter.toLowerCase();
  return world.run.readings.filter(r => `${r.id} ${r.kind} ${r.status}`.toLowerCase().includes(wanted)).toReversed();
}

/** The report as wrapped lines; before the end of a run, what is known so far. */
export function reportLines(world: World, width: number): readonly string[] {
  const { report, insights } = world.run;
  if (report)
    return markdownOf(report)
      .split('\n')
      .flatMap(line => wrap(line, width));
  if (insights.length === 0)
    return ['The report appears here when the investigation has ended (w writes it to a file).'];
  return insights.flatMap(i => [...wrap(`${i.rank}. ${i.title}`, width), ...wrap(i.summary, width), '']);
}

export interface PaletteRow {
  readonly name: string;
  readonly about: string;
  readonly run: (ui: Ui, world: World) => Pressed;
}

/** Readings a person may ask for by hand, in the words of the palette. */
const READINGS: readonly (readonly [string, string])[] = [
  ['vitals', 'memory, loop, cpu over a few seconds'],
  ['cpu-profile', 'where the cpu time goes, 5 s'],
  ['collection-growth', 'which collections grow, about 20 s'],
  ['in-flight', 'requests and calls that are open now'],
  ['async-dump', 'what the oldest requests wait for, 4 s'],
  ['handles', 'timers, sockets, files, children'],
  ['process', 'descriptors, threads and memory as the kernel sees them'],
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
    }),
  ),
  {
    name: 'rerun',
    about: 'investigate once more',
    run: (ui, world) => ({ ui, command: { do: 'rerun', reason: world.run.reason } }),
  },
  { name: 'interrupt', about: 'stop the operators and conclude', run: ui => ({ ui, command: { do: 'interrupt' } }) },
  { name: 'write report', about: 'to lens-report.md here', run: ui => ({ ui, command: { do: 'write-report' } }) },
  { name: 'quit', about: 'detach and leave', run: ui => ({ ui, command: { do: 'quit' } }) },
];

export function paletteRows(input: string): readonly PaletteRow[] {
  const wanted = input.trim().toLowerCase();
  return PALETTE.filter(row => `${row.name} ${row.about}`.toLowerCase().includes(wanted));
}
