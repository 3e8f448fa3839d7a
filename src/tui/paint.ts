import type { Line, Tone } from './line.js';

const RESET = '\u001b[0m';
/** The sixteen colours of the terminal's own theme read well on light and dark alike. */
const SGR: { readonly [T in Tone]: string } = {
  plain: '',
  dim: '\u001b[2m',
  bold: '\u001b[1m',
  accent: '\u001b[36m',
  good: '\u001b[32m',
  warn: '\u001b[33m',
  bad: '\u001b[1;31m',
  inverse: '\u001b[7m',
};
/** Without colour only weight is left. */
const MONO: Partial<Record<Tone, string>> = { bold: SGR.bold, bad: SGR.bold, inverse: SGR.inverse };

/** A line as a terminal draws it. */
export function ansiOf(line: Line, color: boolean): string {
  return line
    .map(({ text, tone }) => {
      const on = (color ? SGR[tone] : MONO[tone]) ?? '';
      return on === '' ? text : `${on}${text}${RESET}`;
    })
    .join('')
    .trimEnd();
}

/** What turns the rows on a screen into `next`: each changed row written at its place, the others left alone. */
export function repaint(shown: readonly string[] | undefined, next: readonly string[]): string {
  const changes = next.flatMap((row, i) => (shown?.[i] === row ? [] : [`\u001b[${i + 1};1H${row}${RESET}\u001b[K`]));
  const surplus = shown !== undefined && shown.length > next.length ? `\u001b[${next.length + 1};1H\u001b[J` : '';
  if (changes.length === 0 && surplus === '') return '';
  // Terminals that know synchronized output (mode 2026) show the frame at once; the others ignore it.
  return `\u001b[?2026h${changes.join('')}${surplus}\u001b[?2026l`;
}
