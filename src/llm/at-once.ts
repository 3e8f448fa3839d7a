import type { Provider } from './provider.js';

/** Operators work in parallel; more calls than this at once meet rate limits instead of answers. */
export const MOST_AT_ONCE = 4;

/** Lets so many calls through at once; the others wait their turn, in the order they came. */
export function atOnce(provider: Provider, most = MOST_AT_ONCE): Provider {
  const waiting: (() => void)[] = [];
  let running = 0;

  async function enter(): Promise<void> {
    if (running >= most) await new Promise<void>(resolve => waiting.push(resolve));
    else running++;
  }

  /** Hands its place to the next in line. */
  function leave(): void {
    const next = waiting.shift();
    if (next) next();
    else running--;
  }

  return {
    ...provider,
    async complete(request, options) {
      await enter();
      try {
        options.signal.throwIfAborted();
        return await provider.complete(request, options);
      } finally {
        leave();
      }
    },
  };
}
