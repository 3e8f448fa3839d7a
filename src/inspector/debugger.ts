import { ProtocolConnection } from './connection.js';
import type { DebuggerConnection } from './session.js';
import type { Wire } from './wire.js';

/** A cheap call whose only use is to make the kernel acknowledge what arrived. */
const NUDGE = 'Runtime.getIsolateId';

/** Stops the target in proportion to the heap and to the scripts it has parsed: 18–30 ns an object. */
const ENABLE_TIMEOUT_MS = 30_000;

/**
 * A connection with Debugger enabled and every pause skipped. Node writes two small packets per answer, and the second
 * waits 40 ms for the acknowledgement of the first: sending anything at once brings it in 2–7 ms.
 */
export async function enableDebugger(wire: Wire): Promise<{ connection: DebuggerConnection; raw: ProtocolConnection }> {
  const raw = new ProtocolConnection(wire);
  hurry(raw);
  const scripts = new Map<string, { url: string; sourceMapUrl?: string }>();
  raw.on('Debugger.scriptParsed', ({ scriptId, url, sourceMapURL }) => {
    scripts.set(scriptId, sourceMapURL ? { url, sourceMapUrl: sourceMapURL } : { url });
  });
  raw.on('Debugger.paused', () => void raw.send('Debugger.resume').catch(() => {})); // resumed already, or lost
  // In one breath: nothing can pause between enabling and skipping.
  const skipFirst = raw.send('Debugger.setSkipAllPauses', { skip: true }).catch(() => {}); // refused until enabled on some versions
  const startedAt = performance.now();
  const enabled = raw.send('Debugger.enable', {}, { timeoutMs: ENABLE_TIMEOUT_MS });
  const skip = raw.send('Debugger.setSkipAllPauses', { skip: true }, { timeoutMs: ENABLE_TIMEOUT_MS });
  await enabled;
  const pausedMs = performance.now() - startedAt;
  await Promise.all([skipFirst, skip]);
  return { connection: Object.assign(raw, { scripts, pausedMs }), raw };
}

/** One nudge at a time, for everything but the answer to a nudge. */
export function hurry(connection: ProtocolConnection): void {
  let nudge: number | undefined;
  connection.onTraffic = id => {
    if (id !== undefined && id === nudge) nudge = undefined;
    else nudge ??= connection.post(NUDGE);
  };
}
