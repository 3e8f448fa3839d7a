import stringWidth from 'string-width';
import { sayMs } from '../../base/say.js';
import { sparkline } from '../chart.js';
import { flameLines } from '../flame.js';
import { type Line, line, span, wrap } from '../line.js';
import { evidenceRows, firstShown } from '../lists.js';
import { type Forest, type TreeRow, treeRows } from '../tree.js';
import type { Ui } from '../ui.js';
import type { Curve, EvidenceSection, World } from '../world.js';

/** Less is 0.0 ms in words. */
const SAID_MS = 0.05;

/** Every reading by its id, the newest first. */
export function evidence(world: World, ui: Ui, height: number): Line[] {
  const rows = evidenceRows(world, ui.filter);
  if (rows.length === 0)
    return [
      line(span(ui.filter ? `no evidence matches “${ui.filter}” (esc clears)` : 'nothing has been read yet', 'dim')),
    ];
  const cursor = Math.min(ui.cursor.evidence, rows.length - 1);
  const first = firstShown(cursor, rows.length, height);
  return rows.slice(first, first + height).map((row, i) => {
    const chosen = first + i === cursor;
    return line(
      span(chosen ? '› ' : '  ', 'accent'),
      span(ui.pinned.includes(row.id) ? '● ' : '  ', 'accent'),
      span(row.id.padEnd(22), chosen ? 'bold' : 'plain'),
      span(row.status.padEnd(12), row.status === 'ok' ? 'good' : 'warn'),
      span(`${sayMs(row.tookMs).padStart(7)}  `, 'dim'),
      span(row.reason ?? (row.pausedMs >= SAID_MS ? `stopped the target for ${sayMs(row.pausedMs)}` : 'free'), 'dim'),
    );
  });
}

/** One line of the opened reading; `node` where it can be unfolded or belongs to a tree. */
export interface OpenedRow {
  readonly line: Line;
  readonly node?: TreeRow;
}

/** The opened reading, whole; with a filter only the rows of its tables and trees that match. */
export function openedRows(world: World, ui: Ui, width: number): readonly OpenedRow[] {
  const id = ui.opened ?? '';
  const view = world.view(id);
  if (!view) return [{ line: line(span(`${id} holds nothing to show (esc: back)`, 'dim')) }];
  const title = line(span(view.title, 'bold'), span(ui.filter ? `  only “${ui.filter}” (esc clears)` : '', 'accent'));
  const forest: Forest = { folds: ui.folds, wanted: ui.filter.toLowerCase() };
  return [
    { line: title },
    EMPTY_ROW,
    ...view.sections.flatMap((section, i) => [
      ...(i === 0 ? [] : [EMPTY_ROW]),
      ...sectionRows(section, i, width - GUTTER, forest),
    ]),
  ];
}

/** Before each line: where the cursor stands. */
const GUTTER = 2;
const EMPTY_ROW: OpenedRow = { line: [] };

/** The rows as they are drawn, the one that keys act on marked. */
export function openedLines(world: World, ui: Ui, width: number): Line[] {
  const rows = openedRows(world, ui, width);
  const cursor = Math.min(ui.line, rows.length - 1);
  return rows.map(({ line: shown }, i) => [span(i === cursor ? '› ' : '  ', 'accent'), ...shown]);
}

function sectionRows(section: EvidenceSection, index: number, width: number, forest: Forest): OpenedRow[] {
  if (section.kind !== 'tree') return sectionLines(section, width, forest.wanted).map(line => ({ line }));
  const rows = section.roots.flatMap((root, i) => treeRows(root, `${index}.${i}`, 0, forest));
  return [{ line: line(span(section.title, 'accent')) }, ...rows.map(node => ({ line: treeLine(node), node }))];
}

function treeLine({ depth, label, folded, open }: TreeRow): Line {
  const mark = folded === 0 ? '  ' : open ? '▾ ' : '▸ ';
  return line(span('  '.repeat(depth)), span(mark, 'accent'), label);
}

function sectionLines(section: Exclude<EvidenceSection, { kind: 'tree' }>, width: number, wanted: string): Line[] {
  const title = line(span(section.title, 'accent'));
  switch (section.kind) {
    case 'text':
      return [
        title,
        ...section.lines
          .filter(text => matches(text, wanted))
          .flatMap(text => wrap(text, width).map(part => line(part))),
      ];
    case 'table':
      return [title, ...tableLines(section.columns, section.rows, width, wanted)];
    case 'curve':
      return [title, ...section.series.filter(s => matches(s.name, wanted)).map(s => curveLine(s, width))];
    case 'flame':
      return [title, ...flameLines(section.root, width)];
    default:
      return section satisfies never;
  }
}

const matches = (text: string, wanted: string): boolean => text.toLowerCase().includes(wanted);

function curveLine({ name, values, said }: Curve, width: number): Line {
  const known = values.filter(Number.isFinite);
  const range = { low: Math.min(...known, 0), high: Math.max(...known, Number.MIN_VALUE) };
  const room = Math.max(8, Math.min(60, width - 44));
  return line(
    span(name.padEnd(24), 'dim'),
    said.padStart(12),
    '  ',
    span(sparkline(values, room, range, false), 'accent'),
  );
}

function tableLines(
  columns: readonly string[],
  rows: readonly (readonly string[])[],
  width: number,
  wanted: string,
): Line[] {
  const shown = rows.filter(row => matches(row.join(' '), wanted));
  const widths = fitted(
    columns.map((name, i) => Math.max(...[name, ...shown.map(row => row[i] ?? '')].map(c => stringWidth(c)))),
    width,
  );
  const cells = (row: readonly string[]) => row.map((cell, i) => cellOf(cell, widths[i] ?? 0)).join('  ');
  return [line(span(cells(columns), 'dim')), ...shown.map(row => line(cells(row)))];
}

/** The widest columns give way until the table fits: the start of each stays readable. */
function fitted(widths: readonly number[], room: number): number[] {
  const result = [...widths];
  const all = () => result.reduce((sum, w) => sum + w + 2, -2);
  while (all() > room && Math.max(...result) > 10) {
    const widest = result.indexOf(Math.max(...result));
    result[widest] = Math.max(10, (result[widest] ?? 0) - (all() - room));
  }
  return result;
}

/** Numbers stand right; what is cut keeps its end, where a path has its file and a number its unit. */
function cellOf(cell: string, width: number): string {
  const missing = width - stringWidth(cell);
  if (missing < 0) return `…${cell.slice(1 - missing)}`;
  return /^[-+]?[\d ]/.test(cell) ? ' '.repeat(missing) + cell : cell + ' '.repeat(missing);
}
