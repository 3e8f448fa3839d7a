import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Received {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  /** What it was answered. */
  readonly status: number;
}

export interface Receiver extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  readonly requests: Received[];
  /** What it answers from now on; 0 never answers. */
  status: number;
  /** Resolves once `count` requests have come. */
  until(count: number): Promise<void>;
}

/** A receiver on loopback that keeps everything it is sent. */
export async function receiver(port = 0): Promise<Receiver> {
  const requests: Received[] = [];
  const looking = new Set<() => void>();
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    requests.push({ path: request.url ?? '', headers: request.headers, body, status: self.status });
    for (const look of looking) look();
    if (self.status !== 0) response.writeHead(self.status).end('{}');
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address() as AddressInfo; // a TCP server has one
  const self: Receiver = {
    url: `http://127.0.0.1:${address.port}/hook`,
    port: address.port,
    requests,
    status: 200,
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
