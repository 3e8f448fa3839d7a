import type { ModelUse } from '../model/model-use.js';
import { ModelError } from './model-error.js';
import { type ModelReply, type ModelRequest, NO_USAGE, type Provider } from './provider.js';

export interface AuditEnv {
  /** Who asks: an operator's skill, or `coordinator`. */
  readonly by: string;
  readonly now: () => number;
  /** Dollars of an answer; undefined for a model without a known price. */
  readonly dollarsOf: (reply: ModelReply) => number | undefined;
  readonly tell: (use: ModelUse) => void;
}

/** Tells of every call, answered or not: the audit trail of a run. */
export function audited(provider: Provider, env: AuditEnv): Provider {
  return {
    ...provider,
    async complete(request, options) {
      const startedAt = env.now();
      try {
        const reply = await provider.complete(request, options);
        env.tell({ ...answeredUse(reply, request, env), tookMs: env.now() - startedAt });
        return reply;
      } catch (error) {
        env.tell({ ...failedUse(provider, request, error, env), tookMs: env.now() - startedAt });
        throw error;
      }
    },
  };
}

type Untimed = Omit<ModelUse, 'tookMs'>;

function answeredUse(reply: ModelReply, request: ModelRequest, { by, dollarsOf }: AuditEnv): Untimed {
  const dollars = dollarsOf(reply);
  return {
    by,
    provider: reply.provider,
    model: reply.model,
    tokens: reply.usage,
    requestChars: JSON.stringify(request).length,
    tools: reply.calls.map(call => call.name),
    ...(dollars !== undefined && { dollars }),
  };
}

function failedUse(provider: Provider, request: ModelRequest, error: unknown, { by }: AuditEnv): Untimed {
  return {
    by,
    provider: provider.name,
    model: provider.model,
    tokens: NO_USAGE,
    requestChars: JSON.stringify(request).length,
    tools: [],
    error: error instanceof ModelError ? `${error.kind}: ${error.message}` : 'stopped',
  };
}
