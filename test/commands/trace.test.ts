import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { transformSync } from 'esbuild';
import { afterAll, expect, test } from 'vitest';
import { type Launched, type LaunchOptions, launch } from '../launch.js';

const LENS = resolve(import.meta.dirname, '../../bin/lens.js');
const home = mkdtempSync(join(tmpdir(), 'lens-trace-'));
afterAll(() => rmSync(home, { recursive: true, force: true }));

/** Written in TypeScript, run as JavaScript of other lines. */
const CART = `interface Line {
  price: number;
}

interface Order {
  id: number;
  lines: Line[];
}

export function cheapest(order: Order): number {
  const prices: number[] = order.lines.map(line => line.price);
  return Math.min(...prices);
}
`;

const SHOP = `const { Worker } = require('node:worker_threads');
const { cheapest } = require('./dist/cart.js');

class Shop {
  total(order) {
    let sum = 0;
    for (const price of order.prices) {
      sum += price;
    }
    return sum;
  }
  tick(n) {
    return n + 1;
  }
}
const tick = Shop.prototype.tick;
const shop = new Shop();

async function handle(request) {
  const password = 'hunter2-is-long';
  await new Promise(done => setTimeout(done, 30));
  return shop.total({ prices: [1, 2, 3], get secret() { console.log('a getter ran'); return 1; } });
}

const double = globalThis => globalThis * 2;

function seldom(request) {
  return request;
}

let id = 0;
setInterval(() => {
  id += 1;
  handle({ id, user: { name: 'ann', apiKey: 'k-' + id + '-9f8e7d6c5b' } });
  double(id);
  cheapest({ id, lines: [{ price: 3 }, { price: id }] });
}, 40);
setInterval(() => {
  for (let i = 0; i < 20_000; i++) shop.tick(i);
}, 10);
process.on('SIGUSR2', () => {
  console.log('left: ' + ('__lensTrace' in globalThis) + ' ' + (Shop.prototype.tick === tick));
});
new Worker('./crew.js');
setTimeout(() => console.log('ready'), 300);
`;

const CREW = `function crunch(job) {
  return job.n * 2;
}
let n = 0;
setInterval(() => crunch({ n: ++n }), 50);
`;

mkdirSync(join(home, 'dist'));
mkdirSync(join(home, 'src'));
const built = transformSync(CART, { loader: 'ts', format: 'cjs', sourcemap: true, sourcefile: '../src/cart.ts' });
writeFileSync(join(home, 'src/cart.ts'), CART);
writeFileSync(join(home, 'dist/cart.js'), `${built.code}//# sourceMappingURL=cart.js.map\n`);
writeFileSync(join(home, 'dist/cart.js.map'), built.map);
writeFileSync(join(home, 'shop.js'), SHOP);
writeFileSync(join(home, 'crew.js'), CREW);

const shop = (node?: LaunchOptions['node']) =>
  launch(join(home, 'shop.js'), { cwd: home, ...(node === undefined ? {} : { node }) });

interface Line {
  readonly type: string;
  readonly [property: string]: unknown;
}
interface Hit extends Line {
  readonly place: string;
  readonly values: Record<string, string>;
  readonly durationMs?: number;
  readonly thread?: string;
  readonly returned?: string;
  readonly stack?: { function?: string; file: string; line: number }[];
  readonly lines?: { line: number; file: string; values: Record<string, string> }[];
}

function lens(args: readonly string[]) {
  const child = spawn(process.execPath, [LENS, 'trace', ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  const output = { stdout: '', stderr: '' };
  child.stdout.on('data', data => {
    output.stdout += data;
  });
  child.stderr.on('data', data => {
    output.stderr += data;
  });
  return { child, output, ended: once(child, 'close').then(([code]) => code as number) };
}

async function traced(target: Launched, ...args: string[]) {
  const run = lens([String(target.pid), ...args, '--json']);
  const code = await run.ended;
  const lines = run.output.stdout
    .split('\n')
    .filter(text => text.startsWith('{"type"'))
    .map(text => JSON.parse(text) as Line);
  return {
    code,
    text: run.output.stdout,
    stderr: run.output.stderr,
    // The stream's own contract.
    hits: lines.filter(({ type }) => type === 'trace.hit') as unknown as Hit[],
    end: lines.at(-1) as Line & {
      ended: string;
      places: { refused?: string; thread?: string }[];
      timed?: { calls: number };
    },
  };
}

async function until(holds: () => boolean): Promise<void> {
  for (let tries = 0; tries < 60 && !holds(); tries++) await new Promise(done => setTimeout(done, 300));
  expect(holds()).toBe(true);
}

async function whatIsLeft(target: Launched): Promise<string> {
  target.child.kill('SIGUSR2');
  return target.line('left:');
}

test.concurrent.each([18, 26] as const)('values at a line of Node %s, read without running a getter', async node => {
  await using target = await shop(node);
  const { hits, code } = await traced(target, 'shop.js:6', '--hits', '2', '--stack');
  expect(code).toBe(0);
  expect(hits).toHaveLength(2);
  expect(hits[0]).toMatchObject({
    place: 'Shop.total (shop.js:6)',
    values: { order: '{ prices: [1, 2, 3], secret: (getter) }' },
  });
  expect(hits[0]?.stack?.slice(0, 2)).toMatchObject([
    { function: 'total', file: 'shop.js' },
    { function: 'handle', file: 'shop.js', line: 22 },
  ]);
  expect(target.stdout()).not.toContain('a getter ran');
  expect(await whatIsLeft(target)).toBe('left: false true');
});

test.concurrent('a line of TypeScript is found through its source map, and only where the condition holds', async () => {
  await using target = await shop(24);
  const { hits } = await traced(
    target,
    'src/cart.ts:12',
    '-c',
    'order.id % 2 === 0',
    '-e',
    'order.id',
    '-e',
    'prices.length',
    '--hits',
    '2',
  );
  expect(hits.map(({ place }) => place)).toEqual(['cheapest (src/cart.ts:12)', 'cheapest (src/cart.ts:12)']);
  expect(hits.every(({ values }) => Number(values['order.id']) % 2 === 0 && values['prices.length'] === '2')).toBe(
    true,
  );
});

test.concurrent.each([18, 26] as const)('how long each call of an async function takes on Node %s', async node => {
  await using target = await shop(node);
  const { hits } = await traced(target, 'handle', '--time', '--hits', '3', '-e', 'request.id');
  expect(hits).toHaveLength(3);
  const ids = hits.map(({ values }) => Number(values['request.id']));
  expect(new Set(ids).size).toBe(3);
  for (const { durationMs } of hits) expect(durationMs).toBeGreaterThan(25);
});

test.concurrent('a function that shadows every name, and returns without a statement, is timed too', async () => {
  await using target = await shop();
  const line = SHOP.split('\n').findIndex(text => text.startsWith('const double')) + 1;
  const { hits } = await traced(target, `shop.js:${line}`, '--time', '--hits', '2');
  expect(hits).toHaveLength(2);
  expect(Number(hits[1]?.values.globalThis)).toBe(Number(hits[0]?.values.globalThis) + 1);
});

test.concurrent('the time from one line to another', async () => {
  await using target = await shop();
  const { hits } = await traced(target, 'shop.js:21', 'shop.js:22', '--between', '--hits', '2', '-e', 'request.id');
  expect(hits).toHaveLength(2);
  for (const { durationMs } of hits) expect(durationMs).toBeGreaterThan(25);
});

test.concurrent.each([18, 26] as const)('one call of a function, line by line, on Node %s', async node => {
  await using target = await shop(node);
  const { hits } = await traced(target, 'Shop.total', '--lines');
  expect(hits).toHaveLength(1);
  const lines = hits[0]?.lines ?? [];
  expect(lines[0]).toMatchObject({ file: 'shop.js', line: 6 });
  expect(lines.filter(({ line }) => line === 8).map(({ values }) => values.price)).toEqual(['1', '2', '3']);
  expect(lines.at(-1)).toMatchObject({ line: 10, values: { sum: '6' } });
});

test.concurrent.each([18, 26] as const)(
  'a hot method is refused with a cheaper way on Node %s, and can be wrapped',
  async node => {
    await using target = await shop(node);
    const refused = await traced(target, 'Shop.tick', '--hits', '500', '--rate', '500');
    expect(refused.end.ended).toBe('refused');
    expect(refused.end.places[0]?.refused).toMatch(/reached \d+ times within/);
    const said = lens([String(target.pid), 'Shop.tick']);
    await said.ended;
    expect(said.output.stderr).toContain('--wrap');
    const wrapped = await traced(target, 'Shop.tick', '--wrap', '--hits', '3');
    expect(wrapped.hits).toHaveLength(3);
    for (const { values, returned } of wrapped.hits) expect(Number(returned)).toBe(Number(values.n) + 1);
    expect(await whatIsLeft(target)).toBe('left: false true');
  },
);

test.concurrent.each([18, 26] as const)(
  'a function that only a worker thread runs is traced there, on Node %s',
  async node => {
    await using target = await shop(node);
    const { hits } = await traced(target, 'crew.js:2', '--hits', '2', '-e', 'job.n');
    expect(hits).toHaveLength(2);
    expect(hits[0]?.thread).toMatch(/^\[?worker 1/);
    expect(Number(hits[1]?.values['job.n'])).toBeGreaterThan(Number(hits[0]?.values['job.n']));
  },
);

test.concurrent('secrets don’t leave the target', async () => {
  await using target = await shop();
  const { hits, text } = await traced(target, 'shop.js:22', '--hits', '1');
  expect(Object.keys(hits[0]?.values ?? {})).toEqual(['request', 'password']);
  expect(text).not.toMatch(/hunter2|9f8e7d6c5b/);
});

test.concurrent('it ends by itself when nothing comes, and says so', async () => {
  await using target = await shop();
  const { end, code } = await traced(target, 'seldom', '--ttl', '2');
  expect(code).toBe(0);
  expect(end).toMatchObject({ ended: 'time', hits: 0, places: [{ reached: 0 }] });
});

test.concurrent('a lens that is killed leaves no logpoint, and in seconds nothing else', async () => {
  await using target = await shop();
  const killed = lens([String(target.pid), 'Shop.tick', '--wrap', '--hits', '100000', '--json']);
  await until(() => killed.output.stdout.includes('trace.hit'));
  expect(await whatIsLeft(target)).toBe('left: true false');
  killed.child.kill('SIGKILL');
  await killed.ended;
  await until(() => {
    target.child.kill('SIGUSR2');
    return target.stdout().trimEnd().endsWith('left: false true');
  });
}, 40_000);

test.concurrent('what would run the program’s code, or names no place, is a usage error', async () => {
  await using target = await shop();
  const calling = await traced(target, 'shop.js:6', '-e', 'order.pay()');
  expect(calling).toMatchObject({ code: 2 });
  expect(calling.stderr).toContain('would run code of the program');
  expect(await traced(target, 'nowhere.js:6')).toMatchObject({ code: 2 });
  expect((await traced(target, 'shop.js:6', '--lines', '--time')).code).toBe(2);
});
