import { type Line, line, span } from '../line.js';
import { firstShown } from '../lists.js';
import type { Overlay } from '../ui.js';
import type { World } from '../world.js';

/** The skills, those that will look marked. */
export function skillChoice(world: World, overlay: Extract<Overlay, { kind: 'skills' }>, height: number): Line[] {
  const all = world.skills ?? [];
  const room = height - 2;
  const first = firstShown(overlay.index, all.length, room);
  return [
    line(span('Who looks?', 'bold'), span(`  ${overlay.chosen.length} of ${all.length}`, 'dim')),
    [],
    ...all.slice(first, first + room).map(({ id, title }, i) => {
      const here = first + i === overlay.index;
      return line(
        span(here ? '› ' : '  ', 'accent'),
        span(overlay.chosen.includes(id) ? '[x] ' : '[ ] ', 'accent'),
        span(id.padEnd(14), here ? 'bold' : 'plain'),
        span(title, 'dim'),
      );
    }),
  ];
}
