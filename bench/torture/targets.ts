// Programs that check themselves: each keeps one part of Node busy, knows what must come of it, and counts what does
// not. Told 'stop', it lets its work run out and answers with what went wrong and with what is not as it was.
import { fileURLToPath } from 'node:url';

const PICTURE = fileURLToPath(new URL('../harm/picture.cjs', import.meta.url));

/** `unit(f)`: work done over and over until stopped; `f` answers when it is over (a promise or nothing). */
const PRELUDE = `
const picture = require(${JSON.stringify(PICTURE)});
const tally = { done: 0, wrong: 0, open: 0, faults: [] };
const native = { stringify: JSON.stringify, setTimeout, Promise };
const wrong = what => { tally.wrong++; if (tally.faults.length < 10) tally.faults.push(String(what).slice(0, 300)); };
const expect = (right, what) => { tally.done++; if (!right) wrong(what); };
process.on('warning', w => { if (!/ExperimentalWarning|DeprecationWarning/.test(w.name) && w.code !== 'internal/test/binding' && !/internal testing/.test(w.message)) wrong('warning ' + w.name + ' ' + w.message); });
let stopped = false;
const sleep = ms => new native.Promise(wake => native.setTimeout(wake, ms));
const unit = (everyMs, f) => void (async () => {
  while (!stopped) {
    tally.open++;
    try { await f(); } catch (error) { wrong(error && error.stack || error); }
    tally.open--;
    await sleep(everyMs);
  }
})();
const spin = ms => { const until = Date.now() + ms; let n = 0; while (Date.now() < until) n += leaf(n); return n; };
const leaf = n => n % 7;
const resources = () => { const all = {}; for (const type of process.getActiveResourcesInfo()) all[type] = (all[type] || 0) + 1; delete all.Timeout; delete all.Immediate; return all; };
let before, ignored = /^$/;
const begin = () => setTimeout(() => { picture.begin(); before = resources(); process.stdout.write('ready\\n'); }, 50);
const tell = (kind, more) => process.send({ kind, ...tally, heapUsed: process.memoryUsage().heapUsed, ...more });
const ends = [];
process.on('message', async ask => {
  if (ask === 'heap') { for (let i = 0; i < 3; i++) { globalThis.gc(); await sleep(5); } return tell('heap'); }
  stopped = true;
  for (let i = 0; i < 500 && tally.open > 0; i++) await sleep(20);
  for (const end of ends) await end();
  for (let i = 0; i < 3; i++) { globalThis.gc(); await sleep(20); }
  const after = resources();
  const kept = Object.keys(after).filter(type => after[type] > (before[type] || 0)).map(type => type + ' ' + (before[type] || 0) + ' → ' + after[type]);
  tell('end', { kept, differences: native.stringify(JSON.parse(picture.differences()).filter(what => !ignored.test(what))) });
});
`;

const EMITTERS = `
const { EventEmitter } = require('node:events');
const channels = require('node:diagnostics_channel');
const mine = channels.channel('torture.mine'), theirs = channels.channel('http.server.request.start');
for (let i = 0; i < 3; i++) { process.on('uncaughtExceptionMonitor', () => {}); process.on('unhandledRejection', () => {}); }
unit(1, () => {
  const emitter = new EventEmitter(); let seen = 0; emitter.setMaxListeners(0);
  const leaving = () => { seen++; emitter.removeListener('x', leaving); };
  for (let i = 0; i < 5; i++) { emitter.on('x', () => seen++); emitter.once('x', () => seen++); emitter.on('x', leaving); }
  emitter.emit('x'); emitter.emit('x');
  expect(seen === 5 * 3 + 5 + 0, 'emitted ' + seen);
  let got = 0; const take = () => got++, leave = () => { got++; mine.unsubscribe(leave); };
  mine.subscribe(take); for (let i = 0; i < 50; i++) { mine.publish(1); leaf(i); } mine.unsubscribe(take);
  expect(got === 50 && !mine.hasSubscribers, 'published ' + got);
  for (let i = 0; i < 200; i++) if (theirs.hasSubscribers) theirs.publish({ request: { method: 'GET', url: '/', headers: {}, socket: {} }, response: {}, socket: {}, server: {} });
  for (let i = 0; i < 100; i++) process.emit('uncaughtExceptionMonitor', new Error('x'), 'x');
});
begin();`;

const TIMERS = `
const { setTimeout: later } = require('node:timers/promises');
unit(1, async () => {
  let fired = 0, cleared = 0; const began = performance.now(); const order = [];
  const waits = Array.from({ length: 40 }, (_, i) => new Promise(done => { const ms = 1 + (i * 7) % 23; const t = setTimeout(() => { fired++; if (performance.now() - began < ms - 1.5) wrong('early ' + ms); done(); }, ms); if (i % 5 === 0) t.refresh(); }));
  for (let i = 0; i < 40; i++) { const t = setTimeout(() => cleared++, 2 + i % 9); if (i % 2) clearTimeout(t); else queueMicrotask(() => clearTimeout(t)); }
  const ticks = []; for (let i = 0; i < 2500; i++) process.nextTick(() => ticks.push(i));
  const immediates = new Promise(done => { for (let i = 0; i < 60; i++) setImmediate(() => { order.push(i); if (i === 59) done(); }); });
  const gone = setImmediate(() => wrong('a cleared immediate ran')); clearImmediate(gone);
  let beats = 0; await new Promise(done => { const t = setInterval(() => { if (++beats === 3) { clearInterval(t); done(); } }, 2); });
  await Promise.all([...waits, immediates, later(3)]);
  await later(15);
  expect(fired === 40 && cleared === 0, 'fired ' + fired + ' cleared ' + cleared);
  expect(ticks.length === 2500 && ticks.every((n, i) => n === i), 'ticks ' + ticks.length);
  expect(order.length === 60 && order.every((n, i) => n === i), 'immediates ' + order.length);
});
unit(7, () => { spin(4); });
begin();`;

const CONTEXTS = `
const { AsyncLocalStorage, AsyncResource, createHook, executionAsyncId } = require('node:async_hooks');
const store = new AsyncLocalStorage(), other = new AsyncLocalStorage(); let n = 0;
const check = (id, where) => expect(store.getStore() === id, 'store lost in ' + where);
unit(1, () => { const id = ++n; return store.run(id, async () => {
  await null; check(id, 'await');
  await Promise.all([1, 2, 3].map(async () => { await sleep(1); check(id, 'all'); await new Promise(r => setImmediate(r)); check(id, 'immediate'); }));
  await other.run(id, () => new Promise(r => process.nextTick(() => { check(id, 'tick'); r(); })));
  await new Promise(r => new AsyncResource('T').runInAsyncScope(() => queueMicrotask(() => { check(id, 'microtask'); r(); })));
  check(id, 'end');
}); });
setTimeout(() => unit(9, async () => {
  const stack = []; let inits = 0, lost = 0;
  const hook = createHook({ init() { inits++; }, before(id) { stack.push(id); }, after(id) { const top = stack.pop(); if (top !== undefined && top !== id) lost++; } }).enable();
  for (let i = 0; i < 30; i++) { await null; leaf(i); if (i % 10 === 0) await sleep(1); }
  hook.disable();
  expect(inits >= 30 && lost === 0, 'hook ' + inits + ' ' + lost);
}), 500);
unit(11, () => { spin(3); expect(executionAsyncId() >= 0, 'id'); });
begin();`;

const REGEXPS = `
const slow = /^(\\p{L}+\\s?)+\\d*$/u; let n = 0;
unit(3, () => expect(slow.test('anna ' + 'e'.repeat(17) + '!') === false, 'backtracking'));
unit(1, () => {
  for (let i = 0; i < 300; i++) { const id = ++n; const m = /^(\\w+?)-(\\d+)(?:\\.(\\d*))?$/.exec('order-' + id + '.5'); leaf(i);
    if (i % 50 === 0) console.log('INFO: request ' + id + ' at 10:22 took "12" ms');
    if (!m || m[2] !== String(id) || RegExp.$2 !== String(id)) wrong('match ' + (m && m[2]) + ' ' + RegExp.$2 + ' of ' + id); }
  const text = 'a1b22c333'.repeat(200); let seen = 0;
  text.replace(/[a-c](\\d+)/g, (all, digits) => { seen++; leaf(seen); return digits; });
  expect(seen === 600, 'replaced ' + seen);
});
begin();`;

const STREAMS = `
const zlib = require('node:zlib'), { pipeline } = require('node:stream/promises'), { Readable } = require('node:stream');
const fs = require('node:fs'), path = require('node:path'), crypto = require('node:crypto'), os = require('node:os');
const sum = data => crypto.createHash('sha1').update(data).digest('hex');
const home = fs.mkdtempSync(path.join(os.tmpdir(), 'torture-')); ends.push(() => fs.rmSync(home, { recursive: true }));
let n = 0;
for (let lane = 0; lane < 3; lane++) unit(1, async () => {
  const id = ++n, data = Buffer.from(('row ' + id + ' ').repeat(6000)), out = [];
  await pipeline(Readable.from((function* () { for (let i = 0; i < data.length; i += 7000) yield data.subarray(i, i + 7000); })()), zlib.createGzip(), zlib.createGunzip(), async function* (source) { for await (const chunk of source) out.push(chunk); });
  expect(sum(Buffer.concat(out)) === sum(data), 'gzip');
  const file = path.join(home, 'f' + id);
  await fs.promises.writeFile(file, data); const back = await fs.promises.readFile(file);
  const fd = fs.openSync(file); const head = Buffer.alloc(64); fs.readSync(fd, head); fs.closeSync(fd);
  await new Promise((done, fail) => fs.open(file, (e, d) => e ? fail(e) : fs.close(d, done)));
  const handle = await fs.promises.open(file); await handle.close(); fs.rmSync(file);
  expect(back.equals(data) && head.equals(data.subarray(0, 64)), 'file');
  await new Promise(done => crypto.pbkdf2('a', 'b', 200, 32, 'sha1', done));
});
begin();`;

const WORKERS = `
const { Worker } = require('node:worker_threads'); let n = 0;
const body = "const { parentPort } = require('node:worker_threads'); parentPort.on('message', n => { let sum = 0; for (let i = 0; i < 30000; i++) sum += i % n; const m = /^(a+)+$/.test('a'.repeat(14) + 'b'); parentPort.postMessage([n, sum, m]); });";
const sumOf = n => { let sum = 0; for (let i = 0; i < 30000; i++) sum += i % n; return sum; };
const ask = (worker, n) => new Promise((done, fail) => { worker.once('message', ([id, sum]) => done(id === n && sum === sumOf(n))); worker.once('error', fail); worker.postMessage(n); }).finally(() => worker.removeAllListeners('error'));
const steady = [0, 1].map(() => new Worker(body, { eval: true })); ends.push(() => Promise.all(steady.map(w => w.terminate())));
for (const worker of steady) unit(2, async () => expect(await ask(worker, 2 + ++n % 50), 'steady worker'));
unit(60, async () => { const worker = new Worker(body, { eval: true }); for (let i = 0; i < n % 3; i++) expect(await ask(worker, 2 + ++n % 50), 'new worker'); await worker.terminate(); });
unit(45, () => new Promise((done, fail) => { const worker = new Worker("require('node:worker_threads').parentPort.postMessage(7)", { eval: true }); let got; worker.on('message', m => { got = m; }).on('error', fail).on('exit', code => { expect(got === 7 && code === 0, 'short worker ' + got + ' ' + code); done(); }); }));
setTimeout(begin, 300);`;

/** Most of the time there is hardly any stack left: where lens is served in the midst of it, nothing may overflow into the program. */
const DEEP = `
let deepest = 0;
function down(n) { try { return down(n + 1); } catch (error) { if (!(error instanceof RangeError)) wrong(error); deepest = n; at(); return n; } }
let at = () => {};
function bottom(n, stop) { return n === 0 ? stop() : bottom(n - 1, stop); }
const measure = () => { let most = 0; (function go(n) { most = n; go(n + 1); }).call; const go = n => { most = n; bottom(n, leaf); }; try { for (let n = 100; ; n += 50) go(n); } catch {} return most; };
unit(2, () => { const most = measure(); for (const less of [20, 60, 120, 250, 600]) { let caught = 0; try { bottom(most - less, () => { const until = Date.now() + 3; let n = 0; while (Date.now() < until) n += leaf(n); return n; }); } catch (error) { if (error instanceof RangeError) caught++; else wrong(error); } tally.done++; } });
unit(3, () => { let overflow; try { (function f(n) { return f(n + 1) + 1; })(0); } catch (error) { overflow = error; } expect(overflow instanceof RangeError && overflow.message === 'Maximum call stack size exceeded', 'overflow ' + overflow); });
unit(25, async () => { const walk = async n => { await walk(n + 1); }; let overflow; try { await walk(0); } catch (error) { overflow = error; } expect(overflow instanceof RangeError, 'async overflow ' + overflow); });
begin();`;

const THROWS = `
let prepared = 0;
Error.prepareStackTrace = (error, sites) => { prepared++; if (sites.some(s => /^lens:/.test(String(s.getFileName())))) wrong('lens among the sites'); return 'P ' + error.message + ' ' + sites.length + ' ' + sites[0].getFunctionName(); };
let limit = 7; Error.stackTraceLimit = limit;
const fail = n => { throw new Error('planned ' + n); };
const nest = (n, f) => n === 0 ? f() : nest(n - 1, f);
unit(2, () => { for (let i = 0; i < 40; i++) try { nest(9, () => fail(i)); } catch (error) { const before = prepared; expect(error.stack === 'P planned ' + i + ' 7 fail' && prepared > before && Error.stackTraceLimit === limit, 'stack ' + String(error.stack) + ' limit ' + Error.stackTraceLimit); } });
let rejected = 0; process.on('unhandledRejection', () => { rejected++; });
unit(5, async () => { const before = rejected; Promise.reject(new Error('unhandled')); await sleep(1); expect(rejected === before + 1, 'rejections ' + (rejected - before)); });
unit(4, async () => { try { await (async () => { await null; fail('async'); })(); wrong('no throw'); } catch (error) { expect(error.message === 'planned async', error.message); } });
begin();`;

const REALMS = `
const vm = require('node:vm'), { execFile } = require('node:child_process'), domain = require('node:domain'), { builtinModules } = require('node:module');
ignored = /console._std|listeners of warning|undici|global /;
const lazy = builtinModules.filter(name => !/^(_|internal|sys|punycode|wasi|sqlite|test|inspector|trace_events|domain|repl|node:)/.test(name)); let n = 0;
unit(20, () => { const context = vm.createContext({ n: ++n, out: [] }); vm.runInContext('for (let i = 0; i < 2000; i++) out.push(/(\\\\d+)/.exec("a" + i)[1] * n)', context); expect(context.out.length === 2000 && context.out[7] === 7 * n, 'realm'); });
unit(30, () => { const name = lazy.shift(); if (name) expect(require(name) === require('node:' + name), 'require ' + name); });
unit(15, () => new Promise(done => { const d = domain.create(); let caught; d.on('error', error => { caught = error.message; expect(caught === 'd', 'domain'); d.exit(); done(); }); d.run(() => setTimeout(() => { throw new Error('d'); }, 1)); }));
unit(40, () => new Promise(done => execFile('/bin/echo', ['hi'], (error, out) => { expect(!error && out === 'hi\\n', 'child'); done(); })));
unit(8, () => { spin(4); });
begin();`;

/** A program that profiles itself all the time, as continuous profilers do. */
const PROFILED = `
const inspector = require('node:inspector'); const session = new inspector.Session(); session.connect();
const post = (method, params) => new Promise((done, fail) => session.post(method, params, (error, result) => error ? fail(new Error(method + ' ' + JSON.stringify(error) + error.message)) : done(result)));
let kept = [];
ends.push(async () => { await post('HeapProfiler.stopSampling').catch(e => wrong(e.message)); session.disconnect(); });
(async () => {
  await post('Profiler.enable'); await post('HeapProfiler.startSampling', { samplingInterval: 4096 });
  unit(30, async () => { await post('Profiler.start'); for (let i = 0; i < 5; i++) { spin(3); await sleep(2); } const { profile } = await post('Profiler.stop'); expect(profile.nodes.length > 1, 'own profile'); });
  unit(40, async () => { kept = Array.from({ length: 3000 }, (_, i) => ({ i })); spin(4); const { profile } = await post('HeapProfiler.getSamplingProfile'); const sum = n => n.selfSize + n.children.reduce((s, c) => s + sum(c), 0); expect(sum(profile.head) > 0, 'own heap sampling'); });
  begin();
})();`;

/** A server that is asked by the harness; every answer tells what it answers. */
const HTTP = `
const http = require('node:http'), crypto = require('node:crypto');
const sum = text => crypto.createHash('sha1').update(text).digest('hex');
const agent = new http.Agent({ keepAlive: true });
const inner = http.createServer((q, s) => s.end('inner ' + q.url)).listen(0, '127.0.0.1');
const server = http.createServer(async (q, s) => {
  let body = ''; for await (const chunk of q) body += chunk;
  const n = Number(q.url.slice(1));
  if (n % 3 === 0) await sleep(n % 7);
  if (n % 5 === 0) body += await new Promise((done, fail) => http.get({ agent, port: inner.address().port, path: q.url }, r => { let t = ''; r.on('data', d => { t += d; }).on('end', () => done(t)); }).on('error', fail));
  spin(n % 4 === 0 ? 1 : 0); tally.done++;
  s.setHeader('content-type', 'application/json'); s.end(JSON.stringify({ n, sum: sum(body), rows: Array.from({ length: 60 }, (_, id) => ({ id })) }));
});
server.listen(0, '127.0.0.1', () => { process.send({ kind: 'port', port: server.address().port }); begin(); });
ends.push(() => new Promise(done => { agent.destroy(); server.closeAllConnections(); inner.closeAllConnections(); server.close(() => inner.close(done)); }));`;

export interface TortureTarget {
  readonly source: string;
  readonly execArgv?: readonly string[];
  /** What V8 or Node itself does not survive there; see `StormOptions.without`. */
  readonly without?: readonly string[];
}

const program = (body: string): string => `${PRELUDE}${body}`;

export const tortureTargets: Readonly<Record<string, TortureTarget>> = {
  emitters: { source: program(EMITTERS) },
  timers: { source: program(TIMERS) },
  contexts: { source: program(CONTEXTS) },
  regexps: { source: program(REGEXPS) },
  streams: { source: program(STREAMS) },
  workers: { source: program(WORKERS) },
  // Opened from the start: Node's own answer to SIGUSR1 runs JavaScript at once, and overflows into the program.
  // V8 aborts where it stops at an overflow that it met while compiling a function.
  deep: { source: program(DEEP), execArgv: ['--inspect=127.0.0.1:0'], without: ['throws', 'breakpoints'] },
  throws: { source: program(THROWS) },
  realms: { source: program(REALMS) },
  profiled: { source: program(PROFILED) },
  http: { source: program(HTTP) },
  jitless: { source: program(CONTEXTS), execArgv: ['--jitless'] },
  unoptimized: { source: program(TIMERS), execArgv: ['--no-opt'] },
  shallow: {
    source: program(DEEP),
    execArgv: ['--stack-size=200', '--inspect=127.0.0.1:0'],
    without: ['throws', 'breakpoints'],
  },
  frozen: { source: program(EMITTERS), execArgv: ['--frozen-intrinsics'] },
  'no-proto': { source: program(STREAMS), execArgv: ['--disable-proto=throw'] },
  small: { source: program(HTTP), execArgv: ['--max-old-space-size=32'] },
};
