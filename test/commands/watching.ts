import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import type { WatchEvent } from '../../src/model/watch-event.js';
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

export interface World extends AsyncDisposable {
  readonly home: string;
  readonly program: string;
  readonly hook: Receiver;
  readonly settings: { readonly watch: object; readonly sinks: readonly object[] };
  /** Writes lens.config.json. */
  set(settings: object): void;
  watch(...args: readonly string[]): Watching;
}

export interface Watching {
  readonly child: ChildProcess;
  readonly events: WatchEvent[];
  /** The first event from now on, or already there after `from`, that fits. */
  next<T extends WatchEvent['type']>(type: T, from?: number): Promise<Extract<WatchEvent, { readonly type: T }>>;
  end(signal: NodeJS.Signals): Promise<number | null>;
}

/** A home with a program, a webhook's receiver, and lenses that watch from there. */
export async function world(name: string): Promise<World> {
  const home = mkdtempSync(join(tmpdir(), 'lens-watch-'));
  const program = join(home, `${name}.mjs`);
  writeFileSync(program, PROGRAM);
  const hook = await receiver();
  const limit = { limit: 'fds.open>150', soak: '1ms', cool: '1ms' };
  const settings = { watch: { thresholds: [limit], suppress: '1ms' }, sinks: [{ type: 'webhook', url: hook.url }] };
  mkdirSync(join(home, '.git')); // the repository's root: no settings are looked for above it
  const set = (changed: object) => {
    writeFileSync(join(home, 'next.json'), JSON.stringify(changed));
    renameSync(join(home, 'next.json'), join(home, 'lens.config.json')); // never seen half written
  };
  set(settings);
  const children: ChildProcess[] = [];
  return {
    home,
    program,
    hook,
    settings,
    set,
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
          found(event as never); // of the type that was asked for
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

/** Everything the receiver has taken. */
export const received = ({ requests }: Receiver) =>
  requests
    .filter(({ status }) => status === 200)
    .flatMap(({ body }) => (JSON.parse(body) as { events: WatchEvent[] }).events); // written by the webhook sink
export const alerts = (hook: Receiver) => received(hook).filter(({ type }) => type.startsWith('alert.'));
