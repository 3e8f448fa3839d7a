import type { RouteInFlight } from '../../model/evidence/in-flight.js';
import { routeOf } from './route.js';
import type { Incoming, SocketLike } from './shapes.js';
import { Tally } from './tally.js';

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

const MOST_ROUTES = 200;

/** Requests that servers are working on; remembers when it first saw each, so that the next reading knows who stayed. */
export class Served {
  private readonly routes = new Tally<Mutable<RouteInFlight>>(MOST_ROUTES);
  idle = 0;
  upgraded = 0;

  constructor(
    private readonly firstSeen: WeakMap<object, number>,
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
    if (socket._httpMessage?.headersSent) row.headersSent++;
    if (!incoming.complete) row.bodyIncomplete++;
    const seen = this.firstSeen.get(incoming);
    if (seen === undefined) this.firstSeen.set(incoming, this.now);
    else {
      row.heldCount++;
      row.heldMs = Math.max(row.heldMs, Math.round(this.now - seen));
    }
  }
}
