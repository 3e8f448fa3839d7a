import { ModelError } from './model-error.js';
import type { Provider } from './provider.js';

/** Asks each in turn until one answers. The last error is thrown, with the earlier ones in its message. */
export function fallback(providers: readonly [Provider, ...Provider[]]): Provider {
  return chain('fallback', providers, () => providers);
}

/** Begins with another one each time, and falls back to the rest. */
export function roundRobin(providers: readonly [Provider, ...Provider[]]): Provider {
  let turn = 0;
  return chain('round-robin', providers, () => {
    const first = turn++ % providers.length;
    return [...providers.slice(first), ...providers.slice(0, first)];
  });
}

function chain(
  name: string,
  providers: readonly [Provider, ...Provider[]],
  order: () => readonly Provider[],
): Provider {
  return {
    name: providers.length === 1 ? providers[0].name : `${name}(${providers.map(p => p.name).join(', ')})`,
    model: providers.length === 1 ? providers[0].model : providers.map(p => p.model).join(', '),
    async complete(request, options) {
      const errors: ModelError[] = [];
      for (const provider of order()) {
        try {
          return await provider.complete(request, options);
        } catch (error) {
          if (!(error instanceof ModelError) || error.kind === 'budget') throw error;
          errors.push(error);
        }
      }
      throw lastOf(errors, providers);
    },
  };
}

function lastOf(errors: readonly ModelError[], providers: readonly Provider[]): ModelError {
  const last = errors.at(-1)!;
  if (errors.length === 1) return last;
  const said = errors.map((error, at) => `${providers[at]?.name}: ${error.message}`).join(' | ');
  return new ModelError(last.kind, said, { cause: last });
}
