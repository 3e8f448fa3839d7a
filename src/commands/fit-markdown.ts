import { wrap } from './table.js';

/** Wider lines are hard to read, however wide the terminal is. */
const MOST_COLUMNS = 120;

/** Markdown as a terminal shows it well: words kept whole at its width, list items indented, code left as it is. */
export function fitMarkdown(text: string, columns: number | undefined): string {
  if (columns === undefined || columns <= 0) return text;
  const width = Math.min(columns, MOST_COLUMNS);
  let inCode = false;
  return text
    .split('\n')
    .flatMap(line => {
      if (line.startsWith('```')) inCode = !inCode;
      return inCode || line.startsWith('```') || line.length <= width ? [line] : folded(line, width);
    })
    .join('\n');
}

function folded(line: string, width: number): string[] {
  const mark = /^(?:- |#+ )/.exec(line)?.[0] ?? '';
  const [first = '', ...rest] = wrap(line.slice(mark.length), width, ' '.repeat(mark.length));
  return [`${mark}${first.slice(mark.length)}`, ...rest];
}
