import { ModelError } from './model-error.js';
import type { Provider } from './provider.js';

export interface RetryPolicy {
  readonly attempts: number;
  /** Before the second attempt; doubled for each further one. */
  readonly firstDelayMs: number;
  /** A provider that asks for a longer wait is not waited for. */
  readonly longestDelayMs: number;
}

/** DESIGN §7: three attempts, 1 s and 2 s between them. */
export const RETRY: RetryPolicy = { attempts: 3, firstDelayMs: 1000, longestDelayMs: 30_000 };

export interface RetryEnv {
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  /** 0..1 */
  readonly random: () => number;
}

/** Repeats what failed for a passing reason; waits as long as the provider asks, else longer each time, with jitter. */
export function retrying(provider: Provider, env: RetryEnv, policy: RetryPolicy = RETRY): Provider {
  return {
    ...provider,
    async complete(request, options) {
      for (let attempt = 1; ; attempt++) {
        try {
          return await provider.complete(request, options);
        } catch (error) {
          const wait = delayAfter(error, attempt, policy, env.random());
          if (wait === undefined) throw error;
          await env.sleep(wait, options.signal);
        }
      }
    },
  };
}

/** Jitter up to this share keeps parallel operators from coming back in step. */
const JITTER = 0.25;

function delayAfter(error: unknown, attempt: number, policy: RetryPolicy, random: number): number | undefined {
  if (!(error instanceof ModelError) || !error.transient || attempt >= policy.attempts) return undefined;
  const own = policy.firstDelayMs * 2 ** (attempt - 1) * (1 + JITTER * random);
  const wait = error.retryAfterMs ?? own;
  return wait <= policy.longestDelayMs ? wait : undefined;
}
