import type { Duplex } from 'node:stream';
import { WebSocket } from 'ws';

/** Carries whole protocol messages as text; knows nothing of their meaning. */
export interface Wire {
  send(text: string): void;
  close(): void;
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
  const abort = () => socket.terminate();
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
    // A graceful close would wait for an answer that a stuck target never gives.
    close: () => socket.terminate(),
    listen(listener) {
      socket.on('message', data => listener.message(String(data)));
      socket.on('error', () => {}); // always followed by close
      socket.once('close', () => listener.closed());
    },
  };
}
