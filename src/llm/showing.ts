import { ModelError } from './model-error.js';
import { NO_USAGE, type Provider } from './provider.js';

/** Shows each request instead of sending it. An `ask` goes on, so that all its requests are seen; operators give up at once. */
export function showing(by: string, show: (request: string) => void): Provider {
  return {
    name: 'dry-run',
    model: 'none',
    async complete(request) {
      show(JSON.stringify({ by, ...request }, null, 2));
      if (by !== 'ask') throw new ModelError('request', 'Not sent: this is a dry run.');
      return { text: '', calls: [], stop: 'end', usage: NO_USAGE, provider: 'dry-run', model: 'none' };
    },
  };
}
