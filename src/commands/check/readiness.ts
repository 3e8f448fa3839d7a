import { durationMs } from '../duration.js';

/** When a started program may be looked at. */
export interface Readiness {
  readonly text: string;
  readonly withinMs: number;
  ready(seen: { readonly output: string; readonly age: number; readonly port: number | undefined }): boolean;
}

/** What is known of a program that is not ready yet. */
type Seen = Parameters<Readiness['ready']>[0];

/** A program that listens to nothing by then is a worker, and at work. Lines of output say nothing: many log that they begin. */
const SILENT_READY_MS = 5_000;
const WITHIN_MS = 60_000;

/**
 * `:3000` a port, `5s` a time, anything else a word of its output; undefined: the first of a port and 5 s. With
 * `needsPort` it also has to listen, whatever else is said: what makes the load is told the port.
 */
export function readinessOf(text: string | undefined, withinMs = WITHIN_MS, needsPort = false): Readiness {
  const said = spoken(text, withinMs);
  if (!needsPort) return said;
  const ready = (seen: Seen) => seen.port !== undefined && said.ready(seen);
  return { ...said, text: text === undefined ? 'a port' : `${said.text}, and a port`, ready };
}

function spoken(text: string | undefined, withinMs: number): Readiness {
  if (text === undefined) {
    const ready = ({ age, port }: Seen) => port !== undefined || age >= SILENT_READY_MS;
    return { text: 'a port, or 5 s', withinMs, ready };
  }
  const [, port] = /^:(\d+)$/.exec(text) ?? [];
  if (port !== undefined) return { text: `port ${port}`, withinMs, ready: seen => seen.port === Number(port) };
  const ms = durationMs(text);
  if (ms !== undefined) return { text, withinMs: Math.max(withinMs, ms + 1000), ready: ({ age }) => age >= ms };
  return { text: `“${text}” in its output`, withinMs, ready: ({ output }) => output.includes(text) };
}
