import { link, mkdir, readdir, readFile, rm, stat as statFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { readCommand } from './proc/children.js';
import { readStat } from './proc/thread.js';
import { locked } from './refusals.js';

interface Holder {
  readonly pid: number;
  readonly startTicks: number;
  readonly command: string;
}

/** One lens at a time looks at a process. Returns what gives the lock back. Throws LensError `target-locked`. */
export async function lockTarget(pid: number): Promise<() => Promise<void>> {
  const path = await lockFile(pid, 'lock');
  if (path === undefined) return async () => {}; // no place to write, or no /proc: lens works all the same
  await sweep(dirname(path));
  const me = await identify(process.pid);
  for (let attempt = 0; attempt < 3; attempt++) {
    if (await claim(path, me)) return () => rm(path, { force: true });
    const holder = await readHolder(path);
    if (holder && (await isAlive(holder))) throw locked(pid, holder);
    await rm(path, { force: true });
  }
  return async () => {};
}

/** The lens that holds the lock of a process now, if any. */
export async function lockHolder(pid: number): Promise<Holder | undefined> {
  const path = await lockFile(pid, 'lock');
  const holder = path === undefined ? undefined : await readHolder(path);
  return holder && (await isAlive(holder)) ? holder : undefined;
}

/** True when a lens looked at the process and is gone without giving the lock back: its lease is running out. */
export async function wasLeftByLens(pid: number): Promise<boolean> {
  const path = await lockFile(pid, 'lock');
  return path !== undefined && (await readHolder(path)) !== undefined && (await lockHolder(pid)) === undefined;
}

/** Remembers that a signal of lens is pending: whoever attaches next owns the inspector that it opens. */
export async function rememberSignal(pid: number): Promise<void> {
  const path = await lockFile(pid, 'signalled');
  if (path !== undefined) await writeFile(path, '').catch(() => {}); // only a convenience of the next run
}

/** True once when a signal of an earlier lens opened this process' inspector. */
export async function takeRememberedSignal(pid: number): Promise<boolean> {
  const path = await lockFile(pid, 'signalled');
  if (path === undefined) return false;
  return rm(path).then(
    () => true,
    () => false,
  );
}

/** Takes away what belongs to processes that are no more. */
async function sweep(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    const [, pid, startTicks] = /^(\d+)-(\d+)\./.exec(name) ?? [];
    if (pid === undefined || (await readStat(Number(pid)))?.startTicks === Number(startTicks)) continue;
    await rm(join(folder, name), { force: true });
  }
}

/** Written aside and linked into place: nobody ever reads half a lock. */
async function claim(path: string, me: Holder): Promise<boolean> {
  const draft = `${path}.${me.pid}.${performance.now()}`;
  try {
    await writeFile(draft, JSON.stringify(me), { mode: 0o600 });
    await link(draft, path);
    return true;
  } catch {
    return false;
  } finally {
    await rm(draft, { force: true });
  }
}

/** The start time makes the name good for this process only, not for a later one with its pid. */
async function lockFile(pid: number, suffix: string): Promise<string | undefined> {
  const folder = await lockFolder();
  const stat = await readStat(pid);
  return folder === undefined || !stat ? undefined : join(folder, `${pid}-${stat.startTicks}.${suffix}`);
}

async function lockFolder(): Promise<string | undefined> {
  const folder = process.env.XDG_RUNTIME_DIR
    ? join(process.env.XDG_RUNTIME_DIR, 'lens')
    : join(tmpdir(), `lens-${process.getuid?.() ?? 'user'}`);
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    // In a shared /tmp somebody else may have been there first.
    return (await statFile(folder)).uid === process.getuid?.() ? folder : undefined;
  } catch {
    return undefined;
  }
}

async function identify(pid: number): Promise<Holder> {
  const [stat, command] = await Promise.all([readStat(pid), readCommand(pid)]);
  return { pid, startTicks: stat?.startTicks ?? 0, command };
}

async function readHolder(path: string): Promise<Holder | undefined> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as Holder;
  } catch {
    return undefined;
  }
}

async function isAlive(holder: Holder): Promise<boolean> {
  const stat = await readStat(holder.pid);
  return stat?.startTicks === holder.startTicks && stat.state !== 'Z';
}
