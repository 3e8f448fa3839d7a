import { createRequire } from 'node:module';
import { expect, test } from 'vitest';
import install from '../../src/agents/call-counts/index.js';
import type { PartHost } from '../../src/agents/host.js';

const require = createRequire(import.meta.url);

/** The global that a logpoint calls. */
type Hit = (slot: number) => boolean;

function counter(slots = 1) {
  const clock = { now: 0 };
  const host: PartHost = {
    require,
    isLoaded: () => true,
    now: () => clock.now,
    guard: work => work,
    setTimeout: () => undefined,
    setImmediate: () => undefined,
    atRest: work => work(),
  };
  const part = install(host, undefined) as ReturnType<typeof install> & {
    open(slots: number): string;
    densest(windows: readonly number[]): number[][];
    spans(): number[][];
  }; // the part's own methods
  const hit = (globalThis as unknown as Record<string, Hit>)[part.open(slots)]!; // opened above
  return {
    callsAt(times: readonly number[], slot = 0) {
      for (const at of times) {
        clock.now = at;
        hit(slot);
      }
    },
    spans: () => part.spans(),
    densest: (ms: number) => part.densest([ms])[0]?.[0],
    [Symbol.dispose]: () => part.dispose(),
  };
}

test('calls that come one at a time are told from calls that come in a crowd', () => {
  using steady = counter();
  steady.callsAt(Array.from({ length: 50 }, (_, at) => at * 50));
  expect([steady.densest(25), steady.densest(100)]).toEqual([1, 3]);
  using crowd = counter();
  crowd.callsAt(Array.from({ length: 50 }, (_, at) => Math.floor(at / 25) * 1000 + (at % 25)));
  expect([crowd.densest(25), crowd.densest(100)]).toEqual([25, 25]);
});

test('a call lasts at least until the last call of what only runs beneath it', () => {
  using nested = counter(2);
  nested.callsAt([0, 100, 105, 300]);
  nested.callsAt([107, 120, 190, 301], 1);
  expect(nested.spans()).toEqual([
    [0, 85],
    [0, 0],
  ]);
});
