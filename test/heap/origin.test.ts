import { expect, test } from 'vitest';
import { differenceOf, firstGrown } from './grown.js';

const EACH = (body: string) => `exports.add = (from, to) => { for (let i = from; i < to; i++) ${body} };`;

test('CommonJS modules that are loaded again are told by the line that loads them', async () => {
  const said = await firstGrown({
    'forms/one.cjs': `exports.rows = Array.from({ length: 40 }, (_, i) => ({ id: i, text: 'row ' + i }));`,
    'load.cjs': `const path = require('node:path');
exports.add = name => {
  const file = path.join(__dirname, 'forms', name);
  delete require.cache[file];
  return require(file);
};`,
    'main.cjs': `const { add } = require('./load.cjs'); const grow = () => { for (let i = 0; i < 100; i++) add('one.cjs'); };`,
  });
  expect(said).toEqual({ text: 'module load.cjs → .children Array', at: 'load.cjs:5' });
});

test('ES modules that are loaded under ever new addresses are told by the line that imports them', async () => {
  const said = await firstGrown({
    'rules/one.mjs': `export const rows = Array.from({ length: 40 }, (_, i) => ({ id: i, text: 'row ' + i }));`,
    'load.cjs': `let turn = 0;
exports.add = async name => import(\`./rules/\${name}.mjs?turn=\${turn++}\`);`,
    'main.cjs': `const { add } = require('./load.cjs'); const grow = async () => { for (let i = 0; i < 60; i++) await add('one'); };`,
  });
  expect(said).toEqual({ text: "Node's ES modules", at: 'load.cjs:2' });
});

test('bound listeners of the process are told by the line that registers them', async () => {
  const said = await firstGrown({
    'upload.cjs': `class Upload {
  parts = [1, 2, 3];
  constructor(id) {
    this.id = 'upload ' + id;
    process.once('SIGTERM', this.discard.bind(this));
  }
  discard() {}
}
${EACH('new Upload(i);')}`,
    'main.cjs': `process.setMaxListeners(0); const { add: grow } = require('./upload.cjs');`,
  });
  expect(said).toEqual({ text: 'process → ._events Object → .SIGTERM Array', at: 'upload.cjs:5' });
});

test('a list in the context of a timer is told by the line that makes it', async () => {
  const said = await firstGrown({
    'trace.cjs': `const { AsyncLocalStorage } = require('node:async_hooks');
const traces = new AsyncLocalStorage();
exports.traced = work => traces.run({ name: 'work', spans: [] }, work);
exports.span = detail => traces.getStore().spans.push({ detail, label: 'span ' + detail.id });`,
    'work.cjs': `const { traced, span } = require('./trace.cjs');
let [from, to] = [0, 0];
traced(() => setInterval(() => { for (; from < to; from++) span({ id: from }); }, 5));
exports.grow = async (_, end) => { to = end; while (from < to) await new Promise(resolve => setTimeout(resolve, 5)); };`,
    'main.cjs': `const { grow } = require('./work.cjs');`,
  });
  expect(said?.text).toMatch(/^Node's timers/);
  expect(said?.at).toBe('trace.cjs:3');
});

test('timers that never fire are told by the function they call, whoever else has a function of Node', async () => {
  const said = await firstGrown({
    'node_modules/defer/index.js': `var defer = setImmediate; exports.later = work => defer(work);`,
    'carts.cjs': `require('defer');
exports.add = (from, to) => {
  for (let id = from; id < to; id++) {
    setTimeout(function forget() { return 'cart ' + id; }, 3_600_000);
  }
};`,
    'main.cjs': `const { add: grow } = require('./carts.cjs');`,
  });
  expect(said?.text).toMatch(/^Node's timers → \[3600000\] TimersList/);
  expect(said?.at).toBe('carts.cjs:4');
});

test('what another module exports is told where it is declared, through those that pass it on', async () => {
  const said = await firstGrown({
    'plan.cjs': `'use strict';
exports.plans = new Map();`,
    'index.cjs': `exports.plans = require('./plan.cjs').plans;`,
    'main.cjs': `const { plans } = require('./index.cjs');
      exports.find = key => plans.get(key);
      const grow = (from, to) => { for (let i = from; i < to; i++) plans.set('k' + i, { id: i, legs: ['leg of ' + i] }); };`,
  });
  expect(said).toEqual({ text: '`plans` in plan.cjs → Map', at: 'plan.cjs:2' });
});

test('a variable that gets a new value each time is the holder of what hangs on it', async () => {
  const said = await firstGrown({
    'screen.cjs': `let screen = { undo() {} };
exports.change = text => {
  const before = screen;
  screen = { undo: () => { screen = before; }, drawn: [text, text + '!'] };
};`,
    'main.cjs': `const screen = require('./screen.cjs');
      const grow = (from, to) => { for (let i = from; i < to; i++) screen.change('text ' + i); };`,
  });
  expect(said).toEqual({ text: '`screen` in screen.cjs → {undo, drawn}', at: 'screen.cjs:1' });
});

test('a local of a function that waits is told by that function', async () => {
  const said = await firstGrown({
    'serve.cjs': `const { once } = require('node:events');
exports.serve = async bus => {
  const handled = new Map();
  for (;;) {
    const [id] = await once(bus, 'job');
    handled.set('job ' + id, { id, note: 'note ' + id });
  }
};`,
    'main.cjs': `const { EventEmitter } = require('node:events'); const bus = new EventEmitter();
      require('./serve.cjs').serve(bus);
      const grow = async (from, to) => { for (let i = from; i < to; i++) { bus.emit('job', i); await null; await null; await null; await null; } };`,
  });
  expect(said?.at).toBe('serve.cjs:2');
});

test('of several lists that one function sees each is told, not the function', async () => {
  const said = await firstGrown({
    'main.cjs': `const first = [], second = [];
      exports.both = () => first.length + second.length;
      const grow = (from, to) => { for (let i = from; i < to; i++) { first.push({ i, text: 'first ' + i }); second.push({ i, note: 'second ' + i }); } };`,
  });
  expect(said?.text).toMatch(/^`(?:first|second)` in main.cjs → Array$/);
});

test('functions that a package keeps are told by the line that makes them', async () => {
  const said = await firstGrown({
    'node_modules/pipes/index.js': `class Pipe { steps = []; use(work) { this.steps.push({ work, label: 'step' + this.steps.length }); } }
exports.pipe = new Pipe();`,
    'orders.cjs': `const { pipe } = require('pipes');
exports.add = (from, to) => {
  for (let id = from; id < to; id++) {
    const token = 'token ' + id;
    pipe.use(order => [order, token, pipe]);
  }
};`,
    'main.cjs': `const { add: grow } = require('./orders.cjs');`,
  });
  expect(said?.at).toBe('orders.cjs:5');
});

test('marks that nobody clears are told by the line that makes them', async () => {
  const said = await firstGrown({
    'timing.cjs': `exports.add = (from, to) => {
  for (let i = from; i < to; i++)
    performance.mark('order ' + i, { detail: { id: i, path: '/orders/' + i } });
};`,
    'main.cjs': `const { add: grow } = require('./timing.cjs');`,
  });
  expect(said?.at).toBe('timing.cjs:3');
});

test('what grows in a worker thread is not in the files, and the answer counts the threads', async () => {
  const { grown, workers } = await differenceOf({
    'worker.cjs': `const kept = []; require('node:worker_threads').parentPort.on('message', id => kept.push('kept ' + id));`,
    'main.cjs': `const { Worker } = require('node:worker_threads'); const worker = new Worker(__dirname + '/worker.cjs');
      const grow = (from, to) => { for (let i = from; i < to; i++) worker.postMessage(i); };`,
  });
  expect(grown).toEqual([]);
  expect(workers).toBe(1);
});
