import { expect, test } from 'vitest';
import { firstGrown } from './grown.js';

/** An emitter as packages have them: an event's listeners are objects that have the function. */
const EMITTER = `function Listener(fn) { this.fn = fn; }
module.exports = class Emitter {
  constructor() { this._events = Object.create(null); }
  on(event, fn) {
    const listener = new Listener(fn);
    if (!this._events[event]) this._events[event] = listener;
    else if (this._events[event].fn) this._events[event] = [this._events[event], listener];
    else this._events[event].push(listener);
  }
};`;

test('listeners of many events are told by the line that registers them, whatever the events are called', async () => {
  const said = await firstGrown({
    'node_modules/emitter/index.js': EMITTER,
    'stock.cjs': `const Emitter = require('emitter');
exports.Stock = class Stock {
  events = new Emitter();
  wait(item) {
    return new Promise(resolve => {
      this.events.on('level:' + item, level => resolve({ item, level }));
    });
  }
};`,
    'main.cjs': `const { Stock } = require('./stock.cjs'); const stock = new Stock();
const grow = (from, to) => { for (let i = from; i < to; i++) stock.wait(i % 150); };`,
  });
  expect(said?.at).toBe('stock.cjs:6');
});

test('iterators of an event that are left behind are told by the line that opens them', async () => {
  const said = await firstGrown({
    'feed.cjs': `const { EventEmitter, on } = require('node:events');
const prices = new EventEmitter();
prices.setMaxListeners(0);
exports.next = async () => {
  const stream = on(prices, 'price');
  return (await stream.next()).value;
};
exports.tell = price => prices.emit('price', { price });`,
    'main.cjs': `const { next, tell } = require('./feed.cjs');
const grow = async (from, to) => { for (let i = from; i < to; i += 20) { void next(); await null; tell(i); } };`,
  });
  expect(said?.at).toBe('feed.cjs:5');
});

test('timers are told by the line that starts them, not by the one that starts them again', async () => {
  const said = await firstGrown({
    'poll.cjs': `exports.watch = (ask, everyMs) => {
  const counts = new Float64Array(64);
  const poll = () => {
    counts[0]++;
    ask();
    setTimeout(poll, everyMs);
  };
  setTimeout(poll, everyMs);
};`,
    'main.cjs': `const { watch } = require('./poll.cjs');
const grow = (from, to) => { for (let i = from; i < to; i++) watch(() => i, 50_000); };`,
  });
  expect(said?.at).toBe('poll.cjs:8');
});

test('what a FinalizationRegistry holds is told by the line that gives it', async () => {
  const said = await firstGrown({
    'track.cjs': `const registry = new FinalizationRegistry(release => release());
exports.track = surface => {
  registry.register(surface, () => surface.dispose());
  return surface;
};`,
    'main.cjs': `const { track } = require('./track.cjs');
class Surface { rows = Array.from({ length: 20 }, (_, i) => ({ i })); dispose() { this.rows = []; } }
const grow = (from, to) => { for (let i = from; i < to; i++) track(new Surface()); };`,
  });
  expect(said?.at).toBe('track.cjs:3');
});

test('what a package keeps is told by the line of the program that uses it', async () => {
  const said = await firstGrown({
    'node_modules/keeper/index.js': `class Shelf {
  loggers = new Map();
  get(id, options) {
    if (!this.loggers.has(id)) this.loggers.set(id, { id, options, levels: [id, 1, 2] });
    return this.loggers.get(id);
  }
}
exports.loggers = new Shelf();
exports.add = () => {};`,
    'log.cjs': `const keeper = require('keeper');

keeper.add('x');
exports.loggerFor = id => keeper.loggers.get(id, { level: 'info' });`,
    'main.cjs': `const { loggerFor } = require('./log.cjs');
const grow = (from, to) => { for (let i = from; i < to; i++) loggerFor('r' + i); };`,
  });
  expect(said?.at).toBe('log.cjs:4');
});
