import { ModelError } from './model-error.js';
import type { Provider } from './provider.js';

export interface BreakerPolicy {
  readonly failures: number;
  readonly restMs: number;
  readonly successes: number;
}

/** Five failures in a row open it for 30 s; then one call at a time, and two successes close it. */
export const BREAKER: BreakerPolicy = { failures: 5, restMs: 30_000, successes: 2 };

type State =
  | { readonly is: 'closed'; readonly failures: number }
  | { readonly is: 'open'; readonly until: number }
  | { readonly is: 'trying'; readonly successes: number; readonly busy: boolean };

/** Stops asking a provider that keeps failing, so that a chain moves on at once instead of waiting each time. */
export function breaking(provider: Provider, now: () => number, policy: BreakerPolicy = BREAKER): Provider {
  let state: State = { is: 'closed', failures: 0 };

  function enter(): void {
    if (state.is === 'open' && now() >= state.until) state = { is: 'trying', successes: 0, busy: false };
    if (state.is === 'open' || (state.is === 'trying' && state.busy)) {
      throw new ModelError('resting', `${provider.name} failed ${policy.failures} times in a row and is left alone.`);
    }
    if (state.is === 'trying') state = { ...state, busy: true };
  }

  function succeeded(): void {
    if (state.is === 'closed') state = { is: 'closed', failures: 0 };
    else if (state.is === 'trying' && state.successes + 1 >= policy.successes) state = { is: 'closed', failures: 0 };
    else if (state.is === 'trying') state = { is: 'trying', successes: state.successes + 1, busy: false };
  }

  function failed(): void {
    const failures = state.is === 'closed' ? state.failures + 1 : policy.failures;
    state = failures >= policy.failures ? { is: 'open', until: now() + policy.restMs } : { is: 'closed', failures };
  }

  /** Neither the provider's success nor its failure: stopped by us, or a request nobody would take. */
  function left(): void {
    if (state.is === 'trying') state = { ...state, busy: false };
  }

  return {
    ...provider,
    async complete(request, options) {
      enter();
      try {
        const reply = await provider.complete(request, options);
        succeeded();
        return reply;
      } catch (error) {
        if (error instanceof ModelError && error.transient) failed();
        else left();
        throw error;
      }
    },
  };
}
