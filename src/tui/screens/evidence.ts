import stringWidth from 'string-width';
import { sayMs } from '../../base/say.js';
import { sparkline } from '../chart.js';
import { flameLines } from '../flame.js';
import { type Line, line, span, wrap } from '../line.js';
import { evidenceRows } from '../lists.js';
import type { Ui } from '../ui.js';
import type { Curve, EvidenceSection, TreeNode, World } from '../world.js';

/** Every reading by its id, the newest first. */
export function evidence(world: World, ui: Ui, height: number): Line[] {
  const rows = evidenceRows(world, ui.filter);
  if (rows.length === 0)
    return [
      line(span(ui.filter ? `no evidence matches “${ui.filter}” (esc clears)` : 'nothing has been read yet', 'dim')),
    ];
  const cursor = Math.min(ui.cursor.evidence, rows.length - 1);
  const first = Math.max(0, Math.min(cursor - Math.floor(height / 2), rows.length - height));
  return rows.slice(first, first + height).map((row, i) => {
    const chosen = first + i === cursor;
    return line(
      span(chosen ? '› ' : '  ', 'accent'),
      span(ui.pinned.includes(row.id) ? '● ' : '  ', 'accent'),
      span(row.id.padEnd(22), chosen ? 'bold' : 'plain'),
      span(row.status.padEnd(12), row.status === 'ok' ? 'good' : 'warn'),
      span(`${sayMs(row.tookMs).padStart(7)}  `, 'dim'),
      span(row.reason ?? (row.pausedMs > 0 ? `stopped the target for ${sayMs(row.pausedMs)}` : 'free'), 'dim'),
    );
  });
}

/** The opened reading, whole; with a filter only the rows of its tables and trees that match. */
export function openedLines(world: World, ui: Ui, width: number): Line[] {
  const id = ui.opened ?? '';
  const view = world.view(id);
  if (!view) return [line(span(`${id} holds nothing to show (esc: back)`, 'dim'))];
  return [
    line(span(view.title, 'bold'), span(ui.filter ? `  only “${ui.filter}” (esc clears)` : '', 'accent')),
    [],
    ...view.sections.flatMap(section => [...sectionLines(section, width, ui.filter.toLowerCase()), []]),
  ];
}

function sectionLines(section: EvidenceSection, width: number, wanted: string): Line[] {
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
    case 'tree':
      return [title, ...section.roots.flatMap(root => treeLines(root, 0, wanted))];
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

function treeLines(node: TreeNode, depth: number, wanted: string): Line[] {
  const below = node.children.flatMap(child => treeLines(child, depth + 1, wanted));
  if (below.length === 0 && !matches(node.label, wanted)) return [];
  return [line(span(depth === 0 ? '' : `${'  '.repeat(depth - 1)}└ `, 'dim'), node.label), ...below];
}
