import type { InFlight } from '../../model/evidence/in-flight.js';
import { Peers, requestsByType, Stalled } from './raw.js';
import { Sent } from './sent.js';
import { Served } from './served.js';
import type { HttpAgent, ProcessInside, SocketLike } from './shapes.js';

const MOST_CHILDREN = 50;

/** Everything in flight, read from the active handles; `firstSeen` and `written` remember requests from one scan to the next. */
export function scan(
  inside: ProcessInside,
  firstSeen: WeakMap<object, number>,
  written: WeakMap<object, number>,
  now: number,
  agents: readonly (HttpAgent | undefined)[],
): InFlight {
  const served = new Served(firstSeen, written, now);
  const sent = new Sent(firstSeen, now);
  const peers = new Peers();
  const stalled = new Stalled();
  const children: { pid: number; file: string }[] = [];
  let servers = 0;
  for (const agent of agents) sent.addAgent(agent);
  for (const handle of inside._getActiveHandles()) {
    const type = handle.constructor?.name;
    if (type === 'Server') servers++;
    else if (type === 'ChildProcess') {
      if (children.length < MOST_CHILDREN) children.push({ pid: handle.pid ?? 0, file: String(handle.spawnfile) });
    } else if (type === 'Socket' || type === 'TLSSocket') sort(handle, served, sent, peers, stalled);
  }
  return {
    takenAt: now,
    servers,
    routes: served.rows(),
    idleConnections: served.idle,
    upgraded: served.upgraded,
    outgoing: sent.rows(),
    agents: sent.pools(),
    peers: peers.rows(),
    stalled: stalled.rows(),
    stalledCount: stalled.count,
    requests: requestsByType(inside._getActiveRequests()),
    children,
  };
}

/** A server's socket knows its server; a client's http socket carries the message in flight; all others are raw. */
function sort(socket: SocketLike, served: Served, sent: Sent, peers: Peers, stalled: Stalled): void {
  const mine = Boolean(socket.server || socket._server);
  stalled.add(socket, mine ? 'server' : 'client');
  if (mine) served.add(socket);
  else if (socket._httpMessage) sent.add(socket, socket._httpMessage);
  else peers.add(socket);
}
