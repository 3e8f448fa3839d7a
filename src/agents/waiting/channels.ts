// What Node and undici announce on their diagnostics channels: requests in, requests out, new sockets.
import type { NewSockets, OutgoingCall, ServedRequest } from '../../model/evidence/async-dump.js';
import type { PartHost } from '../host.js';
import { before, isNumber, withoutPrefix } from '../text.js';
import { peerOf } from './raw.js';
import { routeOf, template } from './route.js';
import { isUnread } from './sent.js';
import type { Incoming, Outgoing, SocketLike } from './shapes.js';
import { Tally } from './tally.js';

const MOST_REQUESTS = 20_000;
const MOST_CALLS = 5_000;
const MOST_SOCKETS = 2_000;
const MOST_ROUTES = 200;

/** What the channels ask about attribution; without hooks nothing can be attributed. */
export interface Attribution {
  beginRequest(index: number): boolean;
  currentRequest(): number;
}

type Row = Pick<ServedRequest, 'index' | 'at' | 'recorded'> & {
  request: Incoming | null;
  response: ServerResponse | null;
  method: string;
  route: string;
  end: number;
  status: number;
};
type Call = Pick<OutgoingCall, 'library' | 'at' | 'request' | 'method' | 'host' | 'path'> & {
  target: number;
  answeredAt: number;
  end: number;
  status: number;
  message: Outgoing | null;
  answer: Incoming | null;
};

interface ServerResponse {
  readonly statusCode: number;
  readonly headersSent: boolean;
  readonly destroyed: boolean;
  readonly closed?: boolean;
  readonly writableFinished: boolean;
}

type Message = {
  request: Incoming & Outgoing & { origin?: unknown; socket?: SocketLike | null };
  response: ServerResponse & Incoming;
  socket: SocketLike;
};

interface DiagnosticsChannel {
  subscribe?(name: string, listener: (message: unknown) => void): void;
  unsubscribe?(name: string, listener: (message: unknown) => void): void;
  channel(name: string): {
    subscribe(listener: (message: unknown) => void): void;
    unsubscribe(listener: (message: unknown) => void): void;
  };
}

export class Channels {
  errors = 0;
  private readonly rows: Row[] = [];
  private readonly rowOf = new WeakMap<object, Row>();
  private readonly calls: Call[] = [];
  private readonly callOf = new WeakMap<object, Call>();
  private readonly targets = new Map<string, number>();
  private readonly sockets: { socket: SocketLike; request: number }[] = [];
  private readonly finishedEarlier = new Tally<{ method: string; route: string; count: number }>(MOST_ROUTES);
  private readonly undo: (() => void)[] = [];

  constructor(
    private readonly host: PartHost,
    private readonly attribution: Attribution | undefined,
  ) {}

  subscribe(): void {
    const channels = this.host.require('node:diagnostics_channel') as DiagnosticsChannel;
    const on = (name: string, listener: (message: Message) => void) => this.on(channels, name, listener);
    on('http.server.request.start', message => this.requestBegan(message));
    on('http.server.response.finish', message => this.requestEnded(message));
    on('http.client.request.start', ({ request }) => this.callBegan('http', request, hostOf(request), request));
    on('http.client.response.finish', ({ request, response }) =>
      this.callAnswered(request, response.statusCode ?? 0, response),
    );
    on('undici:request:create', ({ request }) =>
      this.callBegan('undici', request, hostIn(originOf(request.origin)), null),
    );
    on('undici:request:headers', ({ request, response }) => this.callAnswered(request, response.statusCode ?? 0, null));
    on('undici:request:trailers', ({ request }) => this.callEnded(request, 0));
    on('undici:request:error', ({ request }) => this.callEnded(request, -1));
    on('net.client.socket', ({ socket }) => {
      if (this.sockets.length < MOST_SOCKETS)
        this.sockets.push({ socket, request: this.attribution?.currentRequest() ?? 0 });
    });
  }

  unsubscribe(): void {
    const undos = this.undo.splice(0);
    this.host.atRest(() => {
      for (const undo of undos) undo();
    });
  }

  requests(since: number): ServedRequest[] {
    return this.rows.map(row => served(row, since));
  }

  finishedBefore() {
    return this.finishedEarlier.all();
  }

  outgoing(since: number): OutgoingCall[] {
    return this.calls.map(call => ({
      library: call.library,
      at: rounded(call.at - since),
      answeredAt: call.answeredAt ? rounded(call.answeredAt - since) : 0,
      end: call.end ? rounded(call.end - since) : 0,
      request: call.request,
      method: call.method,
      host: call.host,
      path: call.path,
      target: call.target,
      status: call.status,
      state: stateOf(call),
    }));
  }

  newSockets(): NewSockets[] {
    const peers = new Map<string, { count: number; open: number; requests: Set<number> }>();
    for (const { socket, request } of this.sockets) {
      const peer = peerOf(socket);
      const row = peers.get(peer) ?? { count: 0, open: 0, requests: new Set<number>() };
      peers.set(peer, row);
      row.count++;
      if (!socket.destroyed) row.open++;
      if (request) row.requests.add(request);
    }
    return [...peers]
      .slice(0, MOST_ROUTES)
      .map(([peer, { count, open, requests }]) => ({ peer, count, open, requests: requests.size }));
  }

  private on(channels: DiagnosticsChannel, name: string, listener: (message: Message) => void): void {
    const safe = (message: unknown): void => {
      try {
        listener(message as Message); // Node's and undici's documented payloads
      } catch {
        this.errors++;
      }
    };
    // The module's own subscribe (18.7+) holds the channel; a channel object alone may be collected.
    if (channels.subscribe) channels.subscribe(name, safe);
    else channels.channel(name).subscribe(safe);
    this.undo.push(() =>
      channels.unsubscribe ? channels.unsubscribe(name, safe) : channels.channel(name).unsubscribe(safe),
    );
  }

  private requestBegan({ request, response }: Message): void {
    const index = this.rows.length + 1;
    if (index > MOST_REQUESTS) return;
    const recorded = this.attribution?.beginRequest(index) ?? false;
    const row: Row = {
      index,
      at: this.host.now(),
      end: 0,
      status: 0,
      recorded,
      request,
      response,
      method: String(request.method),
      route: '',
    };
    this.rows.push(row);
    this.rowOf.set(request, row);
  }

  /** Only now does a framework's request know its route. */
  private requestEnded({ request, response }: Message): void {
    const row = this.rowOf.get(request);
    if (row) {
      row.end = this.host.now();
      row.status = response.statusCode;
      row.route = routeOf(request);
      row.request = row.response = null;
      return;
    }
    const method = String(request.method);
    const route = routeOf(request);
    const earlier = this.finishedEarlier.row(`${method} ${route}`, () => ({ method, route, count: 0 }));
    if (earlier) earlier.count++;
  }

  private callBegan(
    library: Call['library'],
    request: Message['request'],
    host: string,
    message: Outgoing | null,
  ): void {
    if (this.calls.length >= MOST_CALLS) return;
    const call: Call = {
      library,
      host,
      message,
      answer: null,
      at: this.host.now(),
      answeredAt: 0,
      end: 0,
      status: 0,
      request: this.attribution?.currentRequest() ?? 0,
      method: String(request.method),
      path: template(request.path),
      target: this.targetOf(`${host} ${before(typeof request.path === 'string' ? request.path : '', '?#')}`),
    };
    this.calls.push(call);
    this.callOf.set(request, call);
  }

  private targetOf(address: string): number {
    const target = this.targets.get(address) ?? this.targets.size + 1;
    this.targets.set(address, target);
    return target;
  }

  private callAnswered(request: object, status: number, answer: Incoming | null): void {
    const call = this.callOf.get(request);
    if (!call) return;
    call.answeredAt = this.host.now();
    call.status = status;
    call.answer = answer;
  }

  private callEnded(request: object, status: number): void {
    const call = this.callOf.get(request);
    if (!call) return;
    call.end = this.host.now();
    if (status) call.status = status;
  }
}

function served(row: Row, since: number): ServedRequest {
  const { request, response } = row;
  const gone = Boolean(
    response && (response.destroyed || response.writableFinished || (request?.destroyed && response.closed)),
  );
  return {
    index: row.index,
    method: row.method,
    route: row.route || (request ? routeOf(request) : ''),
    at: rounded(row.at - since),
    end: row.end ? rounded(row.end - since) : 0,
    status: row.status,
    aborted: !row.end && gone,
    recorded: row.recorded,
    headersSent: response?.headersSent ?? true,
    bodyIncomplete: request?.complete === false,
  };
}

function stateOf(call: Call): OutgoingCall['state'] {
  if (call.status === -1 || (!call.answer && call.message && (call.message as { destroyed?: boolean }).destroyed))
    return 'failed';
  if (!call.answeredAt) return 'no-answer';
  if (call.library === 'undici') return call.end ? 'done' : 'reading';
  if (!call.answer || call.answer.complete) return call.answer && isUnread(call.answer) ? 'unread' : 'done';
  return isUnread(call.answer) ? 'unread' : 'reading';
}

/** Text, or one of Node's own URLs; anything else could bring a toString of the program's. */
function originOf(origin: unknown): string {
  if (typeof origin === 'string') return origin;
  return origin instanceof URL ? hrefOf.call(origin) : '';
}

const hrefOf = Object.getOwnPropertyDescriptor(URL.prototype, 'origin')?.get as (this: URL) => string; // by the standard

const hostIn = (origin: string): string => withoutPrefix(withoutPrefix(origin, 'https://'), 'http://');

/** A request given a URL keeps its port only in its Host header. */
function hostOf(request: Message['request']): string {
  const header = request.getHeader?.('host');
  if (typeof header === 'string' && isNumber(header.slice(header.lastIndexOf(':') + 1)) && header.includes(':'))
    return header;
  const standard = (request.agent as { defaultPort?: number } | undefined)?.defaultPort;
  return `${request.host}:${request.port || request.socket?.remotePort || standard || ''}`;
}

const rounded = (ms: number): number => Math.max(0.01, Math.round(ms * 100) / 100);
