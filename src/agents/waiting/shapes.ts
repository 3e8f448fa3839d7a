// Node's own objects as far as this part reads them; every field may be missing on some version.

export interface Incoming {
  readonly method?: string;
  readonly url?: string;
  readonly originalUrl?: string;
  readonly baseUrl?: string;
  readonly route?: { readonly path?: unknown };
  readonly complete?: boolean;
  readonly statusCode?: number;
  readonly readableFlowing?: boolean | null;
  readonly readableLength?: number;
  readonly readableEnded?: boolean;
  readonly destroyed?: boolean;
}

export interface Outgoing {
  readonly method?: string;
  readonly host?: string;
  readonly port?: number | string;
  readonly path?: string;
  readonly res?: Incoming | null;
  readonly req?: Incoming;
  readonly agent?: HttpAgent;
  readonly headersSent?: boolean;
  readonly _header?: string | null;
  readonly writableFinished?: boolean;
  readonly writableLength?: number;
  listenerCount?(event: string): number;
  getHeader?(name: string): unknown;
}

export interface HttpAgent {
  readonly maxSockets: number;
  readonly sockets: { readonly [host: string]: readonly SocketLike[] };
  readonly freeSockets: { readonly [host: string]: readonly SocketLike[] };
  readonly requests: { readonly [host: string]: readonly unknown[] };
}

export interface SocketLike {
  readonly server?: unknown;
  readonly _server?: unknown;
  readonly _host?: string;
  readonly parser?: { readonly incoming?: Incoming | null } | null;
  readonly _httpMessage?: Outgoing | null;
  readonly connecting?: boolean;
  readonly destroyed?: boolean;
  readonly readableEnded?: boolean;
  readonly remoteAddress?: string;
  readonly remotePort?: number;
  readonly bytesRead?: number;
  readonly bytesWritten?: number;
  readonly writableLength?: number;
  readonly writableHighWaterMark?: number;
  readonly writableNeedDrain?: boolean;
  readonly pid?: number;
  readonly spawnfile?: string;
  listenerCount?(event: string): number;
}

export interface ActiveRequest {
  readonly hostname?: string;
  readonly address?: string;
  readonly port?: number;
}

export interface ProcessInside {
  _getActiveHandles(): readonly SocketLike[];
  _getActiveRequests(): readonly ActiveRequest[];
}
