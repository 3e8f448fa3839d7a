import { type Line, line, span, wrap } from '../line.js';
import { reportText } from '../lists.js';
import type { World } from '../world.js';

/** Longer lines are hard to read, however wide the screen is. */
const MEASURE = 110;

/** The report as it will be written, wrapped. */
export function reportScreenLines(world: World, width: number): Line[] {
  let code = false;
  return reportText(world)
    .split('\n')
    .flatMap(text => {
      if (text.startsWith('```')) {
        code = !code;
        return [];
      }
      return code ? [codeLine(text)] : wrap(text, Math.min(MEASURE, width)).map(reportLine);
    });
}

function reportLine(text: string): Line {
  if (text.startsWith('#')) return line(span(text.replace(/^#+ /, ''), 'bold'));
  const label = /^(\*\*)?(Where|Fix|Probably|Also|At|By way of|Checked and not confirmed):?(\*\*)?/.exec(text)?.[0];
  if (label) return line(span(label.replaceAll('*', ''), 'accent'), text.slice(label.length));
  if (text.startsWith('`')) return line(span(text.replaceAll('`', ''), 'dim'));
  return line(text);
}

function codeLine(text: string): Line {
  return line('  ', span(text, text.startsWith('>') ? 'warn' : 'dim'));
}
