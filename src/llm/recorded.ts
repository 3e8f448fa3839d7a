import { createHash } from 'node:crypto';
import { ModelError } from './model-error.js';
import type { ModelReply, ModelRequest, Provider } from './provider.js';

/** One call as it was made: enough to answer it again without a network. */
export interface Exchange {
  readonly key: string;
  readonly request: ModelRequest;
  readonly reply: ModelReply;
}

/** The same request has the same key, whatever provider answers it. */
export function keyOf(request: ModelRequest): string {
  return createHash('sha256').update(JSON.stringify(request)).digest('hex').slice(0, 32);
}

/** Hands each answered call to `keep`, as it went out and came in. */
export function recording(provider: Provider, keep: (exchange: Exchange) => void): Provider {
  return {
    ...provider,
    async complete(request, options) {
      const reply = await provider.complete(request, options);
      keep({ key: keyOf(request), request, reply });
      return reply;
    },
  };
}

/** Answers from a record: by the same request, each recorded answer once, in its order. */
export function replaying(exchanges: readonly Exchange[]): Provider {
  const left = [...exchanges];
  return {
    name: 'replay',
    model: exchanges[0]?.reply.model ?? 'none',
    async complete(request, { signal }) {
      signal.throwIfAborted();
      const at = left.findIndex(exchange => exchange.key === keyOf(request));
      const found = at < 0 ? undefined : left.splice(at, 1)[0];
      if (!found) throw new ModelError('request', 'This call is not in the record.');
      return found.reply;
    },
  };
}
