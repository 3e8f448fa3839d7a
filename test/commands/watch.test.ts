import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, test } from 'vitest';
import type { WatchEvent } from '../../src/model/watch-event.js';
import { launch } from '../launch.js';
import { type Receiver, receiver } from '../sinks/receiver.js';

const ROOT = resolve(import.meta.dirname, '..', '..');

/** SIGUSR2 opens three hundred files, and closes them again. */
const PROGRAM = `
  import { closeSync, openSync } from 'node:fs';
  let open = [];
  process.on('SIGUSR2', () => {
    if (open.length > 0) open = open.flatMap(fd => closeSync(fd) ?? []);
    else for (let i = 0; i < 300; i++) open.push(openSync('/dev/null'));
  });
  setInterval(() => {}, 1000);
  console.log('ready');
`;

interface World extends AsyncDisposable {
  readonly program: string;
  readonly hook: Receiver;
  watch(...args: readonly string[]): Watching;
}

interface Watching {
  readonly child: ChildProcess;
  readonly events: WatchEvent[];
  /** The first event from now on, or already there after `from`, that fits. */
  next(type: WatchEvent['type'], from?: number): Promise<WatchEvent>;
  end(signal: NodeJS.Signals): Promise<number | null>;
}

async function world(name: string): Promise<World> {
  const home = mkdtempSync(join(tmpdir(), 'lens-watch-'));
  const program = join(home, `${name}.mjs`);
  writeFileSync(program, PROGRAM);
  const hook = await receiver();
  const limit = { limit: 'fds.open>150', soak: '1ms', cool: '1ms' };
  const settings = { watch: { thresholds: [limit], suppress: '1ms' }, sinks: [{ type: 'webhook', url: hook.url }] };
  mkdirSync(join(home, '.git')); // the repository's root: no settings are looked for above it
  writeFileSync(join(home, 'lens.config.json'), JSON.stringify(settings));
  const children: ChildProcess[] = [];
  return {
    program,
    hook,
    watch(...args) {
      const argv = ['--import', import.meta.resolve('tsx'), join(ROOT, 'src/cli.ts'), 'watch', '--json', ...args];
      const env = { ...process.env, NODE_OPTIONS: '', XDG_STATE_HOME: join(home, 'state'), XDG_CONFIG_HOME: home };
      const child = spawn(process.execPath, argv, { cwd: home, env, stdio: ['ignore', 'pipe', 'inherit'] });
      children.push(child);
      return watching(child);
    },
    async [Symbol.asyncDispose]() {
      for (const child of children) child.kill('SIGKILL');
      await hook[Symbol.asyncDispose]();
      rmSync(home, { recursive: true, force: true });
    },
  };
}

function watching(child: ChildProcess): Watching {
  const events: WatchEvent[] = [];
  const looking = new Set<() => void>();
  const lines = createInterface({ input: child.stdout! }); // piped above
  lines.on('line', line => {
    events.push(JSON.parse(line) as WatchEvent); // one event a line
    for (const look of looking) look();
  });
  const exited = once(child, 'exit');
  return {
    child,
    events,
    next: (type, from = 0) =>
      new Promise(found => {
        const look = () => {
          const event = events.slice(from).find(each => each.type === type);
          if (!event) return;
          looking.delete(look);
          found(event);
        };
        looking.add(look);
        look();
      }),
    async end(signal) {
      child.kill(signal);
      const [code] = await exited;
      return code;
    },
  };
}

const received = ({ requests }: Receiver) =>
  requests
    .filter(({ status }) => status === 200)
    .flatMap(({ body }) => (JSON.parse(body) as { events: WatchEvent[] }).events); // written by the webhook sink
const alerts = (hook: Receiver) => received(hook).filter(({ type }) => type.startsWith('alert.'));

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
