/** A column of a table for a terminal: the last one takes what is left and is cut there. */
export interface Column<Row> {
  readonly title: string;
  readonly align?: 'right';
  readonly cell: (row: Row) => string;
}

/** Aligned lines with a head, at most `width` characters each. */
export function table<Row>(columns: readonly Column<Row>[], rows: readonly Row[], width: number): string[] {
  const cells = [columns.map(column => column.title), ...rows.map(row => columns.map(column => column.cell(row)))];
  const widths = columns.map((_, i) => Math.max(...cells.map(line => line[i]?.length ?? 0)));
  return cells.map(line =>
    cut(
      line
        .map((cell, i) => pad(cell, widths[i] ?? 0, columns[i]?.align))
        .join('  ')
        .trimEnd(),
      width,
    ),
  );
}

function pad(cell: string, width: number, align: 'right' | undefined): string {
  return align === 'right' ? cell.padStart(width) : cell.padEnd(width);
}

function cut(line: string, width: number): string {
  return line.length <= width ? line : `${line.slice(0, width - 1)}…`;
}

/** Breaks at blanks, and within a word only when it alone is longer than a line; every line begins with the indent. */
export function wrap(text: string, width: number, indent: string): string[] {
  const room = Math.max(1, width - indent.length);
  const lines: string[] = [];
  let line = '';
  for (const piece of text.split(/\s+/).flatMap(word => pieces(word, room))) {
    const longer = line === '' ? piece : `${line} ${piece}`;
    if (longer.length > room && line !== '') {
      lines.push(line);
      line = piece;
    } else line = longer;
  }
  return [...lines, line].map(each => `${indent}${each}`);
}

function pieces(word: string, length: number): string[] {
  const parts: string[] = [];
  for (let at = 0; at < word.length; at += length) parts.push(word.slice(at, at + length));
  return parts;
}
