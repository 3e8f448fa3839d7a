import type { Duplex } from 'node:stream';
import { ProtocolConnection } from './connection.js';
import { evaluateIn } from './evaluate.js';
import { openWebSocket } from './wire.js';

const CLOSE_WAIT_MS = 1_000;

/** `process` may be shadowed in the target; the call's answer never arrives, the socket closes instead. */
export async function endInspector(connection: ProtocolConnection): Promise<boolean> {
  if (!connection.isOpen) return true;
  evaluateIn(connection, `require('node:process')._debugEnd()`, { timeoutMs: CLOSE_WAIT_MS }).catch(() => {});
  return within(CLOSE_WAIT_MS, connection.closed);
}

/** Connects only to close the inspector behind it: one that a pending signal of lens opened late. */
export async function closeInspectorAt(
  url: string,
  connect?: ((port: number, host: string) => Duplex) | undefined,
): Promise<boolean> {
  const { hostname, port } = new URL(url);
  const wire = await openWebSocket(url, {
    timeoutMs: CLOSE_WAIT_MS,
    connect: connect && (() => connect(Number(port), hostname)),
  });
  const connection = new ProtocolConnection(wire);
  try {
    return await endInspector(connection);
  } finally {
    await connection.close();
  }
}

/** True when the promise settled within the time. */
async function within(ms: number, promise: Promise<void>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<boolean>(resolve => {
    timer = setTimeout(resolve, ms, false);
  });
  const settled = await Promise.race([promise.then(() => true), limit]);
  clearTimeout(timer);
  return settled;
}
