import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildSync, transformSync } from 'esbuild';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { callAt, callsInFunction } from '../../src/source/calls.js';
import { declarationOf } from '../../src/source/declarations.js';
import { feedersOf, subscriptionsOf, timingsOf } from '../../src/source/feeders.js';
import { enclosingFunction } from '../../src/source/names.js';
import { ScriptText } from '../../src/source/script.js';
import { displayPath, filePath, isUserCode, packageOf } from '../../src/source/url.js';

/** 0-based line and column of the first `|` in a text, and the text without it. */
function marked(text: string): { text: string; line0: number; column0: number } {
  const before = text.slice(0, text.indexOf('|'));
  const line0 = before.split('\n').length - 1;
  return { text: text.replace('|', ''), line0, column0: before.length - (before.lastIndexOf('\n') + 1) };
}

function nameAt(text: string): string | undefined {
  const place = marked(text);
  return enclosingFunction(place.text, place.line0, place.column0)?.name;
}

test('a package is the innermost one, scoped and under pnpm too', () => {
  expect(packageOf('file:///app/node_modules/express/lib/router/index.js')).toBe('express');
  expect(packageOf('/app/node_modules/a/node_modules/@scope/b/x.js')).toBe('@scope/b');
  expect(packageOf('file:///app/node_modules/.pnpm/ajv@8.1.0/node_modules/ajv/dist/a.js')).toBe('ajv');
  expect(packageOf('file:///app/node_modules/.pnpm/%40x%2By@1/node_modules/%40x/y/a.js')).toBe('@x/y');
  expect(packageOf('file:///app/src/server.js')).toBeUndefined();
  expect(packageOf('node:internal/timers')).toBeUndefined();
});

test('user code is a file of the application and nothing else', () => {
  for (const url of ['app.js', 'file:///app/server.js', '/app/lib/a.js', 'webpack://shop/./src/a.ts'])
    expect(isUserCode(url)).toBe(true);
  for (const url of [
    '',
    'node:fs',
    'internal/fs/utils',
    'lens:agent',
    'evalmachine.<anonymous>',
    'REPL1',
    'file:///a/node_modules/b/c.js',
  ])
    expect(isUserCode(url)).toBe(false);
});

test('paths are shown relative to the working directory only inside of it', () => {
  expect(displayPath('file:///srv/app/src/a%20b.js', '/srv/app')).toBe('src/a b.js');
  expect(displayPath('/srv/application/a.js', '/srv/app')).toBe('/srv/application/a.js');
  expect(displayPath('node:fs', '/')).toBe('node:fs');
  expect(filePath('webpack://shop/./src/a.ts?1234')).toBe('src/a.ts');
});

test('a function is called by its name, its variable, its class or what it is passed to', () => {
  expect(nameAt('function load() { | }')).toBe('load');
  expect(nameAt('const render = async () => { | };')).toBe('render');
  expect(nameAt('exports.find = function () { | };')).toBe('exports.find');
  expect(nameAt('class Cart { total() { | } }')).toBe('Cart.total');
  expect(nameAt('(0, rxjs_1.interval)(50).subscribe(() => { | });')).toBe('rxjs_1.interval().subscribe() callback');
  expect(nameAt('class Cart { #sum = () => { | } }')).toBe('Cart.#sum');
  expect(nameAt('const api = { list() { | } }')).toBe('api.list');
  expect(nameAt("app.get('/cart/:id', auth, async (req, res) => { | });")).toBe("app.get('/cart/:id') callback");
  expect(nameAt('function outer() { return () => { | }; }')).toBe('function returned by outer');
  expect(nameAt('new Promise(resolve => { | })')).toBe('new Promise() callback');
  expect(nameAt('const x = 1; |')).toBeUndefined();
});

test('source that only V8 accepts is parsed all the same', () => {
  expect(nameAt('#!/usr/bin/env node\nimport a from "a"; await a; function b() { | }')).toBe('b');
  expect(nameAt('return 5; function c() { | }')).toBe('c');
  expect(nameAt('this is { not code')).toBeUndefined();
});

test('a declaration is found as variable, field, assignment, import or pattern', () => {
  expect(declarationOf('let a;\nconst sessions = new Map();', 'sessions')).toMatchObject({
    line0: 1,
    column0: 6,
    kind: 'variable',
  });
  expect(declarationOf('class A {\n  #items = [];\n}', '#items')).toMatchObject({ line0: 1, kind: 'field' });
  expect(declarationOf('function A() {\n  this.cache = {};\n}', 'this.cache')).toMatchObject({
    line0: 1,
    kind: 'assigned',
  });
  expect(declarationOf("import { pool as p } from './db.js';", 'p')).toMatchObject({ kind: 'import' });
  expect(declarationOf('const { q: { jobs } } = make();', 'jobs')).toMatchObject({ kind: 'variable' });
  expect(declarationOf('use(cache);', 'cache')).toBeUndefined();
});

test('of equal declarations the nearest before the use is meant', () => {
  const text = 'function a() { const list = 1; }\nfunction b() {\n  const list = 2;\n  use(list);\n}';
  expect(declarationOf(text, 'list', 3)).toMatchObject({ line0: 2 });
});

test('what makes a collection grow is found, also through an alias and a property path', () => {
  const text = `const sessions = new Map();
sessions.get('a');
function login(id) {
  sessions.set(id, {});
}
const alias = sessions;
alias.set(1, 2);
class Q { add(x) { this.state.items.push(x); this.byId[x.id] = x; } }
let log = [];
log = [...log, 1];
bus.on('tick', () => {});`;
  expect(feedersOf(text, 'sessions').map(f => [f.line0, f.how, f.function])).toEqual([
    [3, 'set', 'login'],
    [6, 'set', undefined],
  ]);
  expect(feedersOf(text, 'state', ['items'])[0]).toMatchObject({ line0: 7, how: 'push', function: 'Q.add' });
  expect(feedersOf(text, 'this.byId')[0]).toMatchObject({ how: '[key] =' });
  expect(feedersOf(text, 'log')[0]).toMatchObject({ how: 'spread' });
  expect(feedersOf(text, 'bus')[0]).toMatchObject({ how: 'on' });
});

test('a position on a line means the call that begins before it', () => {
  const text = 'const a = JSON.parse(fs.readFileSync(path));';
  expect(callAt(text, 0)).toMatchObject({ callee: 'JSON.parse' });
  expect(callAt(text, 0, 27)).toMatchObject({ callee: 'fs.readFileSync', method: 'readFileSync' });
  const two = 'function f() { g(() => { inner(); }); outer(); }';
  expect(callsInFunction(two, 0, 15).map(c => c.callee)).toEqual(['g', 'outer']);
});

test('a position in minified TypeScript leads back to the written line with its frame', () => {
  const written = 'interface A { x: number }\n\nexport function slow(a: A): number {\n  return a.x * 2;\n}\n';
  const { code, map } = transformSync(written, {
    loader: 'ts',
    minify: true,
    sourcemap: 'external',
    sourcefile: 'src/slow.ts',
  });
  const script = new ScriptText({ scriptId: '1', url: 'file:///app/dist/slow.js', text: code, sourceMap: map });
  const place = script.original(0, code.indexOf('return'));
  expect(place).toMatchObject({ file: '/app/dist/src/slow.ts', line: 4, mapped: true });
  expect(script.frameAround(place)).toContain('> 4 |   return a.x * 2;');
});

test('a large bundle is parsed in reasonable time', () => {
  const { outputFiles } = buildSync({
    entryPoints: ['src/source/script.ts'],
    bundle: true,
    minify: true,
    write: false,
    format: 'esm',
  });
  const text = outputFiles[0]?.text ?? '';
  expect(text.length).toBeGreaterThan(5_000);
  expect(enclosingFunction(text, 0, text.length >> 1)).toBeDefined();
});

test('the call that registers a listener is found by its event', () => {
  const text = `function Upload() {\n  process.once('SIGTERM', this.discard.bind(this));\n}\nUpload.prototype.discard = function () {};\nbus.on('tick', () => {\n  more();\n});`;
  expect(subscriptionsOf(text, 'SIGTERM').map(one => [one.line0, one.how, one.function])).toEqual([
    [1, 'once', 'Upload'],
  ]);
  expect(subscriptionsOf(text, 'tick').map(one => [one.line0, one.endLine0])).toEqual([[4, 6]]);
  expect(subscriptionsOf(text, 'other')).toEqual([]);
});

test('an iterator of events subscribes as a listener does', () => {
  const text = `async function next() {\n  const stream = on(prices, 'price');\n  await once(bus, 'end');\n}`;
  expect(subscriptionsOf(text, 'price').map(one => [one.line0, one.how, one.function])).toEqual([[1, 'on', 'next']]);
  expect(subscriptionsOf(text, 'end')).toHaveLength(1);
});

test('calls of performance.mark are found, other marks are not', () => {
  const text = `const timed = () => {\n  performance.mark('begin');\n  perf_hooks.performance.measure('a', 'b');\n  page.mark('x');\n};`;
  expect(timingsOf(text).map(one => [one.line0, one.how, one.function])).toEqual([
    [1, 'mark', 'timed'],
    [2, 'measure', 'timed'],
  ]);
});

test('instances that put themselves into a collection feed it', () => {
  const text =
    'class Screen { static all = new Set(); constructor() { Screen.all.add(this); byScreen.set(this, 1); } }';
  expect(feedersOf(text, 'Screen', ['all'])[0]).toMatchObject({ how: 'add' });
  expect(feedersOf(text, 'byScreen')[0]).toMatchObject({ how: 'set' });
});

test('a #private field that was compiled away is fed where it is read', () => {
  const text = `class Books { constructor() { _Books_journal.set(this, []); } record(entry) {\n  __classPrivateFieldGet(this, _Books_journal, "f").push(entry);\n} }`;
  expect(feedersOf(text, '_Books_journal')[0]).toMatchObject({ line0: 1, how: 'push', function: 'Books.record' });
});

const BUNDLED = `import { parse } from './node_modules/tiny-xml/index.js';
export const price = text => parse(text).price;
console.log(price('<price>'));`;
const TINY_XML = `export function parse(text) { const found = {}; found.price = text.length; return found; }`;

function bundle(minify: boolean): { text: string; sourceMap: string } {
  const result = buildSync({
    stdin: { contents: BUNDLED, sourcefile: '/app/src/main.js', resolveDir: folder },
    bundle: true,
    minify,
    write: false,
    sourcemap: 'external',
    outfile: `${folder}/dist/main.js`,
  });
  const [map, text] = result.outputFiles;
  return { text: text?.text ?? '', sourceMap: map?.text ?? '' };
}

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'bundle-'));
  mkdirSync(join(folder, 'node_modules/tiny-xml'), { recursive: true });
  writeFileSync(join(folder, 'node_modules/tiny-xml/index.js'), TINY_XML);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Whose code stands where a text is found in the running bundle. */
function ownerOf(script: ScriptText, found: string): string | undefined {
  const { line0, column0 } = marked(script.text.replace(found, `|${found}`));
  return script.ownerAt(line0, column0);
}

test('in a minified bundle the source map tells whose a function is', () => {
  const { text, sourceMap } = bundle(true);
  const script = new ScriptText({ scriptId: '1', url: `file://${folder}/dist/main.js`, text, sourceMap });
  expect(ownerOf(script, '.length')).toBe('tiny-xml');
  expect(ownerOf(script, 'console.log')).toBeUndefined();
});

test('in a bundle without a source map the names above the modules tell it', () => {
  const script = new ScriptText({ scriptId: '1', url: `file://${folder}/dist/main.js`, text: bundle(false).text });
  expect(ownerOf(script, '.length')).toBe('tiny-xml');
  expect(ownerOf(script, 'console.log')).toBeUndefined();
});

test('a line of a minified file is cut around the place', () => {
  const text = `${'a'.repeat(500)}THERE${'b'.repeat(500)}`;
  const script = new ScriptText({ scriptId: '1', url: 'file:///srv/bundle.js', text });
  const frame = script.frameAround(script.original(0, 500));
  expect(frame).toMatch(/^> 1 \| …a{59,60}THEREb+…$/);
  expect(frame?.length).toBeLessThan(180);
});

test('a field of a class in TypeScript belongs to its constructor, and not to a function that ends above', () => {
  const written =
    'const digest = (key: string) => key + 1;\n\nexport class Memory<V> {\n  private readonly values = new Map<string, V>();\n  get(key: string): V | undefined {\n    return this.values.get(digest(key));\n  }\n}\n';
  const { code, map } = transformSync(written, {
    loader: 'ts',
    sourcemap: true,
    sourcefile: '/app/src/memory.ts',
    target: 'es2022',
    minify: true,
    format: 'cjs',
  });
  const script = new ScriptText({ scriptId: '1', url: 'file:///app/dist/memory.js', text: code, sourceMap: map });
  const at = (name: string) => script.functionName(0, code.indexOf(name));
  expect(at('values=')).toBe('new Memory');
  expect(at('this.values')).toBe('get');
});
