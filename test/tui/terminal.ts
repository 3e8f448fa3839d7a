import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type IPty, spawn } from '@lydell/node-pty';
import headless from '@xterm/headless';

/** The program as users start it; the build makes what it loads. */
export const LENS = fileURLToPath(new URL('../../bin/lens.js', import.meta.url));

/** lens in a real pseudo-terminal, its screen kept by a terminal emulator. */
export class LensTerminal implements AsyncDisposable {
  readonly #pty: IPty;
  readonly #screen: InstanceType<typeof headless.Terminal>;
  readonly exited: Promise<number>;
  /** Everything written, escape sequences included. */
  raw = '';

  constructor(
    args: readonly string[],
    size = { columns: 100, rows: 30 },
    env: { readonly [name: string]: string } = {},
    cwd = process.cwd(),
  ) {
    this.#screen = new headless.Terminal({ cols: size.columns, rows: size.rows, allowProposedApi: true });
    this.#pty = spawn(process.execPath, [LENS, ...args], {
      cols: size.columns,
      rows: size.rows,
      cwd,
      env: { ...withoutCi(), TERM: 'xterm-256color', LANG: 'C.UTF-8', ...env },
    });
    this.#pty.onData(data => {
      this.raw += data;
      this.#screen.write(data);
    });
    this.exited = new Promise(resolve => this.#pty.onExit(({ exitCode }) => resolve(exitCode)));
  }

  get pid(): number {
    return this.#pty.pid;
  }

  press(keys: string): void {
    this.#pty.write(keys);
  }

  resize(columns: number, rows: number): void {
    this.#pty.resize(columns, rows);
    this.#screen.resize(columns, rows);
  }

  /** The screen as text, a line a row, blanks at the end left out. */
  text(): string {
    const buffer = this.#screen.buffer.active;
    return Array.from(
      { length: this.#screen.rows },
      (_, row) => buffer.getLine(buffer.baseY + row)?.translateToString(true, 0, this.#screen.cols) ?? '',
    ).join('\n');
  }

  get alternate(): boolean {
    return this.#screen.buffer.active.type === 'alternate';
  }

  /** Waits until the screen matches; fails with the screen as it is. */
  async until(pattern: RegExp, withinMs = 15_000): Promise<string> {
    const deadline = Date.now() + withinMs;
    while (Date.now() < deadline) {
      if (pattern.test(this.text())) return this.text();
      await new Promise(resolve => setTimeout(resolve, 25));
    }
    throw new Error(`never saw ${pattern} on:\n${this.text()}`);
  }

  /** Stops reading, as Ctrl-S or a stuck connection does. */
  pause(): void {
    this.#pty.pause();
  }

  resume(): void {
    this.#pty.resume();
  }

  /** Waits until lens has been suspended. */
  async stopped(): Promise<void> {
    // The state stands behind the name, which may hold blanks and brackets itself.
    const state = () => readFileSync(`/proc/${this.pid}/stat`, 'utf8').replace(/^.*\) /s, '')[0];
    while (state() !== 'T') await new Promise(resolve => setTimeout(resolve, 20));
  }

  kill(signal: string): void {
    this.#pty.kill(signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#pty.kill('SIGKILL');
    } catch {
      // It has ended by itself.
    }
    await this.exited;
  }
}

/** Ink draws only the last frame where it takes the environment for a CI; a person's terminal is none. */
function withoutCi(): { [name: string]: string } {
  const kept = Object.entries(process.env).filter(
    ([name]) => !/^(CI|CONTINUOUS_INTEGRATION|CI_.*|NO_COLOR)$/.test(name),
  );
  return Object.fromEntries(kept.filter((entry): entry is [string, string] => entry[1] !== undefined));
}
