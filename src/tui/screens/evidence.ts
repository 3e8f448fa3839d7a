import { sayMs } from '../../base/say.js';
import { flameLines } from '../flame.js';
import { type Line, line, span, wrap } from '../line.js';
import { evidenceRows } from '../lists.js';
import type { Ui } from '../ui.js';
import type { EvidenceSection, TreeNode, World } from '../world.js';

/** Every reading by its id; an opened one with what it holds. */
export function evidence(world: World, ui: Ui, width: number, height: number): Line[] {
  if (ui.opened !== undefined) return opened(world, ui.opened, ui, width, height);
  const rows = evidenceRows(world, ui.filter);
  if (rows.length === 0)
    return [
      line(span(ui.filter ? `no evidence matches “${ui.filter}” (esc clears)` : 'nothing has been read yet', 'dim')),
    ];
  const first = Math.max(0, Math.min(ui.cursor.evidence - Math.floor(height / 2), rows.length - height));
  return rows.slice(first, first + height).map((row, i) => {
    const chosen = first + i === ui.cursor.evidence;
    return line(
      span(chosen ? '› ' : '  ', 'accent'),
      span(row.id.padEnd(24), chosen ? 'bold' : 'plain'),
      span(row.status.padEnd(12), row.status === 'ok' ? 'good' : 'warn'),
      span(`${sayMs(row.tookMs).padStart(7)}  `, 'dim'),
      span(row.reason ?? (row.pausedMs > 0 ? `stopped the target for ${sayMs(row.pausedMs)}` : 'free'), 'dim'),
    );
  });
}

function opened(world: World, id: string, ui: Ui, width: number, height: number): Line[] {
  const view = world.view(id);
  if (!view) return [line(span(`${id} holds nothing to show (esc: back)`, 'dim'))];
  const all = [
    line(span(view.title, 'bold')),
    [],
    ...view.sections.flatMap(section => [...sectionLines(section, width), []]),
  ];
  return all.slice(Math.min(ui.scroll.evidence, Math.max(0, all.length - height)));
}

function sectionLines(section: EvidenceSection, width: number): Line[] {
  const title = line(span(section.title, 'accent'));
  switch (section.kind) {
    case 'text':
      return [title, ...section.lines.flatMap(text => wrap(text, width).map(part => line(part)))];
    case 'table':
      return [title, ...tableLines(section.columns, section.rows)];
    case 'tree':
      return [title, ...section.roots.flatMap(root => treeLines(root, 0))];
    case 'flame':
      return [title, ...flameLines(section.root, width)];
    default:
      return section satisfies never;
  }
}

function tableLines(columns: readonly string[], rows: readonly (readonly string[])[]): Line[] {
  const widths = columns.map((name, i) => Math.max(name.length, ...rows.map(row => (row[i] ?? '').length)));
  const cells = (row: readonly string[]) =>
    row.map((cell, i) => (isNumber(cell) ? cell.padStart(widths[i] ?? 0) : cell.padEnd(widths[i] ?? 0))).join('  ');
  return [line(span(cells(columns), 'dim')), ...rows.map(row => line(cells(row)))];
}

function isNumber(cell: string): boolean {
  return /^[-+]?[\d ]/.test(cell);
}

function treeLines(node: TreeNode, depth: number): Line[] {
  return [line(span('  '.repeat(depth)), node.label), ...node.children.flatMap(child => treeLines(child, depth + 1))];
}
