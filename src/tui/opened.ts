import { type OpenedRow, openedRows } from './screens/evidence.js';
import { bodySize, type Size } from './size.js';
import { parentOf } from './tree.js';
import type { Ui } from './ui.js';
import type { World } from './world.js';

/** Whether the screen shows one piece of evidence, with a line that keys act on. */
export const isOpened = (ui: Ui): boolean => ui.screen === 'evidence' && ui.opened !== undefined;

/** The same evidence with the cursor on a line; the page follows only when the line would be out of sight. */
export function atLine(ui: Ui, line: number, rows: number, room: number): Ui {
  const at = Math.max(0, Math.min(line, rows - 1));
  const last = Math.max(0, rows - room);
  const evidence = Math.max(0, Math.min(Math.max(ui.scroll.evidence, at - room + 1), at, last));
  return { ...ui, line: at, scroll: { ...ui.scroll, evidence } };
}

/** Where the cursor stands, and all rows. */
export function openedAt(world: World, ui: Ui, size: Size) {
  const rows = openedRows(world, ui, size.columns);
  const line = Math.min(ui.line, rows.length - 1);
  return { rows, line, node: rows[line]?.node };
}

/** Unfolds what is folded and folds what is not; undefined where there is nothing to fold. */
export function toggled(world: World, ui: Ui, size: Size): Ui | undefined {
  const { node } = openedAt(world, ui, size);
  return node && node.folded > 0 ? folding(ui, node.place, !node.open) : undefined;
}

/** Right: unfolds, then goes in. Undefined on a line that belongs to no tree. */
export function inwards(world: World, ui: Ui, size: Size): Ui | undefined {
  const { rows, line, node } = openedAt(world, ui, size);
  if (!node) return undefined;
  if (node.folded === 0) return ui;
  return node.open ? atLine(ui, line + 1, rows.length, bodySize(size).rows) : folding(ui, node.place, true);
}

/** Left: folds, then goes to what holds it. Undefined on a line that belongs to no tree. */
export function outwards(world: World, ui: Ui, size: Size): Ui | undefined {
  const { rows, node } = openedAt(world, ui, size);
  if (!node) return undefined;
  if (node.open && node.folded > 0 && ui.filter === '') return folding(ui, node.place, false);
  return atPlace(ui, rows, parentOf(node.place), size);
}

/** Everything unfolded; or everything folded, when it is unfolded. The cursor stays with its node, or what holds it. */
export function allToggled(world: World, ui: Ui, size: Size): Ui {
  const { node } = openedAt(world, ui, size);
  const next: Ui = { ...ui, folds: { rest: ui.folds.rest !== true, own: {} } };
  const root = node?.place.split('.').slice(0, 2).join('.');
  const rows = openedRows(world, next, size.columns);
  return atPlace(next, rows, rows.some(r => r.node?.place === node?.place) ? node?.place : root, size);
}

function folding(ui: Ui, place: string, open: boolean): Ui {
  return { ...ui, folds: { ...ui.folds, own: { ...ui.folds.own, [place]: open } } };
}

function atPlace(ui: Ui, rows: readonly OpenedRow[], place: string | undefined, size: Size): Ui {
  const line = rows.findIndex(row => row.node !== undefined && row.node.place === place);
  return line < 0
    ? atLine(ui, ui.line, rows.length, bodySize(size).rows)
    : atLine(ui, line, rows.length, bodySize(size).rows);
}
