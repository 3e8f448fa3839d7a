import { expect, test } from 'vitest';
import { holderOf } from '../../src/heap/growth/holder.js';
import type { Suspect } from '../../src/heap/growth/suspects.js';
import type { GrowingContainer, PathStep } from '../../src/model/evidence/collection-growth.js';
import type { V8SamplingNode } from '../../src/model/evidence/heap-sampling.js';
import type { Evidence, EvidenceKind } from '../../src/model/evidence/index.js';
import type { OperatorView, Step } from '../../src/model/skill.js';
import { acceptorOf } from '../../src/skills/acceptor.js';
import { placeGrowth } from '../../src/skills/growth-place.js';
import { creatorOf } from '../../src/skills/handles-creator.js';
import type { Suspect as HandleSuspect } from '../../src/skills/handles-growth.js';

type Files = Readonly<Record<string, string>>;

const urlOf = (name: string) => `file:///srv/app/${name}`;
const scriptsOf = (files: Files) => Object.keys(files).map(name => ({ scriptId: name, url: urlOf(name) }));

/** A view over an application of these files, whose survivors `head` shows. */
function viewOf(files: Files, head?: V8SamplingNode): OperatorView {
  const data: Partial<Record<EvidenceKind, unknown>> = {
    'collection-growth': { applicationScripts: scriptsOf(files) },
    'heap-sampling': head && { head, bytes: 1000 },
  };
  // biome-ignore lint/correctness/useYield: a reading that needs no tool call here
  async function* ask(kind: EvidenceKind, { scriptId }: { scriptId?: string }): Step<Evidence> {
    const source = scriptId && scriptId in files && { scriptId, url: urlOf(scriptId), text: files[scriptId] };
    const answer = kind === 'source' ? source : data[kind];
    return { id: `${kind}-1`, kind, status: answer ? 'ok' : 'unavailable', data: answer } as Evidence;
  }
  // What looks for places uses no more of the view than this.
  return { ask, target: { cwd: '/srv/app' } } as unknown as OperatorView;
}

async function ended<T>(step: Step<T>): Promise<T> {
  const { value } = await step.next();
  return value as T; // nothing yields here: the first value is the last
}

const spot = (name: string, line = 0) => ({ scriptId: name, url: urlOf(name), line, column: 0 });
const variable = (name: string, file: string): PathStep => ({
  kind: 'variable',
  name,
  scope: 'module',
  seenBy: spot(file),
  function: '',
});
const property = (name: string): PathStep => ({ kind: 'property', name });

function suspect(fault: Suspect['fault'], path: readonly PathStep[], more: Partial<GrowingContainer> = {}): Suspect {
  const row = {
    path: [{ kind: 'root', name: 'server' }, ...path],
    kind: 'Array',
    entry: { type: 'object', text: 'Object {id}', bytes: 500, externalBytes: 0 },
    ...more,
  } as GrowingContainer; // what places need of it
  return { row, holder: holderOf(row), fault, inStep: [] } as unknown as Suspect;
}

const LIBRARY = { scriptId: '9', url: 'file:///srv/app/node_modules/keyv/dist/index.cjs', line: 300, column: 1 };

test('a stream that is written to faster than it passes on is placed at the line that writes', async () => {
  const files = {
    'trail.js': "const trail = new CollectorStream(url);\ntrail.on('error', report);\nmodule.exports = { trail };",
    'index.js':
      "const { trail } = require('./trail');\nfunction visit(body) {\n  trail.write({ kind: 'visit', body });\n}",
  };
  const path = [variable('trail', 'trail.js'), property('_writableState'), property('buffered')];
  const { culprit } = await ended(placeGrowth(viewOf(files), suspect('backpressure', path), scriptsOf(files)));
  expect(culprit).toMatchObject({ file: 'index.js', line: 3, function: 'visit' });
});

test('a listener that a package puts on an emitter of the application is placed where the package was handed it', async () => {
  const files = {
    'store.mjs': 'export class Shared extends EventEmitter {\n  constructor() { super(); }\n}',
    'seasons.mjs':
      "import Keyv from 'keyv';\nconst store = new Shared();\nfunction cacheOf(hive) {\n  return new Keyv({ store });\n}",
  };
  const path = [variable('store', 'seasons.mjs'), property('_events'), property('error')];
  const entry = { type: 'function', text: 'function', bytes: 500, externalBytes: 0, code: LIBRARY } as const;
  const listeners = suspect('memory.leak.listener', path, { entry });
  const { culprit } = await ended(placeGrowth(viewOf(files), listeners, scriptsOf(files)));
  expect(culprit).toMatchObject({ file: 'seasons.mjs', line: 4, function: 'cacheOf', package: 'keyv' });
});

test('what a package keeps in each of many objects is placed where the objects have it made', async () => {
  const files = {
    'pages.js': 'const pages = new Map();\nfunction page(id) { pages.set(id, new Page(id)); }',
    'page.js': 'class Page {\n  #undo;\n  constructor() {\n    this.#undo = new UndoManager();\n  }\n}',
  };
  const inPage: PathStep[] = [{ kind: 'map-value' }, { kind: 'private', name: '#undo' }, property('undoStack')];
  const kept = suspect('memory.leak.collection', [variable('pages', 'pages.js'), ...inPage], {
    ownerCode: { ...LIBRARY, url: 'file:///srv/app/node_modules/yjs/dist/yjs.mjs' },
  });
  const { culprit } = await ended(placeGrowth(viewOf(files), kept, scriptsOf(files)));
  expect(culprit).toMatchObject({ file: 'page.js', line: 4, package: 'yjs' });
});

test('what the elements of a collection share is not bounded by taking elements out of it', async () => {
  const files = {
    'matches.js':
      "const { Server } = require('rooms');\nconst io = new Server();\nconst live = new Map();\nfunction open(id) {\n" +
      '  live.set(id, new Match(io.of(id)));\n  setTimeout(() => live.delete(id), 3000);\n}',
  };
  const path: PathStep[] = [variable('live', 'matches.js'), { kind: 'map-value' }, property('io'), property('spaces')];
  const rooms = (more: Partial<GrowingContainer>) =>
    suspect('memory.leak.collection', path, { kind: 'Map', ownerCode: LIBRARY, ...more });
  const placed = (more: Partial<GrowingContainer>) => ended(placeGrowth(viewOf(files), rooms(more), scriptsOf(files)));
  expect((await placed({})).bounds.expiry).toBeDefined();
  expect((await placed({ alone: true })).bounds).toEqual({});
});

test('an emitter that a framework holds is of the package that made its class', () => {
  const path: PathStep[] = [
    {
      ...variable('container', 'x'),
      seenBy: { ...LIBRARY, url: 'file:///srv/app/node_modules/nest/index.js' },
    } as PathStep,
    property('_events'),
    property('changed'),
  ];
  expect(suspect('memory.leak.listener', path, { ownerCode: LIBRARY }).holder.package).toBe('keyv');
});

test('of calls of a package the one in a function is named, as the top level runs once', async () => {
  const files = {
    'logged.js':
      "const debug = require('keyv');\nconst base = debug('http');\nexports.logged = (req, res, next) => {\n" +
      "  req.log = debug('request:' + req.id);\n  next();\n};",
  };
  const held = suspect('memory.leak.collection', [variable('debug', 'logged.js'), property('instances')], {
    ownerCode: LIBRARY,
  });
  const { culprit } = await ended(placeGrowth(viewOf(files), held, scriptsOf(files)));
  expect(culprit).toMatchObject({ file: 'logged.js', line: 4, package: 'keyv' });
});

test.each([
  ['memoize(compute)', 'prices.js', 3],
  ['createStore(compute)', 'main.js', 2],
])('what %s keeps is placed where it is called as a function at its making', async (making, file, line) => {
  const call = making.startsWith('memoize') ? 'priceOf(line)' : 'priceOf.dispatch(line)';
  const files = {
    'prices.js': `const { memoize, createStore } = require('keyv');\nfunction compute(line) { return { line }; }\nexports.priceOf = ${making};`,
    'main.js': `const { priceOf } = require('./prices');\nfunction basket(lines) { return lines.map(line => ${call}); }`,
    'other.js': "const { memoize } = require('keyv');\nexports.describe = memoize(n => n * 2);",
  };
  const frame = (functionName: string, url: string, scriptId: string, lineNumber = 1) => ({
    ...{ functionName, url, scriptId, lineNumber, columnNumber: 30 },
  });
  const leaf = { callFrame: frame('cached', LIBRARY.url, '9'), selfSize: 900, id: 2, children: [] };
  const head = { callFrame: frame('basket', urlOf('main.js'), 'main.js'), selfSize: 10, id: 1, children: [leaf] };
  const root: PathStep = { kind: 'root', name: 'module /srv/app/prices.js', script: spot('prices.js') };
  const row = { path: [root, property('priceOf'), property('cache')], kind: 'object', ownerCode: LIBRARY };
  const kept = suspect('memory.leak.collection', [], row as Partial<GrowingContainer>);
  const { culprit } = await ended(placeGrowth(viewOf(files, head), kept, scriptsOf(files)));
  expect(culprit).toMatchObject({ file, line, package: 'keyv' });
});

test('listeners of an event for each piece of work are placed where they are registered', async () => {
  const files = {
    'wire.js': 'exports.wire = new EventEmitter();',
    'main.js': "wire.on('error', report);\nfunction start() { wire.once('open', begin); }",
    'desk.js':
      "const { wire } = require('./wire');\nfunction print(job) {\n" +
      "  return new Promise(resolve => wire.once('done:' + job.id, resolve));\n}",
  };
  const path: PathStep[] = [property('wire'), property('_events')];
  const listeners = suspect('memory.leak.listener', path, { kind: 'object' });
  const { culprit } = await ended(placeGrowth(viewOf(files), listeners, scriptsOf(files)));
  expect(culprit).toMatchObject({ file: 'desk.js', line: 3, function: 'new Promise() callback' });
});

test('what survives is placed at the call it comes from, not at the beginning of the function', async () => {
  const files = { 'routes.js': 'function put(body) {\n  const found = look(body);\n  table.update(found);\n}' };
  const frame = (functionName: string, url: string) => ({
    ...{ functionName, url, scriptId: url === LIBRARY.url ? '9' : 'routes.js' },
    ...{ lineNumber: 0, columnNumber: 12 },
  });
  const leaf = { callFrame: frame('Collection.update', LIBRARY.url), selfSize: 900, id: 2, children: [] };
  const head = { callFrame: frame('put', urlOf('routes.js')), selfSize: 10, id: 1, children: [leaf] };
  const path = [property('telescopes'), property('changes')];
  const held = suspect('memory.leak.collection', path, { ownerCode: LIBRARY });
  const { culprit } = await ended(placeGrowth(viewOf(files, head), held, scriptsOf(files)));
  expect(culprit).toMatchObject({ file: 'routes.js', line: 3, function: 'put', package: 'keyv' });
});

const FIELD = `import { Histogram } from 'prom-client';
class Metrics {
  latency = new Histogram({ name: 'seconds' });
  seen(path) {
    this.latency.observe({ path }, 1);
  }
}`;
const CLIENT = "import { Client } from '@graph/client';\nexport const client = new Client({ cache: new Cache() });";

test.each<[string, Record<string, string>, PathStep[], { file: string; line: number; package: string }]>([
  [
    'the field that a package made, not at the variable of its class',
    { 'main.js': 'const metrics = new Metrics();\napp.use(metrics.middleware());', 'metrics.js': FIELD },
    [variable('metrics', 'main.js'), property('latency'), property('hashMap')],
    { file: 'metrics.js', line: 5, package: 'prom-client' },
  ],
  [
    'the client that keeps it, where the application does not know the package that does',
    {
      'client.js': CLIENT,
      'pages.js': "import { client } from './client.js';\nconst page = id =>\n  client.query({ id });",
    },
    [variable('client', 'client.js'), property('cache'), { ...variable('deps', 'x'), seenBy: LIBRARY } as PathStep],
    { file: 'pages.js', line: 3, package: '@graph/client' },
  ],
])('what a package keeps is placed at the call over %s', async (_, files, path, expected) => {
  const kept = suspect('memory.leak.collection', path, { kind: 'Map', ownerCode: LIBRARY });
  const { culprit } = await ended(placeGrowth(viewOf(files), kept, scriptsOf(files)));
  expect(culprit).toMatchObject(expected);
});

test('what a middleware of a package keeps is placed where the package is brought in, not at who answers', async () => {
  const files = {
    'app.js': "const express = require('express');\napp.get('/', (req, res) => {\n  res.json({});\n});",
    'sessions.js': "const session = require('keyv');\nmodule.exports = session({ secret: 'x' });",
  };
  const frame = (url: string, scriptId: string, lineNumber: number) => ({
    ...{ functionName: 'json', url, scriptId, lineNumber, columnNumber: 12 },
  });
  const kept = { callFrame: frame(LIBRARY.url, '9', 1), selfSize: 900, id: 3, children: [] };
  const express = 'file:///srv/app/node_modules/express/lib/response.js';
  const by = { callFrame: frame(express, '8', 1), selfSize: 0, id: 2, children: [kept] };
  const head = { callFrame: frame(urlOf('app.js'), 'app.js', 1), selfSize: 10, id: 1, children: [by] };
  const store = { ...variable('store', 'x'), seenBy: LIBRARY } as PathStep; // a variable of the package's own
  const held = suspect('memory.leak.collection', [store, property('sessions')], { ownerCode: LIBRARY });
  const { culprit } = await ended(placeGrowth(viewOf(files, head), held, scriptsOf(files)));
  expect(culprit).toMatchObject({ file: 'sessions.js', line: 2, package: 'keyv' });
});

test('what cuts the kept pieces from their texts may lie in the function that hands them over', async () => {
  const files = {
    'receipts.js': 'const seen = new Map();\nexports.keep = reference => seen.set(reference, 1);',
    'importer.js': 'function load(text) {\n  const reference = text.slice(4, 20);\n  receipts.keep(reference);\n}',
  };
  const entry = { type: 'number', text: 'number', bytes: 60, externalBytes: 0, key: 'REF-1' } as const;
  const pieces = suspect('memory.leak.collection', [variable('seen', 'receipts.js')], { entry });
  const { cut } = await ended(placeGrowth(viewOf(files), pieces, scriptsOf(files)));
  expect(cut).toBe('const reference = text.slice(4, 20);');
});

test('a function of another file that trims what it is handed bounds it; one that only reads does not', async () => {
  const files = (body: string) => ({
    'moods.js':
      'const moods = new Map();\nfunction add(who, x) {\n  const list = moods.get(who);\n  list.push(x);\n  keepLast(list, 80);\n}',
    'keep.js': `export function keepLast(all, most) {\n  ${body}\n}`,
  });
  const lists = suspect('memory.leak.collection', [variable('moods', 'moods.js'), { kind: 'map-value' }], { kin: 12 });
  const boundsWith = async (body: string) =>
    (await ended(placeGrowth(viewOf(files(body)), lists, scriptsOf(files(body))))).bounds;
  expect(await boundsWith('if (all.length > most) all.splice(0, all.length - most);')).toMatchObject({ removal: {} });
  expect(await boundsWith('if (all.length > most) warn(all.length);')).toEqual({});
});

test.each([
  ['the one server', { 'a.js': 'const s = http.createServer(app);\ns.listen(1);' }, 1],
  [
    'the one that lets connections be half open',
    { 'a.js': 'http.createServer(app);\n', 'b.js': '\n\nnet.createServer({ allowHalfOpen: true }, serve);' },
    3,
  ],
  ['none of two', { 'a.js': 'http.createServer(app);', 'b.js': 'net.createServer(serve);' }, undefined],
])('connections that pile up are placed at %s', async (_, files, line) => {
  const leak = { kind: 'socket', key: 'in tcp 42609' } as HandleSuspect; // what it looks at
  expect((await ended(acceptorOf(viewOf(files as Files), leak)))?.line).toBe(line);
});

test('connections of a pool that a class makes for itself are placed there, where each piece of work makes the class', async () => {
  const supplier = `const { Pool } = require('undici');
class Supplier {
  constructor(origin) {
    this.pool = new Pool(origin);
  }
  async stock(hop) {
    return await this.pool.request({ path: hop });
  }
}`;
  const files = (orders: string) => ({ 'supplier.js': supplier, 'orders.js': orders });
  const frames = [
    { ...LIBRARY, url: 'file:///srv/app/node_modules/undici/lib/connect.js', functionName: 'connect' },
    { ...spot('supplier.js', 6), column: 29, functionName: 'stock' },
    { ...spot('orders.js', 1), functionName: 'place' },
  ];
  const seen = [{ kind: 'socket', type: 'TCPWRAP', count: 9, alive: 9, followed: 9, frames }] as const;
  const leak = { kind: 'socket', key: 'out 10.0.0.1:80' } as HandleSuspect; // what it looks at
  const madeBy = async (orders: string) => (await ended(creatorOf(viewOf(files(orders)), leak, seen)))?.culprit;
  const anew = 'async function place(hop) {\n  const supplier = new Supplier(URL);\n  return supplier.stock(hop);\n}';
  expect(await madeBy(anew)).toMatchObject({ file: 'supplier.js', line: 4, package: 'undici' });
  const once = 'const supplier = new Supplier(URL);\nconst place = hop => supplier.stock(hop);';
  expect(await madeBy(once)).toMatchObject({ file: 'supplier.js', line: 7, function: 'stock' });
});
