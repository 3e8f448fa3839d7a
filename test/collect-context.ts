import type { CollectContext } from '../src/collectors/collector.js';

/** For readings taken outside of a run: nothing is refused, nothing waits for its turn. */
export const context: CollectContext = {
  signal: new AbortController().signal,
  now: () => performance.now(),
  sleep: ms => new Promise(wake => setTimeout(wake, ms)),
  exclusively: work => work(),
  mayPause: () => true,
};
