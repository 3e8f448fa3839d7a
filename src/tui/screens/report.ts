import { type Line, line, span } from '../line.js';
import { reportLines } from '../lists.js';
import type { Ui } from '../ui.js';
import type { World } from '../world.js';

/** The report as it will be written, scrollable. */
export function report(world: World, ui: Ui, width: number, height: number): Line[] {
  const all = reportLines(world, width).map(reportLine);
  const first = Math.min(ui.scroll.report, Math.max(0, all.length - height));
  return all.slice(first);
}

function reportLine(text: string): Line {
  if (text.startsWith('#')) return line(span(text.replace(/^#+ /, ''), 'bold'));
  if (text.startsWith('>')) return line(span(text, 'warn'));
  return line(text);
}
