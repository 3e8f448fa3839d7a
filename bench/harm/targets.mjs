// The programs that lens is let loose on. Each prints `ready PORT`, answers GET / and tells at GET /differences what
// is not as it was at its start.
import { fileURLToPath } from 'node:url';

const here = name => fileURLToPath(new URL(name, import.meta.url));

/** A server that lives, and puts load on itself. */
const SERVER = `
const picture = require(${JSON.stringify(here('picture.cjs'))});
const http = require('node:http');
const serve = (work, load) => {
  const server = http.createServer((q, s) => {
    if (q.url === '/differences') s.end(picture.differences());
    else work(q, s);
  });
  server.listen(0, '127.0.0.1', () => {
    const { port } = server.address();
    const agent = new http.Agent({ keepAlive: true });
    let open = 0;
    setInterval(() => {
      for (; open < load; open++) http.get({ port, agent, path: '/x/' + open }, r => r.resume().on('end', () => open--)).on('error', () => open--);
    }, 5);
    setTimeout(() => { picture.begin(); process.stdout.write('ready ' + port + '\\n'); }, 50);
  });
};`;

const BUSY = `${SERVER}
const kept = new Map();
serve((q, s) => { kept.set(Math.random(), { at: Date.now() }); if (kept.size > 5000) kept.clear(); s.end(JSON.stringify(Array.from({ length: 50 }, (_, id) => ({ id, url: q.url })))); }, 8);`;

const PROMISES = `${SERVER}
const pause = ms => new Promise(r => setTimeout(r, ms));
const step = async n => { await null; if (n > 0) await step(n - 1); };
serve(async (q, s) => { await Promise.all([step(30), pause(5), step(20)]); s.end('ok'); }, 8);
setInterval(() => { for (let i = 0; i < 50; i++) step(10); }, 10);
new Promise(() => {});`;

const EXCEPTIONS = `${SERVER}
process.on('uncaughtException', error => console.log('HANDLED ' + error.message));
process.on('unhandledRejection', error => console.log('REJECTED ' + error.message));
serve((q, s) => { try { JSON.parse('{'); } catch {} try { require('node:fs').readFileSync('/none'); } catch {} s.end('ok'); }, 4);
setInterval(() => { Promise.reject(new Error('planned')); }, 150);
setInterval(() => { setTimeout(() => { throw new Error('planned'); }, 1); }, 400);`;

const SOCKETS = `${SERVER}
const { WebSocketServer, WebSocket } = require(${JSON.stringify(here('../../node_modules/ws/index.js'))});
serve((q, s) => s.end('ok'), 2);
const wss = new WebSocketServer({ port: 0 }, () => {
  for (let i = 0; i < 20; i++) { const c = new WebSocket('ws://127.0.0.1:' + wss.address().port); c.on('open', () => setInterval(() => c.send('x'.repeat(200)), 20)); c.on('message', () => {}); }
});
wss.on('connection', c => c.on('message', m => c.send(m)));`;

const WORKERS = `${SERVER}
const { Worker } = require('node:worker_threads');
const body = "const { parentPort } = require('node:worker_threads'); let n = 0; parentPort.on('message', m => { for (let i = 0; i < 1e5; i++) n += i % 7; parentPort.postMessage(n); });";
const workers = [1, 2, 3].map(() => new Worker(body, { eval: true }));
for (const w of workers) { w.on('message', () => setTimeout(() => w.postMessage(1), 5)); w.postMessage(1); }
setInterval(() => { const w = new Worker('0', { eval: true }); w.on('exit', () => {}); }, 700);
serve((q, s) => s.end('ok'), 3);`;

const LOGGER = `${SERVER}
const fs = require('node:fs');
serve((q, s) => { console.log('LOG request', q.url); console.error('LOG error'); s.end('ok'); }, 3);
setInterval(() => { console.trace('LOG trace'); fs.writeSync(1, 'LOG line\\n'); try { fs.openSync('/none'); } catch (e) { console.log('LOG ' + e.stack.replaceAll('\\n', ' ')); } }, 50);
setInterval(() => { require('node:child_process').execFile('/bin/true', () => {}); fs.open('/dev/null', (e, fd) => fs.close(fd, () => {})); }, 100);`;

const HOSTILE = `${SERVER}
'use strict';
const { traps } = picture;
const trap = what => { if (!fromLens()) return; traps.count++; traps.last = what + ' ' + new Error().stack.split('\\n').filter(l => /lens:/.test(l)).slice(0, 3).join(' | '); };
// Counted when lens is among the callers. V8's inspector itself reads message and name of an error it reports.
const fromLens = () => { const before = Error.prepareStackTrace; Error.stackTraceLimit = 50; Error.prepareStackTrace = (e, s) => s.some(x => String(x.getFileName()).startsWith('lens:')); const is = new Error().stack; Error.prepareStackTrace = before; Error.stackTraceLimit = 10; return is; };
const handler = name => new Proxy({}, { get: (_, t) => function (target, ...rest) { if (t !== 'apply') trap(name + ' proxy ' + t); return Reflect[t](target, ...rest); } });
globalThis.shy = new Proxy({ a: 1 }, handler('global'));
globalThis.shyFunction = new Proxy(function shy() {}, handler('function'));
Object.defineProperty(globalThis, 'bomb', { configurable: true, enumerable: true, get() { trap('global getter'); throw new Error('bomb'); } });
const secret = { get value() { trap('getter'); throw new Error('value'); }, toJSON() { trap('toJSON'); throw 1; }, toString() { trap('toString'); throw 1; }, [Symbol.toPrimitive]() { trap('toPrimitive'); throw 1; }, get [Symbol.toStringTag]() { trap('tag'); throw 1; } };
class Odd extends Error { get name() { trap('name'); return 'Odd'; } get message() { trap('message'); return 'odd'; } }
const kept = [secret, globalThis.shy, Object.create(globalThis.shy), new Map([[secret, globalThis.shy]]), new Set([globalThis.shyFunction]), new Odd(), Proxy.revocable({}, {})];
kept.at(-1).revoke();
const queue = []; class Pool { waiting = kept; max = 3; idle = []; get size() { trap('size'); return 1; } }
const pool = new Pool();
Error.prepareStackTrace = (e, sites) => { if (sites.some(s => String(s.getFileName()).startsWith('lens:'))) trap('prepareStackTrace'); return String(sites[0]); };
try { tdz(); } catch {} function tdz() { return late; }
const requests = new WeakSet();
serve((q, s) => { Object.defineProperty(q, 'weird', { get() { trap('request getter'); } }); process.nextTick(new Proxy(() => s.end('ok' + kept.length + queue.length + pool.max), handler('tick'))); setTimeout(new Proxy(() => {}, handler('timer')), 500); }, 3);
process.on('unhandledRejection', () => {});
setInterval(() => { Promise.reject(new Odd()); Promise.reject(secret); Promise.reject(globalThis.shy); }, 200).unref();
if (Math.random() > 2) { let late = 1; }
setTimeout(() => { const late = () => tdz; later = late; }, 1e6); let later;`;

const PATCHED = `${SERVER}
serve((q, s) => s.end('ok'), 3);
const broken = () => { throw new Error('patched'); };
setTimeout(() => {
  globalThis.setTimeout = globalThis.setInterval = globalThis.setImmediate = globalThis.queueMicrotask = broken;
  globalThis.Promise = class extends Promise {};
  performance.now = () => 0; Date.now = () => 0;
  JSON.parse = broken; Error.captureStackTrace = broken;
  process.removeListener = process.removeListener; 
}, 20);`;

const NEAR_LIMIT = `${SERVER}
const kept = []; for (let i = 0; i < 420000; i++) kept.push({ id: i, name: 'row ' + i, tags: [i] });
let junk; setInterval(() => { junk = Array.from({ length: 20000 }, (_, i) => ({ i })); }, 30);
serve((q, s) => s.end('ok' + kept.length + junk?.length), 2);`;

const BLOCKING = `${SERVER}
serve((q, s) => s.end('ok'), 1);
setInterval(() => { const until = Date.now() + 1500; while (Date.now() < until) Math.sqrt(until); }, 1600);`;

const ESM = `import { createRequire } from 'node:module'; const require = createRequire(${JSON.stringify(import.meta.url)});
${BUSY}
export const top = await Promise.resolve(1); export const fails = () => unset; let unset = top;`;

/** name → source, flags, module kind. `busyOut`: writes lines of its own. */
export const targets = {
  busy: { source: BUSY },
  esm: { source: ESM, esm: true },
  promises: { source: PROMISES },
  exceptions: { source: EXCEPTIONS, execArgv: ['--unhandled-rejections=strict'] },
  sockets: { source: SOCKETS },
  workers: { source: WORKERS },
  logger: { source: LOGGER },
  hostile: { source: HOSTILE },
  patched: { source: PATCHED },
  frozen: { source: BUSY, execArgv: ['--frozen-intrinsics'] },
  inspected: { source: BUSY, execArgv: ['--inspect=127.0.0.1:0'], client: true },
  'near-limit': { source: NEAR_LIMIT, execArgv: ['--max-old-space-size=100'] },
  blocking: { source: BLOCKING },
};
