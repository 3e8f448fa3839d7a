import { expect, test } from 'vitest';
import { launch } from '../launch.js';
import { world } from './watching.js';

/** `queue` grows by a signal; `bump` and `spin` are what an expression must not do. */
const PROGRAM = `
  globalThis.queue = [];
  globalThis.bumped = 0;
  globalThis.bump = () => ++globalThis.bumped;
  globalThis.spin = () => { for (;;); };
  process.on('SIGUSR2', () => queue.push(1, 2, 3, 4, 5));
  setInterval(() => {}, 1000);
  console.log('ready');
`;

test('a limit on an expression fires; one that would change the program or never end is left alone', async () => {
  await using stage = await world('bakery');
  await using target = await launch(PROGRAM);
  stage.set({ watch: { expressions: { 'my.queue': 'queue.length' }, thresholds: ['my.queue>4 over 1s'] } });
  const own = ['--expression', 'my.bumped=bump()', '--expression', 'my.spin=spin()', '--expression', 'my.count=bumped'];
  const lens = stage.watch('--pid', `${target.pid}`, '--interval', '1s', '--no-investigate', ...own);
  expect((await lens.next('metrics.read')).values).toMatchObject({ 'my.queue': 0, 'my.count': 0 });
  target.child.kill('SIGUSR2');
  const { alert } = await lens.next('alert.fired');
  expect(alert).toMatchObject({ metric: 'my.queue', rule: 'my.queue>4 over 1s', value: 5 });
  expect(await lens.end('SIGINT')).toBe(130);
  const failures = lens.events.filter(event => event.type === 'failure').map(({ message }) => message);
  expect(failures).toContain('my.bumped: would change the program, and is not read any more');
  expect(failures).toContain('my.spin: ran longer than 50 ms and was ended');
  const reads = lens.events.filter(event => event.type === 'metrics.read');
  expect(new Set(reads.flatMap(({ values }) => values['my.count'] ?? []))).toEqual(new Set([0]));
  expect(target.child.exitCode).toBeNull();
});

test('settings change while lens watches: by the file and by SIGHUP; what is wrong changes nothing', async () => {
  await using stage = await world('dairy');
  await using target = await launch(stage.program);
  stage.set({ watch: { thresholds: [] } });
  const lens = stage.watch('--pid', `${target.pid}`, '--interval', '200ms', '--no-investigate');
  await lens.next('metrics.read');
  stage.set({ watch: { thresholds: ['fds.open>1'], interval: '9s', history: '1h' } });
  const { changes, later } = await lens.next('settings.changed');
  expect(changes.map(({ name }) => name).sort()).toEqual(['watch.interval', 'watch.thresholds']);
  expect(later).toEqual(['watch.history']);
  expect((await lens.next('alert.fired')).alert.rule).toBe('fds.open>1');

  stage.set({ watch: { thresholds: ['no.such>1'] } });
  expect((await lens.next('failure')).message).toMatch(/no metric “no\.such”.*What was set before goes on/s);
  lens.child.kill('SIGHUP'); // read again, and told again; it does not end lens
  await lens.next('failure', lens.events.findIndex(({ type }) => type === 'failure') + 1);

  // The rule that fired is gone, and so is what burnt by it.
  stage.set({ watch: { thresholds: [] }, sinks: stage.settings.sinks });
  expect((await lens.next('alert.resolved')).alert.rule).toBe('fds.open>1');
  expect(await lens.end('SIGTERM')).toBe(143);
  expect(stage.hook.requests.length).toBeGreaterThan(0); // the new sink has got the news
});

test('what is behind a port is watched across its restarts', async () => {
  await using stage = await world('kennel');
  const port = 20_000 + (process.pid % 20_000);
  const start = () => launch(stage.program, { execArgv: [`--inspect=127.0.0.1:${port}`] });
  const first = await start();
  const lens = stage.watch('--port', `${port}`, '--interval', '200ms', '--no-investigate');
  expect((await lens.next('target.attached')).target.pid).toBe(first.pid);
  await lens.next('metrics.read');
  await first.kill();
  await lens.next('target.lost');
  await using again = await start();
  expect(await lens.next('target.restarted')).toMatchObject({ previousPid: first.pid, target: { pid: again.pid } });
  await lens.next(
    'metrics.read',
    lens.events.findIndex(({ type }) => type === 'target.restarted'),
  );
  expect(await lens.end('SIGINT')).toBe(130);
});

test('a threshold on an expression that nobody gave is a usage error', async () => {
  await using stage = await world('mill');
  const lens = stage.watch('--all', '--threshold', 'my.queue>1');
  expect(await lens.end('SIGCONT')).toBe(2);
});
