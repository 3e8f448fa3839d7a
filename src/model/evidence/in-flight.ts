/** Requests that the target's own HTTP servers are working on, grouped by route template. */
export interface RouteInFlight {
  readonly method: string;
  /** The framework's route where it says so, else the path with ids replaced; never a value, never a query. */
  readonly route: string;
  readonly count: number;
  /** Those that an earlier reading had already seen in flight. */
  readonly heldCount: number;
  /** The longest known age among them, in milliseconds: since an earlier reading first saw it, or since it started. */
  readonly heldMs: number;
  /** Those whose response headers are out: streams and long answers, open by design. */
  readonly headersSent: number;
  /** Those whose headers are out too, but whose document has stopped: piped, taken by its peer, and not a byte since the last reading. */
  readonly dry?: number;
  /** Those whose own body has not arrived whole. */
  readonly bodyIncomplete: number;
}

/** What an outgoing request stands at: `unread` has an answer whose body nobody reads. */
export type OutgoingState = 'connecting' | 'no-answer' | 'reading' | 'unread' | 'done';

export interface OutgoingInFlight {
  readonly method: string;
  readonly host: string;
  readonly path: string;
  readonly state: OutgoingState;
  readonly status: number;
  readonly count: number;
  readonly bufferedBytes: number;
  /** Those that an earlier reading had already seen, and their longest known age in milliseconds. */
  readonly heldCount?: number;
  readonly heldMs?: number;
}

/** One http.Agent and one of its hosts. */
export interface AgentPool {
  readonly host: string;
  /** 0 when there is no limit. */
  readonly maxSockets: number;
  readonly used: number;
  readonly free: number;
  readonly queued: number;
  /** Sockets in use whose answer has come but whose body nobody reads. */
  readonly unread: number;
}

/** Sockets that belong to no HTTP request (databases, caches, brokers, raw protocols), by peer. */
export interface PeerSockets {
  readonly peer: string;
  readonly count: number;
  readonly connecting: number;
  /** The peer has closed its side (CLOSE_WAIT), ours is still open. */
  readonly halfClosed: number;
  readonly bytesRead: number;
  readonly bytesWritten: number;
}

/** A stream whose buffer is past its high-water mark. */
export interface StalledStream {
  readonly side: 'server' | 'client';
  readonly peer: string;
  /** Method and route of the response it carries; empty for raw sockets. */
  readonly route: string;
  readonly writableLength: number;
  readonly highWaterMark: number;
  readonly needDrain: boolean;
  readonly drainListeners: number;
  readonly bytesWritten: number;
}

/** Everything that is in flight at one moment, read from the active handles; no hooks. */
export interface InFlight {
  /** The target's monotonic clock, in milliseconds. */
  readonly takenAt: number;
  readonly servers: number;
  readonly routes: readonly RouteInFlight[];
  readonly idleConnections: number;
  /** Websockets and the like: no parser any more, open by design. */
  readonly upgraded: number;
  readonly outgoing: readonly OutgoingInFlight[];
  readonly agents: readonly AgentPool[];
  readonly peers: readonly PeerSockets[];
  readonly stalled: readonly StalledStream[];
  readonly stalledCount: number;
  /** Active libuv requests by type and, where known, whom they are for. */
  readonly requests: readonly { readonly type: string; readonly detail: string; readonly count: number }[];
  readonly children: readonly { readonly pid: number; readonly file: string }[];
}
