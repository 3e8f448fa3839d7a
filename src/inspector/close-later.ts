import type { Duplex } from 'node:stream';
import { ProtocolConnection } from './connection.js';
import { evaluateIn, loopTurns, PROCESS } from './evaluate.js';
import { openWebSocket } from './wire.js';

const CLOSE_WAIT_MS = 1_000;

/** A loop that takes longer to turn is closed at once, and a second time when it turns. */
const TURN_WAIT_MS = 500;

/**
 * SIGUSR1 asks Node twice to open: by an interrupt of running JavaScript, and by an event of the loop. Closed before
 * that event came, the inspector would open again by itself and stay. `process` may be shadowed in the target.
 */
const CLOSE_AFTER_TURN = `(process => {
  const { setTimeout, setImmediate } = require('node:timers');
  setTimeout(() => setImmediate(() => setImmediate(() => process._debugEnd())), 1).unref();
})(${PROCESS})`;

/** Closes the inspector behind the connection. The answer never arrives: the socket closing is the success. */
export async function endInspector(connection: ProtocolConnection): Promise<boolean> {
  if (!connection.isOpen) return true;
  await connection.quieten();
  const turned = await loopTurns(connection, TURN_WAIT_MS).catch(() => true); // lost: there is nothing to close
  const limit = { timeoutMs: CLOSE_WAIT_MS };
  if (!turned) evaluateIn(connection, CLOSE_AFTER_TURN, limit).catch(() => {}); // answered, or lost with the next
  evaluateIn(connection, `${PROCESS}._debugEnd()`, limit).catch(() => {});
  return within(CLOSE_WAIT_MS, connection.closed);
}

/**
 * Connects only to close the inspector behind it: one that a pending signal of lens opened late. `debugPort` is the port
 * that the next signal opens (node::inspector::Agent asks for process.debugPort), 0 for a random one.
 */
export async function closeInspectorAt(
  url: string,
  connect?: ((port: number, host: string) => Duplex) | undefined,
  debugPort?: number,
): Promise<boolean> {
  const { hostname, port } = new URL(url);
  const wire = await openWebSocket(url, {
    timeoutMs: CLOSE_WAIT_MS,
    connect: connect && (() => connect(Number(port), hostname)),
  });
  const connection = new ProtocolConnection(wire);
  try {
    if (debugPort !== undefined) await setDebugPort(connection, debugPort);
    return await endInspector(connection);
  } finally {
    await connection.close();
  }
}

/** An accessor of Node's own: set at any moment, also in an interrupt. */
export function setDebugPort(connection: ProtocolConnection, port: number): Promise<void> {
  return evaluateIn(connection, `void (${PROCESS}.debugPort = ${port})`, { timeoutMs: CLOSE_WAIT_MS });
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
