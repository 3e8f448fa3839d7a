import type { Session } from '../inspector/session.js';
import type { InFlight } from '../model/evidence/in-flight.js';
import type { Collector } from './collector.js';

/** A scan takes microseconds a socket; a blocked loop answers evaluates all the same, or never. */
const SCAN_TIMEOUT_MS = 10_000;

/** What is in flight at this moment: requests in and out, agents, sockets, stalled streams. No hooks. */
export const inFlightCollector: Collector<'in-flight'> = {
  kind: 'in-flight',
  title: 'Work in flight',
  cost: 'free',
  async collect(session) {
    return { data: await scanInFlight(session), pausedMs: 0 };
  },
};

/** One scan; the part stays installed, because it remembers which requests it has seen before. */
export async function scanInFlight(session: Session): Promise<InFlight> {
  await session.agent.install('waiting');
  return session.agent.call<InFlight>('waiting', 'scan', [], { timeoutMs: SCAN_TIMEOUT_MS });
}
