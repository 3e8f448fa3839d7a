import { type Line, line, span } from '../line.js';
import type { Ui } from '../ui.js';
import type { World } from '../world.js';

/** Which process? Shown when none was named and there are several. */
export function picker(world: World, ui: Ui): Line[] {
  const rows = world.choices ?? [];
  return [
    line(span('Which process?', 'bold'), span('  enter attaches, q leaves', 'dim')),
    [],
    ...rows.map((row, i) => {
      const chosen = i === ui.cursor.overview;
      const tone = row.mayAttach ? (chosen ? 'bold' : 'plain') : 'dim';
      return line(
        span(chosen ? '› ' : '  ', 'accent'),
        span(String(row.pid).padStart(7), tone),
        '  ',
        span(row.command, tone),
        span(`  ${row.about}`, 'dim'),
      );
    }),
  ];
}
