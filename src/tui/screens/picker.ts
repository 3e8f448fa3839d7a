import { type Line, line, span } from '../line.js';
import { choiceRows, firstShown } from '../lists.js';
import type { Ui } from '../ui.js';
import type { World } from '../world.js';

/** Which process? Shown when none was named and there are several. */
export function picker(world: World, ui: Ui, height: number): Line[] {
  const rows = choiceRows(world, ui.filter);
  const cursor = Math.min(ui.cursor.overview, rows.length - 1);
  const room = height - 2;
  const first = firstShown(cursor, rows.length, room);
  return [
    line(span('Which process?', 'bold'), span('  enter attaches, q leaves', 'dim')),
    rows.length === 0 ? line(span(`no process matches “${ui.filter}” (esc clears)`, 'dim')) : [],
    ...rows.slice(first, first + room).map((row, i) => {
      const chosen = first + i === cursor;
      const tone = row.mayAttach ? (chosen ? 'bold' : 'plain') : 'dim';
      return line(
        span(chosen ? '› ' : '  ', 'accent'),
        span(String(row.pid).padStart(7), tone),
        span(row.mayAttach ? '  ' : '  cannot attach  ', 'warn'),
        span(withoutFolder(row.command), tone),
        span(`  ${row.about}`, 'dim'),
      );
    }),
  ];
}

/** The program's name comes before its folder is of use: the row has little room, and the script stands behind it. */
function withoutFolder(command: string): string {
  return command.replace(/^\/\S*\/(?=\S)/, '');
}
