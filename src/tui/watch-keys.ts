import type { WatchState } from '../report/watch-state.js';
import type { Key } from './keys.js';
import type { WatchUi } from './watch-frame.js';

export interface WatchPressed {
  readonly ui: WatchUi;
  /** leave: end the watch in order; interrupt: the same, as Ctrl-C does it. */
  readonly command?: 'leave' | 'interrupt' | 'redraw' | 'suspend';
}

const PAGE = 10;
const STEPS: { readonly [name: string]: number } = { up: -1, down: 1, pageUp: -PAGE, pageDown: PAGE, k: -1, j: 1 };
const CONTROL: { readonly [input: string]: NonNullable<WatchPressed['command']> } = {
  ...{ c: 'interrupt', l: 'redraw', z: 'suspend' },
};

/** What a key changes on the screen of a watch; the state itself changes by events alone. */
export function pressInWatch(ui: WatchUi, key: Key, state: WatchState): WatchPressed {
  if (key.ctrl) {
    const command = CONTROL[key.input];
    return command ? { ui, command } : { ui };
  }
  if (key.name === undefined && key.input === 'q') return { ui, command: 'leave' };
  const by = STEPS[key.name ?? key.input];
  if (by !== undefined) return { ui: moved(ui, by, state.targets.length) };
  if (ui.page === 'target' && (key.name === 'escape' || key.name === 'left' || key.name === 'backspace'))
    return { ui: { ...ui, page: 'list', scroll: 0 } };
  const enters = key.name === 'return' || key.name === 'right';
  return { ui: enters && state.targets.length > 0 ? { ...ui, page: 'target', scroll: 0 } : ui };
}

function moved(ui: WatchUi, by: number, targets: number): WatchUi {
  if (ui.page === 'target') return { ...ui, scroll: Math.max(0, ui.scroll + by) };
  return { ...ui, index: Math.min(Math.max(0, targets - 1), Math.max(0, Math.min(ui.index, targets - 1) + by)) };
}
