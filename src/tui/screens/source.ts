import { place } from '../../report/markdown.js';
import { type Line, line, span, wrap } from '../line.js';
import type { Ui } from '../ui.js';
import type { World } from '../world.js';

/** The culprits' lines, source-mapped, as they stand in the target's memory. */
export function source(world: World, ui: Ui, width: number, height: number): Line[] {
  const places = world.run.insights.flatMap(i =>
    [i.culprit, ...(i.related ?? [])].flatMap(at => (at ? [{ at, title: i.title }] : [])),
  );
  if (places.length === 0) return [line(span('no place in the code is accused yet', 'dim'))];
  const all = places.flatMap(({ at, title }) => [
    line(span(place(at), 'bold')),
    ...wrap(title, width).map(text => line(span(text, 'dim'))),
    ...(at.via ? wrap(`by way of ${at.via.join(' → ')}`, width).map(text => line(span(text, 'dim'))) : []),
    ...(at.frame ?? '').split('\n').map(frameLine),
    [],
  ]);
  return all.slice(Math.min(ui.scroll.source, Math.max(0, all.length - height)));
}

function frameLine(text: string): Line {
  return line(span(text, text.startsWith('>') ? 'warn' : 'plain'));
}
