/** Lines shown before and after the place. */
const AROUND = 3;
/** A minified line would fill the screen. */
const MAX_WIDTH = 160;

/** Lines around a 1-based line, numbered, the place itself marked with `>`; undefined when the text has no such line. */
export function codeFrame(text: string, line: number, around = AROUND): string | undefined {
  const lines = text.split('\n');
  if (line < 1 || line > lines.length) return undefined;
  const first = Math.max(1, line - around);
  const last = Math.min(lines.length, line + around);
  const width = String(last).length;
  const rows = lines.slice(first - 1, last).map((row, at) => numbered(row, first + at, line, width));
  return rows.join('\n');
}

function numbered(row: string, number: number, marked: number, width: number): string {
  const shown = row.replace(/\r$/, '').replace(/\t/g, '  ');
  const cut = shown.length > MAX_WIDTH ? `${shown.slice(0, MAX_WIDTH)}…` : shown;
  return `${number === marked ? '>' : ' '} ${String(number).padStart(width)} | ${cut}`.trimEnd();
}
