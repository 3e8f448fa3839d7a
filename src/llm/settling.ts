import type { ModelReply, Provider } from './provider.js';

/** Settles as soon as the signal aborts, whatever the provider does with it: no run waits for a model that hangs. */
export function settling(provider: Provider): Provider {
  return {
    ...provider,
    complete(request, options) {
      const { signal } = options;
      return new Promise<ModelReply>((resolve, reject) => {
        const stop = () => reject(signal.reason);
        if (signal.aborted) return stop();
        signal.addEventListener('abort', stop, { once: true });
        const release = () => signal.removeEventListener('abort', stop);
        provider.complete(request, options).finally(release).then(resolve, reject);
      });
    },
  };
}
