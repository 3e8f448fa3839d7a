import type { AgentPool, OutgoingInFlight, OutgoingState } from '../../model/evidence/in-flight.js';
import { template } from './route.js';
import type { HttpAgent, Outgoing, SocketLike } from './shapes.js';
import { Tally } from './tally.js';

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

const MOST_CALLS = 200;
const MOST_POOLS = 60;

/** An answer is unread when nobody takes its body: never started, or paused with bytes waiting. */
export function isUnread(answer: {
  readonly complete?: boolean;
  readonly readableFlowing?: boolean | null;
  readonly readableLength?: number;
  readonly readableEnded?: boolean;
}): boolean {
  if (answer.readableEnded) return false;
  return answer.readableFlowing === null || (answer.readableFlowing === false && (answer.readableLength ?? 0) > 0);
}

export function stateOf(socket: SocketLike, message: Outgoing): OutgoingState {
  if (socket.connecting) return 'connecting';
  const answer = message.res;
  if (!answer) return 'no-answer';
  if (isUnread(answer)) return 'unread';
  return answer.complete ? 'done' : 'reading';
}

/** Outgoing http requests and the agents they came through. */
export class Sent {
  private readonly calls = new Tally<Mutable<OutgoingInFlight>>(MOST_CALLS);
  private readonly agents = new Set<HttpAgent>();

  constructor(
    private readonly firstSeen: WeakMap<object, number>,
    private readonly now: number,
  ) {}

  add(socket: SocketLike, message: Outgoing): void {
    this.addAgent(message.agent);
    const state = stateOf(socket, message);
    const host = `${message.host ?? socket.remoteAddress}:${message.port || socket.remotePort || ''}`;
    const path = template(message.path);
    const status = message.res?.statusCode ?? 0;
    const method = String(message.method);
    const row = this.calls.row(`${method} ${host}${path} ${state} ${status}`, () => ({
      method,
      host,
      path,
      state,
      status,
      count: 0,
      bufferedBytes: 0,
      heldCount: 0,
      heldMs: 0,
    }));
    if (!row) return;
    row.count++;
    row.bufferedBytes += message.res?.readableLength ?? 0;
    const seen = this.firstSeen.get(message);
    if (seen === undefined) {
      this.firstSeen.set(message, this.now);
      return;
    }
    row.heldCount = (row.heldCount ?? 0) + 1;
    row.heldMs = Math.max(row.heldMs ?? 0, Math.round(this.now - seen));
  }

  addAgent(agent: HttpAgent | undefined): void {
    if (agent?.sockets && agent.requests && agent.freeSockets) this.agents.add(agent);
  }

  rows(): OutgoingInFlight[] {
    return this.calls.all();
  }

  pools(): AgentPool[] {
    const pools: AgentPool[] = [];
    for (const agent of this.agents) {
      const hosts = new Set([
        ...Object.keys(agent.sockets),
        ...Object.keys(agent.requests),
        ...Object.keys(agent.freeSockets),
      ]);
      for (const host of hosts) if (pools.length < MOST_POOLS) pools.push(poolOf(agent, host));
    }
    return pools;
  }
}

function poolOf(agent: HttpAgent, host: string): AgentPool {
  const used = agent.sockets[host] ?? [];
  return {
    // An agent's key is `host:port:localAddress` and, for TLS, a long tail of options.
    host: host.split(':').slice(0, 2).join(':'),
    maxSockets: Number.isFinite(agent.maxSockets) ? agent.maxSockets : 0,
    used: used.length,
    free: agent.freeSockets[host]?.length ?? 0,
    queued: agent.requests[host]?.length ?? 0,
    unread: used.filter(socket => socket._httpMessage?.res && isUnread(socket._httpMessage.res)).length,
  };
}
