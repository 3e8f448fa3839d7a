import type { Line } from './line.js';
import { isOpened, openedAt } from './opened.js';
import { scrolledLines } from './screens/scrolled.js';
import { bodySize, type Size } from './size.js';
import type { Ui } from './ui.js';
import type { World } from './world.js';

/** The next title of the opened evidence or of the report, or the one before, at the top of the screen. */
export function toSection(ui: Ui, way: 1 | -1, world: World, size: Size): Ui {
  const room = bodySize(size);
  const opened = isOpened(ui) ? openedAt(world, ui, size) : undefined;
  const lines = opened?.rows.map(row => row.line) ?? scrolledLines(world, ui, room.columns);
  if (!lines) return { ...ui, notice: 'There are no sections here: reports and opened evidence have some.' };
  const there = titleFrom(lines, opened?.line ?? ui.scroll[ui.screen], way);
  const scroll = { ...ui.scroll, [ui.screen]: Math.min(there, Math.max(0, lines.length - room.rows)) };
  return opened ? { ...ui, line: there, scroll } : { ...ui, scroll };
}

/** Where there is no title any more: the first line, or the place itself. */
function titleFrom(lines: readonly Line[], from: number, way: 1 | -1): number {
  const after = lines.findIndex((line, i) => i > from && isTitle(line));
  if (way === 1) return after < 0 ? from : after;
  return Math.max(
    0,
    lines.findLastIndex((line, i) => i < from && isTitle(line)),
  );
}

const isTitle = ([first, ...more]: Line): boolean =>
  first !== undefined && more.length === 0 && (first.tone === 'bold' || first.tone === 'accent');
