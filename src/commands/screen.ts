import { setFlagsFromString } from 'node:v8';
import { frame } from '../tui/frame.js';
import { parseKeys } from '../tui/input.js';
import { ansiOf } from '../tui/paint.js';
import { Show } from './show.js';
import { FrameSink, type Terminal, takeTerminal, wantsAscii, wantsColor } from './terminal.js';

export interface ScreenOptions {
  readonly altScreen: boolean;
  readonly ascii?: boolean;
  readonly mouse?: boolean;
}

export interface Screen {
  readonly show: Show;
  readonly terminal: Terminal;
  /** Lets Ink draw from now on; until then the frames are drawn without it, as loading it takes longer than attaching. */
  startInk(): Promise<void>;
  redraw(): void;
  suspend(): void;
  close(): void;
}

/** After an ESC nothing more came for so long: it was the key itself and no sequence (vim waits as long over ssh). */
const ESCAPE_MS = 50;

/** Takes the terminal and shows the first frame at once. */
export function openScreen(options: ScreenOptions): Screen {
  // Frames are garbage within a second. A young generation that may not grow costs no time and saves 25 MB of the sick host.
  setFlagsFromString('--semi-space-growth-factor=1');
  const show = new Show({
    ascii: options.ascii ?? wantsAscii(process.env),
    color: wantsColor(process.env),
    mouse: options.mouse ?? false,
    size: () => ({ columns: process.stdout.columns || 80, rows: process.stdout.rows || 24 }),
  });
  const terminal = takeTerminal(process.stdout, process.stdin, options, keyboard(show));
  const draw = () => {
    const { world, ui, size, ascii, color } = show.current();
    terminal.show(frame(world, ui, size, ascii).map(line => ansiOf(line, color)));
  };
  const redraw = () => {
    terminal.forget();
    show.refresh();
  };
  let stopDrawing = show.subscribe(draw);
  process.stdout.on('resize', redraw);
  draw();
  return {
    show,
    terminal,
    async startInk() {
      const { mount } = await import('./ink-stage.js');
      const unmount = mount(show, new FrameSink(rows => terminal.show(rows)));
      stopDrawing();
      stopDrawing = unmount;
    },
    redraw,
    suspend: () => terminal.suspend(redraw),
    close() {
      process.stdout.off('resize', redraw);
      terminal.leave();
      stopDrawing();
    },
  };
}

function keyboard(show: Show): (text: string) => void {
  let rest = '';
  let timer: NodeJS.Timeout | undefined;
  const hear = (text: string, final: boolean) => {
    clearTimeout(timer);
    const parsed = parseKeys(rest + text, final);
    rest = parsed.rest;
    show.onKeys(parsed.keys);
    if (rest !== '' && !final) timer = setTimeout(() => hear('', true), ESCAPE_MS);
  };
  return text => hear(text, false);
}
