import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect } from 'vitest';
import { listeningSockets } from '../../src/inspector/proc/sockets.js';
import type { Launched } from '../launch.js';
import { LensTerminal } from './terminal.js';

/** A program with a leak, so that there is something to see: a Map that gains an entry every 5 ms. */
export const LEAKS = `const seen = new Map(); let next = 0;
setInterval(() => seen.set(++next, { at: Date.now(), body: 'x'.repeat(200) + next }), 5); console.log('ready')`;
export const SIZE = { columns: 120, rows: 34 };
export const ESC = '\u001b';
export const CTRL_C = '\u0003';
export const CTRL_Z = '\u001a';

export const state = mkdtempSync(join(tmpdir(), 'lens-tui-'));
afterAll(() => rmSync(state, { recursive: true, force: true }));

/** The heap alone: these tests are about the screen, and a pass over everything takes half a minute. */
export function attach(
  target: Launched,
  options: { size?: typeof SIZE; args?: string[]; env?: Record<string, string> } = {},
) {
  const args = ['attach', String(target.pid), '--no-llm', '--skills', 'runtime,gc', ...(options.args ?? [])];
  const env = { XDG_STATE_HOME: state, ...options.env };
  return new LensTerminal(args, options.size ?? SIZE, env, state);
}

export const clears = (raw: string) => raw.split(`${ESC}[2J`).length - 1;

export async function untilReleased(target: Launched): Promise<void> {
  while ((await listeningSockets(target.pid)).length > 0) await new Promise(resolve => setTimeout(resolve, 20));
  expect(target.child.exitCode).toBe(null);
}
