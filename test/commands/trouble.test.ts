import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from 'vitest';
import { listeningSockets } from '../../src/inspector/proc/sockets.js';
import { type Launched, launch } from '../launch.js';

const LENS = fileURLToPath(new URL('../../bin/lens.js', import.meta.url));
const IDLE = `setInterval(() => {}, 1000); console.log('ready');`;

const home = mkdtempSync(join(tmpdir(), 'lens-trouble-'));
afterAll(() => rmSync(home, { recursive: true, force: true }));

interface Command {
  readonly child: ChildProcess;
  readonly ended: Promise<{ code: number; stdout: string; stderr: string }>;
  /** Resolves once stderr says it. */
  says(text: string): Promise<void>;
}

let commands = 0;

/** `lens run` on a target, in a state directory of its own. */
function lens(target: Launched, args: readonly string[] = [], env: NodeJS.ProcessEnv = {}): Command {
  const child = spawn(
    process.execPath,
    [LENS, 'run', '--pid', String(target.pid), '--no-llm', '--skills', 'runtime', ...args],
    { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, XDG_STATE_HOME: join(home, `${++commands}`), ...env } },
  );
  const written = { stdout: '', stderr: '' };
  child.stdout?.on('data', data => {
    written.stdout += data;
  });
  const looks = new Set<() => void>();
  child.stderr?.on('data', data => {
    written.stderr += data;
    for (const look of looks) look();
  });
  return {
    child,
    ended: once(child, 'close').then(([code, signal]) => ({ code: code ?? signal, ...written })),
    says: text =>
      new Promise((resolve, reject) => {
        const look = () => written.stderr.includes(text) && resolve();
        looks.add(look);
        child.once('close', () => reject(new Error(`ended without saying "${text}": ${written.stderr}`)));
        look();
      }),
  };
}

async function expectUnharmed(target: Launched): Promise<void> {
  expect(target.child.exitCode).toBeNull();
  expect(target.child.signalCode).toBeNull();
  expect(await listeningSockets(target.pid)).toEqual([]);
  expect(target.stdout()).toBe('ready\n');
}

test('a target that dies midway: exit 6, and the report is written', async () => {
  await using target = await launch(IDLE);
  const dir = join(home, 'lost');
  const run = lens(target, ['--dir', dir, '--json']);
  await run.says('attached to');
  await target.kill();
  const { code, stdout, stderr } = await run.ended;
  expect(code).toBe(6);
  expect(JSON.parse(stdout).schema).toBe('lens.report/1');
  expect(JSON.parse(readFileSync(join(dir, 'report.json'), 'utf8')).summary).toEqual(expect.any(String));
  expect(stderr).not.toMatch(/bug in lens|\n\s+at /);
});

test('a state directory that can not be written costs a sentence, not the report', async () => {
  await using target = await launch(IDLE);
  const { code, stdout, stderr } = await lens(target, [], { XDG_STATE_HOME: '/dev/null' }).ended;
  expect(code).toBe(0);
  expect(stdout).toMatch(/^# ✔ healthy/);
  expect(stderr.match(/could not be kept in .*: /g)).toHaveLength(1);
  await expectUnharmed(target);
});

test('a stdout or stderr that takes nothing costs a sentence, never the run', async () => {
  await using target = await launch(IDLE);
  const run = (redirect: string) => {
    const line = `"${process.execPath}" "${LENS}" run --pid ${target.pid} --no-llm --skills runtime ${redirect}`;
    return spawnSync('sh', ['-c', line], { encoding: 'utf8', env: { ...process.env, XDG_STATE_HOME: home } });
  };
  const unread = run('>/dev/full');
  expect(unread.status).toBe(3);
  expect(unread.stderr).toMatch(/kept in [\s\S]*The output could not be written: ENOSPC[\s\S]*lens report RUN/);
  expect(unread.stderr).not.toMatch(/bug in lens|undefined/);
  const silent = run('2>/dev/full');
  expect(silent.status).toBe(0);
  expect(silent.stdout).toMatch(/^# ✔ healthy/);
  await expectUnharmed(target);
});

test('a program that ends before lens is there is told as such', () => {
  const { status, stderr } = spawnSync(process.execPath, [LENS, 'run', '--', 'false'], { encoding: 'utf8' });
  expect(status).toBe(5);
  expect(stderr).toMatch(/“false” ended with exit code 1 before lens could attach/);
});

test('trace says at once that there is nothing to trace, and ends', () => {
  const args = [LENS, 'trace', '999999999', 'main'];
  const { status, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8', timeout: 10_000 });
  expect(status).toBe(5);
  expect(stderr).toMatch(/No process has pid 999999999/);
});

test('a run that somebody edited is refused with its place, not with a stack', () => {
  const file = join(mkdtempSync(join(home, 'edited-')), 'run.ndjson');
  const begun = { type: 'run.started', at: 1, runId: 'r', traceId: '', reason: '', lens: '0', planner: 'rules' };
  const report = (...events: object[]) => {
    writeFileSync(file, events.map(event => `${JSON.stringify(event)}\n`).join(''));
    return spawnSync(process.execPath, [LENS, 'report', file], { encoding: 'utf8' });
  };
  expect(report({ type: 'nothing' }).stderr).toMatch(/run\.ndjson:1 is not a lens event/);
  const broken = report(begun, { type: 'operator.finished', at: 2, runId: 'r' });
  expect(broken.status).toBe(2);
  expect(broken.stderr).toMatch(/holds an event operator\.finished without what belongs to it/);
  const newer = report(begun, { type: 'of.a.newer.lens', at: 2, runId: 'r' });
  expect(newer.status).toBe(0);
  expect(newer.stdout).toMatch(/inconclusive/);
});

const mayMount = process.getuid?.() === 0 && spawnSync('unshare', ['-m', 'true']).status === 0;

test.runIf(mayMount)('a full disk costs a sentence, not the report', async () => {
  await using target = await launch(IDLE);
  const disk = mkdtempSync(join(home, 'disk-'));
  if (spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=16k', 'tmpfs', disk]).status !== 0) return;
  try {
    const { code, stdout, stderr } = await lens(target, ['--dir', join(disk, 'run')]).ended;
    expect(code).toBe(0);
    expect(stdout).toMatch(/^# ✔ healthy/);
    expect(stderr).toMatch(/could not be kept in .*ENOSPC/);
    spawnSync('mount', ['-o', 'remount,ro', disk]);
    const { stderr: closed } = await lens(target, ['--dir', join(disk, 'deep', 'run')]).ended;
    expect(closed).toMatch(/could not be kept in .*EROFS/);
    await expectUnharmed(target);
  } finally {
    spawnSync('umount', [disk]);
  }
});

test('a reader that goes away ends the run, and the target is left in order', async () => {
  await using target = await launch(IDLE);
  const run = lens(target, ['--json=stream', '--quiet']);
  await once(run.child.stdout as NodeJS.ReadableStream, 'data');
  run.child.stdout?.destroy();
  const { stderr } = await run.ended;
  expect(stderr).toBe('');
  await expectUnharmed(target);
});

test('two at once on one target: the second says who is there', async () => {
  await using target = await launch(IDLE);
  const first = lens(target);
  await first.says('attached to');
  const second = await lens(target, ['--json']).ended;
  expect(second.code).toBe(5);
  expect(JSON.parse(second.stdout).error.code).toBe('target-locked');
  expect(second.stderr).toContain(String(first.child.pid));
  expect((await first.ended).code).toBe(0);
  await expectUnharmed(target);
});

test('a deadline of a second concludes with what there is', async () => {
  await using target = await launch(IDLE);
  const { code, stdout } = await lens(target, ['--deadline', '1', '--json']).ended;
  expect([0, 3]).toContain(code);
  expect(JSON.parse(stdout).detached).toEqual({ inspectorClosed: true, residue: [] });
  await expectUnharmed(target);
});

test('the first Ctrl-C concludes, the second leaves at once; both leave nothing behind', async () => {
  for (const times of [1, 2]) {
    await using target = await launch(IDLE);
    const run = lens(target, ['--json']);
    await run.says('attached to');
    for (let i = 0; i < times; i++) run.child.kill('SIGINT');
    const { code, stdout } = await run.ended;
    expect(code).toBe(130);
    if (times === 1) expect(JSON.parse(stdout).schema).toBe('lens.report/1');
    await expectUnharmed(target);
  }
});

test('killed by SIGKILL, lens is forgotten by the target within seconds', async () => {
  await using target = await launch(IDLE, { node: 24 });
  const run = lens(target);
  await run.says('attached to');
  run.child.kill('SIGKILL');
  await run.ended;
  await expect.poll(() => listeningSockets(target.pid), { timeout: 13_000, interval: 250 }).toEqual([]);
  await expectUnharmed(target);
}, 30_000);
