import { metricKind, sayMetric } from '../../model/vital-metrics.js';
import type { WatchEvent } from '../../model/watch-event.js';
import { initialWatchState, reduceWatch } from '../../report/watch-state.js';
import { parseKeys } from '../../tui/input.js';
import { ansiOf } from '../../tui/paint.js';
import { initialWatchUi, watchFrame } from '../../tui/watch-frame.js';
import { pressInWatch } from '../../tui/watch-keys.js';
import { takeTerminal, wantsAscii, wantsColor } from '../terminal.js';

/** The live view of a watch; gives the terminal back on `close`. */
export interface WatchScreen {
  event(event: WatchEvent): void;
  close(): void;
}

/** Ages and the time in the header move on their own. */
const REDRAW_EVERY_MS = 1_000;
/** Many events come at once, one frame shows them all. */
const DRAW_AFTER_MS = 50;

/** Takes the terminal and draws the fold of the watch's events. `on.leave` is called for q, `on.interrupt` for Ctrl-C. */
export function openWatchScreen(on: { readonly leave: () => void; readonly interrupt: () => void }): WatchScreen {
  let state = initialWatchState;
  let ui = initialWatchUi;
  let soon: NodeJS.Timeout | undefined;
  const ascii = wantsAscii(process.env);
  const color = wantsColor(process.env);
  const say = (metric: string, value: number) => sayMetric(metricKind(metric) ?? { unit: 'count' }, value);

  const terminal = takeTerminal(process.stdout, process.stdin, { altScreen: true }, text => {
    for (const key of parseKeys(text, true).keys) {
      const pressed = pressInWatch(ui, key, state);
      ui = pressed.ui;
      if (pressed.command === 'leave' || pressed.command === 'interrupt') on[pressed.command]();
      if (pressed.command === 'redraw') terminal.forget();
      if (pressed.command === 'suspend') terminal.suspend(redraw);
    }
    draw();
  });
  const draw = () => {
    clearTimeout(soon);
    soon = undefined;
    const size = { columns: process.stdout.columns || 80, rows: process.stdout.rows || 24 };
    const frame = watchFrame(state, ui, size, { now: Date.now(), ascii, say });
    terminal.show(frame.map(line => ansiOf(line, color)));
  };
  const redraw = () => {
    terminal.forget();
    draw();
  };
  process.stdout.on('resize', redraw);
  const ticking = setInterval(draw, REDRAW_EVERY_MS);
  draw();
  return {
    event(event) {
      state = reduceWatch(state, event);
      soon ??= setTimeout(draw, DRAW_AFTER_MS);
    },
    close() {
      clearTimeout(soon);
      clearInterval(ticking);
      process.stdout.off('resize', redraw);
      terminal.leave();
    },
  };
}
