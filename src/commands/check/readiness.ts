import { durationMs } from '../duration.js';

/** When a started program may be looked at. */
export interface Readiness {
  readonly text: string;
  readonly withinMs: number;
  ready(seen: { readonly output: string; readonly age: number; readonly port: number | undefined }): boolean;
}

/** A program that says nothing and listens to nothing is a worker: after this long it is ready. */
const SILENT_READY_MS = 5_000;
const WITHIN_MS = 60_000;

/** `:3000` a port, `5s` a time, anything else a word of its output; undefined: the first of a port, a line, 5 s. */
export function readinessOf(text: string | undefined, withinMs = WITHIN_MS): Readiness {
  if (text === undefined)
    return {
      text: 'a port, a line of output, or 5 s',
      withinMs,
      ready: ({ output, age, port }) => port !== undefined || output.includes('\n') || age >= SILENT_READY_MS,
    };
  const [, port] = /^:(\d+)$/.exec(text) ?? [];
  if (port !== undefined)
    return { text: `port ${port}`, withinMs, ready: seen => seen.port !== undefined && seen.port === Number(port) };
  const ms = durationMs(text);
  if (ms !== undefined) return { text, withinMs: Math.max(withinMs, ms + 1000), ready: ({ age }) => age >= ms };
  return { text: `“${text}” in its output`, withinMs, ready: ({ output }) => output.includes(text) };
}
