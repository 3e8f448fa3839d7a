import type { RouteInFlight } from '../../model/evidence/in-flight.js';
import { hasWord } from '../text.js';
import { routeOf } from './route.js';
import type { Incoming, SocketLike } from './shapes.js';
import { Tally } from './tally.js';

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

const MOST_ROUTES = 200;
/** Content that has no end: whoever sends it may be silent for as long as it likes. */
const ENDLESS = ['event-stream', 'multipart/', 'ndjson', 'stream+json', 'json-seq', 'grpc'];

/** Requests that servers are working on; remembers when it first saw each, so that the next reading knows who stayed. */
export class Served {
  private readonly routes = new Tally<Mutable<RouteInFlight>>(MOST_ROUTES);
  idle = 0;
  upgraded = 0;

  constructor(
    private readonly firstSeen: WeakMap<object, number>,
    /** Bytes that had been written when a request was seen last. */
    private readonly written: WeakMap<object, number>,
    private readonly now: number,
  ) {}

  add(socket: SocketLike): void {
    const incoming = socket.parser?.incoming;
    if (!socket.parser) this.upgraded++;
    else if (socket._httpMessage && incoming) this.count(socket, incoming);
    else this.idle++;
  }

  rows(): RouteInFlight[] {
    return this.routes.all();
  }

  private count(socket: SocketLike, incoming: Incoming): void {
    const method = String(incoming.method);
    const route = routeOf(incoming);
    const row = this.routes.row(`${method} ${route}`, () => ({
      method,
      route,
      count: 0,
      heldCount: 0,
      heldMs: 0,
      headersSent: 0,
      bodyIncomplete: 0,
    }));
    if (!row) return;
    row.count++;
    if (this.isDry(socket, incoming)) row.dry = (row.dry ?? 0) + 1;
    else if (socket._httpMessage?.headersSent) row.headersSent++;
    if (!incoming.complete) row.bodyIncomplete++;
    const seen = this.firstSeen.get(incoming);
    if (seen === undefined) this.firstSeen.set(incoming, this.now);
    else {
      row.heldCount++;
      row.heldMs = Math.max(row.heldMs, Math.round(this.now - seen));
    }
  }

  /** A document that is piped to a peer who takes it, and of which nothing has come since the last reading. */
  private isDry({ _httpMessage: answer, bytesWritten, writableLength }: SocketLike, incoming: Incoming): boolean {
    const known = this.written.get(incoming);
    this.written.set(incoming, bytesWritten ?? 0);
    if (!answer?.headersSent || known !== bytesWritten || writableLength || answer.writableLength) return false;
    return (answer.listenerCount?.('unpipe') ?? 0) > 0 && !hasWord(String(answer._header), ENDLESS);
  }
}
