import type { PeerSockets, StalledStream } from '../../model/evidence/in-flight.js';
import { withoutPrefix } from '../text.js';
import { routeOf } from './route.js';
import type { ActiveRequest, SocketLike } from './shapes.js';
import { Tally } from './tally.js';

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

const MOST_PEERS = 100;
const MOST_STALLED = 40;
const MOST_TYPES = 60;
/** A socket's default mark is 16 kB (64 kB from Node 22): four times that is a queue, not a buffer. */
const STALLED_BYTES = 262_144;

/** Sockets outside of HTTP, by peer. */
export class Peers {
  private readonly peers = new Tally<Mutable<PeerSockets>>(MOST_PEERS);

  add(socket: SocketLike): void {
    const peer = peerOf(socket);
    const row = this.peers.row(peer, () => ({
      peer,
      count: 0,
      connecting: 0,
      halfClosed: 0,
      bytesRead: 0,
      bytesWritten: 0,
    }));
    if (!row) return;
    row.count++;
    if (socket.connecting) row.connecting++;
    if (socket.readableEnded) row.halfClosed++;
    row.bytesRead += socket.bytesRead ?? 0;
    row.bytesWritten += socket.bytesWritten ?? 0;
  }

  rows(): PeerSockets[] {
    return this.peers.all();
  }
}

export function peerOf(socket: SocketLike): string {
  if (socket.remoteAddress) return `${withoutPrefix(socket.remoteAddress, '::ffff:')}:${socket.remotePort}`;
  return socket._host ?? 'local';
}

/** Streams far past their high-water mark, fullest first. */
export class Stalled {
  private readonly streams: StalledStream[] = [];
  count = 0;

  add(socket: SocketLike, side: 'server' | 'client'): void {
    const message = socket._httpMessage;
    const writableLength = Math.max(socket.writableLength ?? 0, message?.writableLength ?? 0);
    if (writableLength < STALLED_BYTES) return;
    this.count++;
    const listeners = (socket.listenerCount?.('drain') ?? 0) + (message?.listenerCount?.('drain') ?? 0);
    this.streams.push({
      side,
      peer: side === 'server' ? 'client' : peerOf(socket),
      route: message?.req ? `${message.req.method} ${routeOf(message.req)}` : '',
      writableLength,
      highWaterMark: socket.writableHighWaterMark ?? 0,
      needDrain: socket.writableNeedDrain === true,
      drainListeners: listeners,
      bytesWritten: socket.bytesWritten ?? 0,
    });
  }

  rows(): StalledStream[] {
    return this.streams.sort((a, b) => b.writableLength - a.writableLength).slice(0, MOST_STALLED);
  }
}

/** Active libuv requests by type. */
export function requestsByType(active: readonly ActiveRequest[]): { type: string; detail: string; count: number }[] {
  const types = new Tally<{ type: string; detail: string; count: number }>(MOST_TYPES);
  for (const request of active) {
    const type = request.constructor?.name ?? 'unknown';
    const detail = request.hostname ?? (request.address ? `${request.address}:${request.port ?? ''}` : '');
    const row = types.row(`${type} ${detail}`, () => ({ type, detail, count: 0 }));
    if (row) row.count++;
  }
  return types.all();
}
