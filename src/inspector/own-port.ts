import { endInspector } from './close-later.js';
import { ProtocolConnection } from './connection.js';
import { evaluateIn, PROCESS } from './evaluate.js';
import { openWebSocket } from './wire.js';

const CONNECT_TIMEOUT_MS = 1_000;

/**
 * Closes the inspector behind the address again and makes the next signal open a random port: 9229 is everybody's, and
 * who stays there keeps lens from every other process of the host. (node::inspector::Agent reads process.debugPort.)
 */
export async function leaveSharedPort(
  url: string,
  connect: NonNullable<Parameters<typeof openWebSocket>[1]>['connect'],
): Promise<void> {
  const wire = await openWebSocket(url, { timeoutMs: CONNECT_TIMEOUT_MS, connect });
  const connection = new ProtocolConnection(wire);
  try {
    await evaluateIn(connection, `void (${PROCESS}.debugPort = 0)`);
    await endInspector(connection);
  } finally {
    await connection.close();
  }
}
