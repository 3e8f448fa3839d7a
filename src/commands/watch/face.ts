import type { WatchEvent } from '../../model/watch-event.js';
import { sayWatchEvent } from '../../report/say-watch-event.js';
import { wantsLines } from '../terminal.js';
import { openWatchScreen, type WatchScreen } from './watch-screen.js';

/** Where a watch shows itself. */
export type Face = WatchScreen;

interface Shown {
  readonly json?: boolean | 'stream';
  readonly lines?: boolean;
}

/** A screen in a terminal, else lines of text, or of JSON. */
export function watchFace(
  { json, lines }: Shown,
  on: { readonly leave: () => void; readonly interrupt: () => void },
): Face {
  if (json !== undefined) return { event: event => print(JSON.stringify(event)), close() {} };
  if (lines || !process.stdout.isTTY || !process.stdin.isTTY || wantsLines(process.env))
    return { event: printLine, close() {} };
  return screenWithLegacy(on);
}

/** What a screen showed is gone with it: the news stay behind as lines. */
function screenWithLegacy(on: Parameters<typeof openWatchScreen>[0]): Face {
  const screen = openWatchScreen(on);
  const kept: WatchEvent[] = [];
  return {
    event(event) {
      screen.event(event);
      if (event.type === 'watch.status' || sayWatchEvent(event) === undefined) return;
      kept.push(event);
      if (kept.length > MOST_KEPT) kept.shift();
    },
    close() {
      screen.close();
      for (const event of kept) printLine(event);
    },
  };
}

const MOST_KEPT = 50;

function printLine(event: WatchEvent): void {
  const said = sayWatchEvent(event);
  if (said !== undefined) print(`${new Date(event.at).toISOString().slice(11, 19)} ${said}`);
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
