import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Received {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  readonly bytes: Buffer;
  /** What it was answered. */
  readonly status: number;
}

export interface Receiver extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  readonly requests: Received[];
  /** What it answers from now on; 0 never answers. */
  status: number;
  /** What it says when it takes something. */
  answer: { readonly type: string; readonly body: string | Uint8Array };
  /** Resolves once `count` requests have come. */
  until(count: number): Promise<void>;
}

/** A receiver on loopback that keeps everything it is sent. */
export async function receiver(port = 0): Promise<Receiver> {
  const requests: Received[] = [];
  const looking = new Set<() => void>();
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const bytes = Buffer.concat(chunks);
    requests.push({ path: request.url ?? '', headers: request.headers, body: `${bytes}`, bytes, status: self.status });
    for (const look of looking) look();
    const { type, body } = self.answer;
    if (self.status !== 0) response.writeHead(self.status, { 'content-type': type }).end(body);
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address() as AddressInfo; // a TCP server has one
  const self: Receiver = {
    url: `http://127.0.0.1:${address.port}/hook`,
    port: address.port,
    requests,
    status: 200,
    answer: { type: 'application/json', body: '{}' },
    until: count =>
      new Promise(done => {
        const look = () => {
          if (requests.length < count) return;
          looking.delete(look);
          done();
        };
        looking.add(look);
        look();
      }),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
  return self;
}
