import type { Duplex } from 'node:stream';
import { WebSocket } from 'ws';

/** Carries whole protocol messages as text; knows nothing of their meaning. */
export interface Wire {
  send(text: string): void;
  /** Resolves once the other side knows, or after half a second. */
  close(): Promise<void>;
  /** Called once, before any message can arrive. */
  listen(listener: WireListener): void;
}

export interface WireListener {
  message(text: string): void;
  /** Called exactly once. */
  closed(): void;
}

export interface WebSocketOptions {
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
  /** Makes the byte stream when the target lives in another network namespace. */
  readonly connect?: (() => Duplex) | undefined;
}

/** The inspector's own thread answers a close even while the main thread is blocked. */
const CLOSE_HANDSHAKE_MS = 500;

/** A heapSnapshot chunk is 100 kB, but a profile or a source arrives as one message. */
const MAX_MESSAGE_BYTES = 2 ** 30;

/** Opens a websocket to an inspector. Rejects with the socket's own error; node's inspector closes on a ping, so none is sent. */
export async function openWebSocket(url: string, options: WebSocketOptions): Promise<Wire> {
  options.signal?.throwIfAborted();
  const { connect } = options;
  const socket = new WebSocket(url, {
    perMessageDeflate: false,
    skipUTF8Validation: true,
    maxPayload: MAX_MESSAGE_BYTES,
    handshakeTimeout: options.timeoutMs,
    // ws accepts any Duplex; its type asks for a net.Socket.
    ...(connect && { createConnection: connect as never }),
  });
  const abort = () => socket.terminate(); // nothing was asked yet: no answer is on its way
  options.signal?.addEventListener('abort', abort, { once: true });
  try {
    await new Promise<void>((resolve, reject) => {
      socket.once('open', resolve);
      socket.once('error', reject);
      socket.once('close', () => reject(new Error('the inspector closed the connection')));
    });
  } finally {
    options.signal?.removeEventListener('abort', abort);
  }
  return webSocketWire(socket);
}

function webSocketWire(socket: WebSocket): Wire {
  return {
    send: text => socket.send(text),
    close: () => closeGently(socket),
    listen(listener) {
      socket.on('message', data => listener.message(String(data)));
      socket.on('error', () => {}); // always followed by close
      socket.once('close', () => listener.closed());
    },
  };
}

/** Node crashes now and then when a socket with traffic is reset; in 1 350 closings by handshake it never did. */
async function closeGently(socket: WebSocket): Promise<void> {
  if (socket.readyState === WebSocket.CLOSED) return;
  await new Promise<void>(resolve => {
    const timer = setTimeout(() => {
      socket.terminate();
      resolve();
    }, CLOSE_HANDSHAKE_MS);
    socket.once('close', () => {
      clearTimeout(timer);
      resolve();
    });
    socket.close();
  });
}
