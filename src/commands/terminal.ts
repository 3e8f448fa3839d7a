import { Writable } from 'node:stream';
import { repaint } from '../tui/paint.js';

/** Cursor hidden, pasted text marked as such; the alternate screen keeps the shell's history as it was. */
const MODES_ON = '\u001b[?25l\u001b[?2004h';
const MODES_OFF = '\u001b[?2004l\u001b[0m\u001b[?25h';
/** Buttons and wheel, in the form that has no limit of 223 columns. Without it the terminal selects text as ever. */
const MOUSE_ON = '\u001b[?1000h\u001b[?1006h';
const MOUSE_OFF = '\u001b[?1000l\u001b[?1006l';
const ALTERNATE = '\u001b[?1049h\u001b[H';
const NORMAL = '\u001b[?1049l';

export interface Terminal {
  /** The newest frame, a string a row; a terminal that is slow gets the latest one when it has caught up. */
  show(rows: readonly string[]): void;
  /** Draws everything anew: after a resize, or when something else wrote on the screen. */
  forget(): void;
  leave(): void;
  /** Stops this process as Ctrl-Z means it, and takes the screen again when it goes on. */
  suspend(onResume: () => void): void;
  /** OSC 52: asks the terminal to put the text into the clipboard, also over ssh. */
  copy(text: string): void;
  /** Hears wheel and clicks, or leaves them to the terminal. */
  mouse(on: boolean): void;
}

type Out = NodeJS.WriteStream & { readonly _handle?: { setBlocking?(blocking: boolean): void } };

/** Takes the terminal until `leave`; it is given back whatever ends the process, but for SIGKILL. */
export function takeTerminal(
  out: Out,
  input: NodeJS.ReadStream,
  { altScreen: alternate, mouse = false }: { readonly altScreen: boolean; readonly mouse?: boolean },
  onText: (text: string) => void,
): Terminal {
  let taken = false;
  let heard = mouse;
  let shown: readonly string[] | undefined;
  let waiting: readonly string[] | undefined;
  const take = () => {
    taken = true;
    shown = undefined;
    // A terminal that stops reading (Ctrl-S, a stuck ssh) must not stop lens: its lease in the target has to go on.
    out._handle?.setBlocking?.(false);
    input.setRawMode(true);
    input.setEncoding('utf8').on('data', onText).resume();
    out.write((alternate ? ALTERNATE : '\n'.repeat(Math.max(0, out.rows - 1))) + MODES_ON + (heard ? MOUSE_ON : ''));
  };
  const restore = () => {
    if (!taken) return;
    taken = false;
    out._handle?.setBlocking?.(true);
    input.off('data', onText).pause();
    input.setRawMode(false);
    out.write(MOUSE_OFF + MODES_OFF + (alternate ? NORMAL : `\u001b[${out.rows};1H\n`));
  };
  const paint = () => {
    if (!taken || waiting === undefined) return;
    const text = repaint(shown, waiting);
    shown = waiting;
    waiting = undefined;
    if (text !== '') out.write(text);
  };
  const onDrain = () => paint();
  // A terminal that is gone is no reason to die before the target is released.
  const onError = () => undefined;
  out.on('drain', onDrain).on('error', onError);
  input.on('error', onError);
  process.once('exit', restore);
  take();
  return {
    show(rows) {
      waiting = rows;
      if (!out.writableNeedDrain) paint();
    },
    forget() {
      shown = undefined;
    },
    leave() {
      restore();
      out.off('drain', onDrain);
      process.off('exit', restore);
    },
    suspend(onResume) {
      restore();
      process.once('SIGCONT', () => {
        take();
        onResume();
      });
      process.kill(process.pid, 'SIGSTOP');
    },
    mouse(on) {
      heard = on;
      if (taken) out.write(on ? MOUSE_ON : MOUSE_OFF);
    },
    copy(text) {
      out.write(`\u001b]52;c;${Buffer.from(text).toString('base64')}\u0007`);
    },
  };
}

/**
 * The stdout that Ink is given: with `debug` Ink writes every frame whole, and the terminal draws what has changed.
 * Ink 6.8's own incremental drawing is one row off below a full screen, and clears the screen at a full one.
 */
export class FrameSink extends Writable {
  readonly isTTY = true;

  constructor(private readonly onFrame: (rows: readonly string[]) => void) {
    super({ decodeStrings: false });
  }

  get columns(): number {
    return process.stdout.columns || 80;
  }

  get rows(): number {
    return process.stdout.rows || 24;
  }

  override _write(frame: string, _encoding: string, done: () => void): void {
    if (frame !== '' && frame !== '\n') this.onFrame(frame.split('\n'));
    done();
  }
}

type Env = { readonly [name: string]: string | undefined };

/** A terminal that draws nothing but ASCII, by what the environment says of itself. */
export function wantsAscii(env: Env): boolean {
  const locale = env.LC_ALL || env.LC_CTYPE || env.LANG || '';
  return env.LENS_ASCII === '1' || env.TERM === 'linux' || (locale !== '' && !/utf-?8/i.test(locale));
}

/** NO_COLOR (any value) switches colour off, FORCE_COLOR on again. */
export function wantsColor(env: Env): boolean {
  if (env.FORCE_COLOR && env.FORCE_COLOR !== '0') return true;
  return !env.NO_COLOR && env.TERM !== 'dumb';
}

/** A screen reader, or a terminal without a movable cursor: lines one after the other instead of a screen. */
export function wantsLines(env: Env): boolean {
  return env.INK_SCREEN_READER === 'true' || env.TERM === 'dumb';
}
