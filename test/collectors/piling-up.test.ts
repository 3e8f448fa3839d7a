import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { exceptionsCollector } from '../../src/collectors/exceptions.js';
import { handlesCollector } from '../../src/collectors/handles.js';
import { logsCollector } from '../../src/collectors/logs.js';
import { readVitalsOnce, vitalsCollector } from '../../src/collectors/vitals.js';
import { workersCollector } from '../../src/collectors/workers.js';
import { attach } from '../../src/inspector/attach.js';
import type { Session } from '../../src/inspector/session.js';
import type { Exceptions } from '../../src/model/evidence/exceptions.js';
import type { Creator, Handles } from '../../src/model/evidence/handles.js';
import type { Logs } from '../../src/model/evidence/logs.js';
import type { Vitals } from '../../src/model/evidence/vitals.js';
import type { Workers } from '../../src/model/evidence/workers.js';
import { suspectsIn } from '../../src/skills/handles-growth.js';
import { context } from '../collect-context.js';
import { type Launched, launch } from '../launch.js';

/** Opens one of everything every 100 ms and closes none; logs, throws and crashes beside it. */
const PROGRAM = `
const net = require('node:net'), fs = require('node:fs'), http = require('node:http'), child = require('node:child_process');
const kept = [];
const methods = () => [fs.write, fs.writeSync, fs.open, fs.openSync, fs.close, fs.closeSync, console.log, console.error, child.ChildProcess.prototype.spawn];
const originals = methods();
const server = net.createServer(socket => socket.on('error', () => {})).listen(0, '127.0.0.1');
function startInterval() { kept.push(setInterval(function beat() { kept.length; }, 7777)); }
function connect() { kept.push(net.connect(server.address().port, '127.0.0.1').on('error', () => {})); }
function openStream() { kept.push(fs.createReadStream(__filename)); }
async function openHandle() { kept.push(await fs.promises.open(__filename)); }
function openNow() { kept.push(fs.openSync(__filename)); }
function watchIt() { kept.push(fs.watch(__dirname)); }
function crash() { child.spawn(process.execPath, ['-e', 'process.exit(3)', 'job.js'], { stdio: 'ignore', env: {} }); }
class PaymentError extends Error {}
function charge(id) { throw new PaymentError('no funds for ' + id); }
function pay(id) { try { charge(id); } catch {} }
async function audit(id) { throw new TypeError('audit ' + id); }
process.on('unhandledRejection', () => {});
let id = 0;
setInterval(() => {
  startInterval(); connect(); openStream(); openHandle(); openNow(); watchIt();
  pay(++id); audit(id);
  console.error('payment ' + id + ' failed');
}, 100);
setInterval(crash, 1500);
process.on('SIGHUP', () => console.log('hooks ' + JSON.stringify({
  write: Object.hasOwn(process.stdout, 'write'),
  methods: methods().map((method, i) => method === originals[i]),
  emit: Object.hasOwn(child.ChildProcess.prototype, 'emit'),
  monitors: process.listenerCount('uncaughtExceptionMonitor') + process.listenerCount('worker'),
  rejections: process.listenerCount('unhandledRejection'),
  globals: Object.getOwnPropertySymbols(globalThis).map(String).filter(name => name.includes('lens')),
})));
console.log('ready');
`;

const lineOf = (text: string) => PROGRAM.split('\n').findIndex(line => line.includes(text));

describe.each([18, 26] as const)('on Node %i', node => {
  const folder = mkdtempSync(join(tmpdir(), 'lens-piling-'));
  let target: Launched;
  let session: Session;
  let vitals: Vitals;
  let short: Vitals;
  let handles: Handles;
  let logs: Logs;
  let exceptions: Exceptions;
  let workers: Workers;

  beforeAll(async () => {
    const file = join(folder, 'piling.cjs');
    writeFileSync(file, PROGRAM);
    target = await launch(file, { node });
    session = await attach({ pid: target.pid });
    const kinds = ['timer', 'socket', 'watcher', 'file'] as const;
    [vitals, short, handles, logs, exceptions, workers] = await Promise.all([
      vitalsCollector.collect(session, { seconds: 4 }, context).then(({ data }) => data),
      vitalsCollector.collect(session, { seconds: 2 }, context).then(({ data }) => data),
      handlesCollector
        .collect(session, { seconds: 4, creators: kinds, timerMs: [7777] }, context)
        .then(({ data }) => data),
      logsCollector.collect(session, { seconds: 4, places: true }, context).then(({ data }) => data),
      exceptionsCollector.collect(session, { seconds: 4, caught: true }, context).then(({ data }) => data),
      workersCollector.collect(session, { seconds: 4 }, context).then(({ data }) => data),
    ]);
  }, 40_000);

  afterAll(async () => {
    await session?.detach();
    await target?.kill();
    rmSync(folder, { recursive: true });
  });

  const creatorOf = (kind: Creator['kind'], type: string) =>
    handles.creators?.find(creator => creator.kind === kind && creator.type === type && creator.frames.length > 0);

  test('windows of two askers do not disturb each other', () => {
    expect(vitals.seconds).toBeGreaterThan(3.9);
    expect(short.seconds).toBeGreaterThan(1.9);
    expect(short.seconds).toBeLessThan(3.9);
    expect(vitals.loopDelay.count).toBeGreaterThan(short.loopDelay.count);
    expect(vitals.samples.at(-1)?.rssBytes).toBeGreaterThan(10_000_000);
  });

  test('the first line of output needs one call', async () => {
    const sample = await readVitalsOnce(session);
    expect(sample.heapLimitBytes).toBeGreaterThan(sample.heapUsedBytes);
  });

  test('intervals are counted by callback, and the line that starts them is found', () => {
    const group = handles.timers.find(({ ms }) => ms === 7777);
    expect(group).toMatchObject({ repeat: true, name: 'beat' });
    expect((group?.counts.at(-1) ?? 0) - (group?.counts[0] ?? 0)).toBeGreaterThan(15);
    expect(creatorOf('timer', 'Timeout')?.frames[0]).toMatchObject({
      functionName: 'startInterval',
      line: lineOf('function startInterval'),
    });
  });

  test.each([
    ['socket', 'TCPWRAP', 'connect'],
    ['watcher', 'FSEVENTWRAP', 'watchIt'],
    ['file', 'FILEHANDLE', 'openHandle'],
  ] as const)('a %s (%s) that stays open leads to %s', (kind, type, name) => {
    const creator = creatorOf(kind, type);
    expect(creator?.frames[0]).toMatchObject({ functionName: name, line: lineOf(`function ${name}(`) });
    expect(creator?.alive).toBeGreaterThan(10);
    expect(creator?.frames[0]?.scriptId).not.toBe('');
  });

  test('descriptors opened by streams and by openSync lead to their lines too', () => {
    const names = handles.creators?.filter(({ type }) => type === 'fd').map(({ frames }) => frames[0]?.functionName);
    expect(names).toEqual(expect.arrayContaining(['openStream', 'openNow']));
  });

  test('what only grows is suspected, each with its class', () => {
    const classes = new Set(suspectsIn(handles).map(({ faultClass }) => faultClass));
    expect(classes).toContain('handles.leak.fd');
    expect(classes).toContain('handles.leak.socket');
    expect(classes).toContain('handles.leak.watcher');
  });

  test('log lines have level, template and writer', () => {
    const group = logs.groups.find(({ template }) => template === 'payment <n> failed');
    expect(group).toMatchObject({ level: 'error', via: 'console' });
    expect(group?.count).toBeGreaterThan(20);
    expect(group?.frames[0]).toMatchObject({ line: lineOf('console.error(') });
    expect(logs.recent[0]?.message).toMatch(/^payment \d+ failed$/);
  });

  test('a caught exception is sampled at its throw, and its rate is counted', () => {
    const site = exceptions.caught?.sites.find(({ type }) => type === 'PaymentError');
    expect(site).toMatchObject({ rejection: false, uncaught: false, message: 'no funds for <n>' });
    expect(site?.frames[0]).toMatchObject({ functionName: 'charge', line: lineOf('function charge') });
    expect(site?.perSecond).toBeGreaterThan(3);
    expect(site?.perSecond).toBeLessThan(13);
  });

  test('unhandled rejections are counted where the program listens for them itself', () => {
    expect(exceptions.rejections.listening).toBe(true);
    expect(exceptions.rejections.count).toBeGreaterThan(10);
    expect(exceptions.rejections.sites[0]).toMatchObject({ type: 'TypeError' });
    expect(exceptions.rejections.sites[0]?.frames[0]).toMatchObject({ functionName: 'audit' });
  });

  test('a child that ends with an error has its code and the line that starts it', () => {
    const line = workers.offspring.find(({ name }) => name.includes('job.js'));
    expect(line?.endings[0]).toMatchObject({ code: 3 });
    expect(line?.frames[0]).toMatchObject({ functionName: 'crash' });
  });

  test('nothing of it stays in the target', async () => {
    await session.detach();
    target.child.kill('SIGHUP');
    const state = JSON.parse((await target.line('hooks ')).slice('hooks '.length));
    expect(state).toMatchObject({
      write: false,
      emit: false,
      monitors: 0,
      rejections: 1,
      globals: [],
    });
    expect(state.methods).not.toContain(false);
    expect(target.stderr()).not.toMatch(/Warning/);
  });
});
