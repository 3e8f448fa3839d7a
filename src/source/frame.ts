/** Lines shown before and after the place. */
const AROUND = 3;
/** A minified line would fill the screen. */
const MAX_WIDTH = 160;

/** What stands before the place on a line that is cut at both ends. */
const BEFORE = 60;

/**
 * Lines around a place (1-based), numbered, its own line marked with `>`; a minified one is cut around the column.
 * Undefined when the text has no such line.
 */
export function codeFrame(text: string, line: number, column = 1): string | undefined {
  const lines = text.split('\n');
  if (line < 1 || line > lines.length) return undefined;
  const first = Math.max(1, line - AROUND);
  const last = Math.min(lines.length, line + AROUND);
  const width = String(last).length;
  const rows = lines
    .slice(first - 1, last)
    .map((row, at) => numbered(row, first + at, width, first + at === line ? column : undefined));
  return rows.join('\n');
}

/** `column` is that of the place, when it is on this line. */
function numbered(row: string, number: number, width: number, column: number | undefined): string {
  const shown = row.replace(/\r$/, '').replace(/\t/g, '  ');
  const mark = column === undefined ? ' ' : '>';
  return `${mark} ${String(number).padStart(width)} | ${cutAround(shown, column ?? 1)}`.trimEnd();
}

function cutAround(row: string, column: number): string {
  if (row.length <= MAX_WIDTH) return row;
  const from = column < MAX_WIDTH ? 0 : Math.min(column - BEFORE, row.length - MAX_WIDTH);
  const end = from + MAX_WIDTH < row.length ? '…' : '';
  return `${from > 0 ? '…' : ''}${row.slice(from, from + MAX_WIDTH)}${end}`;
}
