import { place } from '../../report/markdown.js';
import { type Line, line, span, wrap } from '../line.js';
import type { World } from '../world.js';

/** The culprits' lines, source-mapped, as they stand in the target's memory. */
export function sourceLines(world: World, width: number): Line[] {
  const places = world.run.insights.flatMap(i =>
    [i.culprit, ...(i.related ?? [])].flatMap(at => (at ? [{ at, title: i.title }] : [])),
  );
  if (places.length === 0)
    return [
      line(span(world.run.report ? 'No place in the code is accused.' : 'No place in the code is accused yet.', 'dim')),
    ];
  return places.flatMap(({ at, title }) => [
    line(span(place(at), 'bold')),
    ...wrap(title, width).map(text => line(span(text, 'dim'))),
    ...(at.via?.length ? wrap(`by way of ${at.via.join(' → ')}`, width).map(text => line(span(text, 'dim'))) : []),
    ...(at.frame === undefined
      ? [line(span('its source could not be read', 'dim'))]
      : ['', ...at.frame.split('\n')].map(frameLine)),
    [],
  ]);
}

function frameLine(text: string): Line {
  return line(span(text, text.startsWith('>') ? 'warn' : 'plain'));
}
