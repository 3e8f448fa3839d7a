import { expect, test } from 'vitest';
import { hostCollector } from '../../src/collectors/host.js';
import { processCollector } from '../../src/collectors/process.js';
import { diagnosis } from '../../src/commands/doctor.js';
import { listing } from '../../src/commands/ps.js';
import { attach } from '../../src/inspector/attach.js';
import { checkMachine, checkProcess } from '../../src/inspector/check.js';
import { listNodeProcesses } from '../../src/inspector/node-processes.js';
import { launch } from '../launch.js';

const IDLE = `setInterval(() => {}, 1000); console.log('ready')`;
const context = {
  signal: new AbortController().signal,
  now: () => performance.now(),
  sleep: (ms: number) => new Promise<void>(resolve => setTimeout(resolve, ms)),
  exclusively: <T>(work: () => Promise<T>) => work(),
  mayPause: () => true,
};

test('lens ps tells which Node processes may be attached to, and why not the others', async () => {
  await using open = await launch(IDLE, { node: 24 });
  await using shut = await launch(IDLE, { node: 24, execArgv: ['--disable-sigusr1'] });
  const processes = (await listNodeProcesses()).filter(({ pid }) => [open.pid, shut.pid].includes(pid));
  expect(processes).toHaveLength(2);
  expect(processes.find(p => p.pid === open.pid)).toMatchObject({
    mayAttach: true,
    inspector: 'closed',
    version: 'v24.21.0',
  });
  expect(processes.find(p => p.pid === shut.pid)).toMatchObject({
    mayAttach: false,
    whyNot: expect.stringContaining('--disable-sigusr1'),
  });
  const lines = listing(processes, 80).split('\n');
  expect(Math.max(...lines.map(line => line.length))).toBeLessThanOrEqual(80);
  expect(lines.join(' ')).toContain('--disable-sigusr1');
  expect(listing([], 80)).toContain('lens doctor');
});

test('lens doctor names what fails with its next step, within 80 columns', async () => {
  await using shut = await launch(IDLE, { node: 22, execArgv: ['--disable-sigusr1'] });
  const checks = [...(await checkMachine()), ...(await checkProcess(shut.pid))];
  const failed = checks.filter(check => check.state === 'fail');
  expect(failed).toMatchObject([{ what: 'signal', hint: expect.stringContaining('--inspect') }]);
  const lines = diagnosis(checks, 80).split('\n');
  expect(lines.filter(line => line.startsWith('FAIL'))).toHaveLength(1);
  expect(Math.max(...lines.map(line => line.length))).toBeLessThanOrEqual(80);
  const long = `/${'deep/'.repeat(40)}node`;
  const broken = diagnosis([{ what: 'process', state: 'ok', found: `1: ${long} server.js` }], 80);
  expect(Math.max(...broken.split('\n').map(line => line.length))).toBeLessThanOrEqual(80);
  expect(broken.replace(/\s/g, '')).toContain(long);
});

test('lens doctor finds nothing wrong with a process that lens can attach to', async () => {
  await using program = await launch(IDLE);
  expect((await checkProcess(program.pid)).filter(check => check.state !== 'ok')).toEqual([]);
});

test('process and host are read without asking the process', async () => {
  await using program = await launch(
    `const n = require('net'); const s = n.createServer(c => {}).listen(0, () => {
       const c = n.connect(s.address().port, () => { require('fs').openSync('/etc/hostname'); console.log('ready') }) })`,
  );
  const session = await attach({ pid: program.pid });
  const { data } = await processCollector.collect(session, {}, context);
  expect(data.sockets.tcp).toMatchObject({ LISTEN: 2, ESTABLISHED: 3 });
  expect(data.fds.byKind.file).toBe(1);
  expect(data.fds.total).toBeGreaterThan(10);
  expect(data.threads.length).toBeGreaterThan(4);
  const host = (await hostCollector.collect(session, {}, context)).data;
  expect(host.seconds).toBeGreaterThan(1.9);
  expect(host.memory?.availableBytes).toBeGreaterThan(0);
  expect(host.disks[0]?.totalBytes).toBeGreaterThan(0);
  expect(host.mainThread?.ranShare ?? 0).toBeLessThan(0.5);
  await session.detach();
});
