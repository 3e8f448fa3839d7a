import { once } from 'node:events';
import { expect, test } from 'vitest';
import { launch } from '../launch.js';
import { alerts, world } from './watching.js';

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise(done => setTimeout(done, 20));
}

test('through the death of lens, of its receiver and of its target, each alert arrives once and in order', async () => {
  await using stage = await world('depot');
  const args = ['--name', stage.program, '--interval', '300ms', '--no-investigate'];
  const target = await launch(stage.program);
  const first = stage.watch(...args);
  await first.next('metrics.read');
  target.child.kill('SIGUSR2');
  await until(() => alerts(stage.hook).length === 1);
  await first.end('SIGKILL');

  // The trouble still burns: who told it is dead, and it must not be told twice.
  stage.hook.status = 503;
  const second = stage.watch(...args);
  await second.next('metrics.read');
  await second.next('metrics.read', second.events.length);
  target.child.kill('SIGUSR2');
  await second.next('alert.resolved');
  await target.kill();
  await second.next('target.lost');
  await using again = await launch(stage.program);
  const restarted = await second.next('target.restarted');
  expect(restarted).toMatchObject({ previousPid: target.pid, target: { pid: again.pid } });
  await second.next('metrics.read', second.events.indexOf(restarted));
  again.child.kill('SIGUSR2');
  await second.next('alert.fired');
  await second.end('SIGKILL');

  // What the receiver missed is on disk, and comes with the next watch.
  stage.hook.status = 200;
  const third = stage.watch(...args);
  const arrived = () => {
    const known = new Set<string>();
    return alerts(stage.hook).filter(({ watch, seq }) => !known.has(`${watch} ${seq}`) && known.add(`${watch} ${seq}`));
  };
  await until(() => arrived().length >= 3);
  await third.next('metrics.read');
  expect(await third.end('SIGINT')).toBe(130);
  expect(arrived().map(({ type }) => type)).toEqual(['alert.fired', 'alert.resolved', 'alert.fired']);
  expect(again.child.exitCode).toBeNull();
});

test('--until-alert ends with 1 and says why; --for ends with 0', async () => {
  await using stage = await world('kiosk');
  await using target = await launch(stage.program);
  const args = ['--pid', String(target.pid), '--interval', '200ms', '--no-investigate'];
  const patient = stage.watch(...args, '--for', '3s');
  expect((await once(patient.child, 'exit'))[0]).toBe(0);
  expect(patient.events.map(({ seq }) => seq)).toEqual(patient.events.map((_, i) => i));
  target.child.kill('SIGUSR2');
  const alarmed = stage.watch(...args, '--until-alert');
  expect((await once(alarmed.child, 'exit'))[0]).toBe(1);
  expect(alarmed.events.at(-1)).toMatchObject({ type: 'watch.stopped', reason: 'an alert has fired' });
  const fired = alarmed.events.find(event => event.type === 'alert.fired');
  expect(fired).toMatchObject({ alert: { rule: 'fds.open>150', level: 'warning' } });
  expect(fired && 'snapshot' in fired && fired.snapshot['memory.rssBytes']).toBeGreaterThan(1e6);
});
