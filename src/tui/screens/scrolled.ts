import type { Line } from '../line.js';
import type { Ui } from '../ui.js';
import type { World } from '../world.js';
import { openedLines } from './evidence.js';
import { reportScreenLines } from './report.js';
import { sourceLines } from './source.js';

/** All lines of a screen that scrolls, of which it shows a window; undefined for screens that are lists. */
export function scrolledLines(world: World, ui: Ui, width: number): readonly Line[] | undefined {
  if (ui.screen === 'report') return reportScreenLines(world, width);
  if (ui.screen === 'source') return sourceLines(world, width);
  if (ui.screen === 'evidence' && ui.opened !== undefined) return openedLines(world, ui, width);
  return undefined;
}

/** The `height` lines from `scroll` on; the last page stays full. */
export function pageOf(lines: readonly Line[], scroll: number, height: number): Line[] {
  return lines.slice(Math.max(0, Math.min(scroll, lines.length - height)));
}
