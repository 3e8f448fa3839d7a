/** Alternate screen, hidden cursor; and back, with everything a program may have switched on switched off. */
const ENTER = '\u001b[?1049h\u001b[?25l\u001b[H';
const LEAVE = '\u001b[?1000l\u001b[?1006l\u001b[?2004l\u001b[?25h\u001b[?1049l';
const SHOW_CURSOR = '\u001b[?25h';

export interface Terminal {
  leave(): void;
  /** Stops this process as Ctrl-Z means it, and takes the screen again when it goes on. */
  suspend(onResume: () => void): void;
  /** OSC 52: asks the terminal to put the text into the clipboard, also over ssh. */
  copy(text: string): void;
}

/** Takes the terminal until `leave`; it is given back whatever ends the process, but for SIGKILL. */
export function takeTerminal(out: NodeJS.WriteStream, input: NodeJS.ReadStream, alternate: boolean): Terminal {
  let taken = true;
  out.write(alternate ? ENTER : '');
  const restore = () => {
    if (!taken) return;
    taken = false;
    if (input.isTTY) input.setRawMode(false);
    out.write(alternate ? LEAVE : SHOW_CURSOR);
  };
  process.once('exit', restore);
  return {
    leave() {
      restore();
      process.off('exit', restore);
    },
    suspend(onResume) {
      if (input.isTTY) input.setRawMode(false);
      out.write(alternate ? LEAVE : SHOW_CURSOR);
      process.once('SIGCONT', () => {
        out.write(alternate ? ENTER : '');
        if (input.isTTY) input.setRawMode(true);
        onResume();
      });
      process.kill(process.pid, 'SIGSTOP');
    },
    copy(text) {
      out.write(`\u001b]52;c;${Buffer.from(text).toString('base64')}\u0007`);
    },
  };
}

/** A terminal that draws nothing but ASCII, by what the environment says of itself. */
export function wantsAscii(env: { readonly [name: string]: string | undefined }): boolean {
  const locale = env.LC_ALL || env.LC_CTYPE || env.LANG || '';
  return (
    env.LENS_ASCII === '1' || env.TERM === 'dumb' || env.TERM === 'linux' || (locale !== '' && !/utf-?8/i.test(locale))
  );
}

/** NO_COLOR (any value) switches colour off, FORCE_COLOR on again. */
export function wantsColor(env: { readonly [name: string]: string | undefined }): boolean {
  if (env.FORCE_COLOR && env.FORCE_COLOR !== '0') return true;
  return !env.NO_COLOR && env.TERM !== 'dumb';
}
