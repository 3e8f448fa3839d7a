import { expect, test } from 'vitest';
import { keepingsOf } from '../../src/source/keeping.js';

const REGISTRY = 'const registry = new FinalizationRegistry(free => free()); function track(surface) { ';

test.each([
  [
    'a function that looks at the object',
    `${REGISTRY}registry.register(surface, () => surface.dispose()); }`,
    ['finalizer'],
  ],
  ['the object in what is handed over', `${REGISTRY}registry.register(surface, { id: 1, surface }); }`, ['finalizer']],
  [
    'the object itself',
    'class A { #r = new FinalizationRegistry(f); add(x) { this.#r.register(x, x); } }',
    ['finalizer'],
  ],
  ['an id of it', `${REGISTRY}registry.register(surface, surface.id, surface); }`, []],
  [
    'a function that looks at something else',
    `${REGISTRY}const id = surface.id; registry.register(surface, () => free(id)); }`,
    [],
  ],
  ['another kind of registry', 'const registry = new Map(); function track(s) { registry.register(s, s); }', []],
  [
    'a promise that each call prolongs',
    'class J { append(e) { this.tail = this.tail.then(() => write(e)).catch(log); } }',
    ['chain'],
  ],
  [
    'a race against a promise of the module',
    'const dusk = new Promise(s); async function f(r) { await Promise.race([walk(r), dusk.then(() => r.id)]); }',
    ['race'],
  ],
  ['a race against a field', 'class A { go() { return Promise.race([work(), this.closed]); } }', ['race']],
  [
    'a race against what the function made',
    'async function f(ms) { const late = timeout(ms); await Promise.race([work(), late, sleep(9)]); }',
    [],
  ],
  ['a race against what it was given', 'function f(p, late) { return Promise.race([p, late]); }', []],
  ['a promise of its own', 'function f(p) { const q = p.then(a); this.tail = other.then(b); }', []],
])('%s', (_, text, expected) => {
  expect(keepingsOf(text).map(({ how }) => how)).toEqual(expected);
});
