// Runs inside the target: what is in flight right now (`scan`, no hooks), and a window of what is made and waited for.
import type { InFlight } from '../../model/evidence/in-flight.js';
import type { Part, PartHost } from '../host.js';
import { scan } from './scan.js';
import type { HttpAgent, ProcessInside } from './shapes.js';
import { type Page, type Rest, Window, type WindowOptions } from './window.js';

/** Methods of the part `waiting`. Windows are per asker, by the number that `open` returned. */
export interface WaitingPart extends Part {
  scan(): InFlight;
  open(options: WindowOptions): number;
  close(window: number): void;
  /** How many records will be paged. */
  select(window: number, minAgeMs: number): number;
  page(window: number, ms: number): Page;
  rest(window: number): Rest;
  forget(window: number): void;
}

export default function install(host: PartHost): WaitingPart {
  let firstSeen = new WeakMap<object, number>();
  let written = new WeakMap<object, number>();
  let opened = 0;
  const windows = new Map<number, Window>();
  // Both methods are internal, stable since Node 0.x, and not in the typings.
  const inside = process as unknown as ProcessInside;
  const agents = () =>
    ['node:http', 'node:https']
      .filter(host.isLoaded)
      .map(name => (host.require(name) as { globalAgent?: HttpAgent }).globalAgent);
  const windowAt = (number: number): Window => {
    const window = windows.get(number);
    if (!window) throw new Error(`lens: window ${number} is not open`);
    return window;
  };
  return {
    scan: () => scan(inside, firstSeen, written, host.now(), agents()),
    open(options) {
      opened++;
      windows.set(opened, new Window(host, options));
      return opened;
    },
    close: number => windowAt(number).stop(),
    select: (number, minAgeMs) => windowAt(number).select(minAgeMs),
    page: (number, ms) => windowAt(number).page(ms),
    rest: number => windowAt(number).rest(),
    forget(number) {
      windows.get(number)?.stop();
      windows.delete(number);
    },
    dispose() {
      for (const window of windows.values()) window.stop();
      windows.clear();
      firstSeen = new WeakMap();
      written = new WeakMap();
    },
  };
}
