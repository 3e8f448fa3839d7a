import { afterAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { runQueryScript, type SandboxFunction } from '../../src/sandbox/run-query-script.js';
import { closeSandbox } from '../../src/sandbox/worker-pool.js';

const asked: unknown[] = [];
const fn = (name: string, params: z.ZodType, run: (params: never) => unknown): SandboxFunction =>
  // Tests write the answer they need.
  ({ name, doc: name, params: params as z.ZodType<never>, run: async params => (await run(params)) as never });

const FUNCTIONS = [
  fn('topClasses', z.object({ limit: z.number().int().min(1).max(50).default(10) }), (params: { limit: number }) => {
    asked.push(params);
    return { classes: Array.from({ length: params.limit }, (_, at) => ({ name: `C${at}`, bytes: at * 100 })) };
  }),
  fn('slow', z.object({}), () => new Promise(resolve => setTimeout(() => resolve('late'), 700))),
  fn('never', z.object({}), () => new Promise(() => {})),
  fn('fails', z.object({}), () => Promise.reject(new Error('the target refused: heap too big'))),
  fn('huge', z.object({}), () => 'x'.repeat(1_000_000)),
  fn('heap.retainers', z.object({ id: z.number() }), (params: { id: number }) => ({ of: params.id })),
];

const QUICK = { ownTimeMs: 300 };
const run = (code: string, limits: object = {}) => runQueryScript(code, FUNCTIONS, { limits });
const errorOf = async (code: string, limits: object = QUICK) => {
  const answer = await run(code, limits);
  return 'error' in answer ? answer.error : `no error: ${JSON.stringify(answer.value).slice(0, 100)}`;
};
const valueFrom = async (code: string, limits: object = {}) => {
  const answer = await run(code, limits);
  if ('error' in answer) throw new Error(answer.error);
  return answer.value;
};

afterAll(closeSandbox);

describe('a script', () => {
  test('computes over the answers of its queries', async () => {
    expect(
      await valueFrom('(await topClasses({ limit: 3 })).classes.filter(c => c.bytes > 50).map(c => c.name)'),
    ).toEqual(['C1', 'C2']);
  });

  test('may be statements whose last expression is the answer, or return it', async () => {
    expect(await valueFrom('const a = await topClasses();\na.classes.length')).toBe(10);
    expect(await valueFrom('const a = 2; return a * 21')).toBe(42);
    expect(await valueFrom('({ a: 1 })')).toEqual({ a: 1 });
    expect(await valueFrom('if (true) { let x = 1 }')).toBeNull();
  });

  test('asks several queries at once', async () => {
    expect(await valueFrom('(await Promise.all([slow(), slow(), heap.retainers({ id: 7 })]))')).toEqual([
      'late',
      'late',
      { of: 7 },
    ]);
  });

  test("a query's waiting is not the script's own time", async () => {
    expect(await valueFrom('[await slow(), await slow()].length', { ownTimeMs: 200 })).toBe(2);
  });

  test('prints are kept, within bounds', async () => {
    const { log } = await run('for (let i = 0; i < 1000; i++) console.log("line", i, "y".repeat(2000)); 1');
    expect(log).toHaveLength(100);
    expect(log[0]).toMatch(/^line 0 y+$/);
    expect(log[0]!.length).toBeLessThanOrEqual(500);
  });
});

describe('wrong calls', () => {
  test('a number beyond its bounds is clamped', async () => {
    asked.length = 0;
    expect(await valueFrom('(await topClasses({ limit: 10000 })).classes.length')).toBe(50);
    expect(await valueFrom('(await topClasses({ limit: -4 })).classes.length')).toBe(1);
    expect(asked).toEqual([{ limit: 50 }, { limit: 1 }]);
  });

  test('a wrong name is answered with the right ones', async () => {
    expect(await errorOf('await topKlasses({})')).toMatch(
      /topKlasses.*Functions here: topClasses\(\{limit\?: 1..50 = 10\}\)/,
    );
    expect(await errorOf('await heap.retainer({})')).toMatch(/heap\.retainers\(\{id: number\}\)/);
  });

  test('wrong arguments are answered with the right ones', async () => {
    expect(await errorOf('await heap.retainers({ id: "seven" })')).toMatch(
      /id: .*Call it as heap\.retainers\(\{id: number\}\)/,
    );
    expect(await errorOf('await heap.retainers(7, 8)')).toMatch(/takes one object/);
  });

  test('a failing query can be caught, and otherwise is the error', async () => {
    expect(await valueFrom('try { await fails() } catch (e) { return e.message }')).toBe(
      'the target refused: heap too big',
    );
    expect(await errorOf('await fails()')).toContain('the target refused');
  });

  test('syntax errors say so', async () => {
    expect(await errorOf('let function = 3;')).toMatch(/SyntaxError/);
  });

  test('too many queries are refused', async () => {
    expect(await errorOf('for (let i = 0; i < 60; i++) await topClasses()', { calls: 20 })).toMatch(
      /more than 20 queries/,
    );
  });
});

describe('getting out', () => {
  test('there is nothing but the language and the queries', async () => {
    for (const name of ['process', 'require', 'fetch', 'setTimeout', 'Deno', 'WebAssembly', '__call', 'std', 'os']) {
      expect(await valueFrom(`typeof ${name}`)).toBe('undefined');
    }
    expect(await errorOf('await import("node:fs")')).toMatch(/Error/);
  });

  test('constructors of constructors stay inside', async () => {
    expect(await valueFrom('(topClasses.constructor("return typeof process"))()')).not.toBe('object');
    expect(await valueFrom('(await topClasses()).constructor.constructor("return typeof process")()')).toBe(
      'undefined',
    );
    expect(
      await valueFrom(
        'try { await fails() } catch (e) { return e.constructor.constructor("return typeof require")() }',
      ),
    ).toBe('undefined');
  });

  test('a polluted prototype or a replaced JSON harms only the script itself', async () => {
    const code =
      'Object.prototype.limit = 3; JSON.stringify = () => "evil"; Promise.prototype.then = null; await topClasses({limit: 2})';
    const answer = await run(code, QUICK);
    expect(answer).toBeDefined();
    expect(({} as Record<string, unknown>).limit).toBeUndefined();
    expect(await valueFrom('(await topClasses({ limit: 2 })).classes.length')).toBe(2);
  });

  test('breaking out of the wrapper ends in the same machine', async () => {
    expect(await errorOf('}); globalThis.x = 1; (async () => {')).toMatch(/error/i);
    expect(await valueFrom('typeof globalThis.x')).toBe('undefined');
  });
});

describe('limits', () => {
  test.each([
    ['an endless loop', 'for (;;);'],
    ['an endless loop that catches', 'for (;;) { try { for (;;); } catch {} }'],
    ['an endless chain of promises', 'for (;;) await null'],
    ['a regular expression that never ends', '/(a+)+$/.test("a".repeat(50) + "b")'],
    ['an endless loop after an answer', 'await topClasses(); for (;;);'],
    ['a built-in that never asks', 'Array.prototype.lastIndexOf.call({ length: 2 ** 53 - 1 }, 0)'],
    ['a getter that never ends, in the answer', '({ get a() { for (;;); } })'],
  ])('%s is stopped', async (_, code) => {
    expect(await errorOf(code)).toMatch(/computed for more than 0.3 s/);
  });

  test.each([
    ['growing strings', 'let s = "x"; for (;;) s += s'],
    ['growing lists', 'const a = []; for (;;) a.push({})'],
    ['one big buffer', 'new ArrayBuffer(2 ** 30); 1'],
  ])('%s run out of memory', async (_, code) => {
    expect(await errorOf(code, { ownTimeMs: 3000 })).toMatch(/memory|invalid|length|Error/i);
  });

  // QuickJS' own limit let these take 2 GB in five seconds.
  test.each([
    'const a = []; for (;;) a.push(new Array(1000).fill(1))',
    'const a = []; for (;;) a.push(new Array(1e6).fill(1))',
    'let a; for (;;) a = { a, list: [1, 2, 3, 4, 5, 6, 7, 8] }',
  ])('the machine never holds more than its bound: %s', async code => {
    expect(await errorOf(code, { ownTimeMs: 5000 })).toMatch(/memory|null/);
  });

  test('endless recursion is an error', async () => {
    expect(await errorOf('const f = () => f() + 1; f()')).toMatch(/stack|recursion|exhausted/i);
    expect(await errorOf('let a = []; for (let i = 0; i < 1e5; i++) a = [a]; a')).toMatch(
      /stack|exhausted|Error|computed/i,
    );
  });

  test('a promise that nothing settles is an error, not a hang', async () => {
    expect(await errorOf('await new Promise(() => {})')).toMatch(/nothing will settle/);
  });

  test('a query that never answers fails after its time', async () => {
    expect(await errorOf('await never()', { queryTimeoutMs: 100 })).toMatch(/did not answer within 0.1 s/);
  });

  test('a huge answer is refused with advice, from the script or from a query', async () => {
    expect(await errorOf('"x".repeat(1000000)', {})).toMatch(/return fewer/);
    expect(await errorOf('throw new Error("x".repeat(1000000))', {})).toMatch(/return fewer/);
    expect(await errorOf('await huge()', {})).toMatch(/ask for fewer/);
  });

  test('an abort ends the script at once', async () => {
    const stop = new AbortController();
    setTimeout(() => stop.abort(), 50);
    expect(await runQueryScript('await never()', FUNCTIONS, { signal: stop.signal })).toEqual({
      error: 'The run was stopped.',
      log: [],
    });
  });

  test('after all of this the next script works', async () => {
    expect(await valueFrom('1 + 1')).toBe(2);
  });
});
