import type { Key, Pressed } from './keys.js';
import { choiceRows, evidenceRows, firstShown, operatorRows, paletteRows } from './lists.js';
import { atLine, isOpened, openedAt, toggled } from './opened.js';
import { operatorListSize } from './screens/investigation.js';
import { momentAt } from './screens/replay.js';
import { bodySize, HEADER, type Size } from './size.js';
import { SCREENS, type Screen, tabOf, type Ui } from './ui.js';
import type { World } from './world.js';

/** Title and blank line above the rows of the picker and of the palette. */
const LIST_TITLE = 2;

/**
 * What a click does: the same as going there with keys, so `enter` is what a second click on a chosen row presses.
 * Questions are answered by keys alone: a click that went astray takes no dear reading.
 */
export function click(
  ui: Ui,
  at: NonNullable<Key['at']>,
  world: World,
  size: Size,
  enter: (ui: Ui) => Pressed,
): Pressed {
  const row = at.row - HEADER;
  if (ui.overlay.kind === 'help' || ui.overlay.kind === 'compare') return { ui: { ...ui, overlay: { kind: 'none' } } };
  if (ui.overlay.kind === 'palette') return clickPalette(ui, ui.overlay, row, world, size, enter);
  if (world.consent || ui.overlay.kind !== 'none') return { ui };
  if (world.choices)
    return clickRow(
      ui,
      'overview',
      row - LIST_TITLE,
      bodySize(size).rows - LIST_TITLE,
      choiceRows(world, ui.filter).length,
      enter,
    );
  if (at.row === HEADER - 1) return { ui: { ...ui, screen: tabAt(at.column, size.columns) ?? ui.screen } };
  if (row === bodySize(size).rows) return clickTimeline(ui, at.column, world, size);
  return row < 0 ? { ui } : clickBody(ui, row, at.column, world, size, enter);
}

function tabAt(column: number, width: number): Screen | undefined {
  let end = 0;
  return SCREENS.find(screen => {
    end += tabOf(screen, width).length;
    return column < end;
  });
}

function clickTimeline(ui: Ui, column: number, world: World, size: Size): Pressed {
  const to = world.replay && momentAt(world.replay, column, size.columns);
  return to === undefined ? { ui } : { ui, command: { do: 'seek', to } };
}

function clickBody(ui: Ui, row: number, column: number, world: World, size: Size, enter: (ui: Ui) => Pressed): Pressed {
  const room = bodySize(size);
  if (isOpened(ui)) return { ui: clickOpened(ui, row, world, size) };
  if (ui.screen === 'evidence')
    return clickRow(ui, 'evidence', row, room.rows, evidenceRows(world, ui.filter).length, enter);
  if (ui.screen !== 'investigation')
    return ui.screen === 'overview' && world.run.insights.length > 0 ? enter(ui) : { ui };
  const count = operatorRows(world, ui.filter).length;
  const list = operatorListSize(count, room);
  const inside = column < list.columns && row < list.rows;
  return inside ? clickRow(ui, 'investigation', row, list.rows, count, enter) : { ui };
}

/** A click chooses; one more on the chosen row opens it. */
function clickRow(
  ui: Ui,
  screen: Screen,
  row: number,
  room: number,
  count: number,
  enter: (ui: Ui) => Pressed,
): Pressed {
  const chosen = Math.min(ui.cursor[screen], count - 1);
  const index = firstShown(chosen, count, room) + row;
  if (row < 0 || index >= count) return { ui };
  return index === chosen ? enter(ui) : { ui: { ...ui, cursor: { ...ui.cursor, [screen]: index } } };
}

function clickOpened(ui: Ui, row: number, world: World, size: Size): Ui {
  const { rows } = openedAt(world, ui, size);
  const room = bodySize(size).rows;
  const first = Math.max(0, Math.min(ui.scroll.evidence, rows.length - room));
  if (first + row >= rows.length) return ui;
  const there = atLine(ui, first + row, rows.length, room);
  return toggled(world, there, size) ?? there;
}

type Palette = Extract<Ui['overlay'], { kind: 'palette' }>;

function clickPalette(
  ui: Ui,
  overlay: Palette,
  row: number,
  world: World,
  size: Size,
  enter: (ui: Ui) => Pressed,
): Pressed {
  const count = paletteRows(overlay.input, world).length;
  const room = bodySize(size).rows - LIST_TITLE;
  const index = firstShown(overlay.index, count, room) + row - LIST_TITLE;
  return row < LIST_TITLE || index >= count ? { ui } : enter({ ...ui, overlay: { ...overlay, index } });
}
