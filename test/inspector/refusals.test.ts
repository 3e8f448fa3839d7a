import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, writeFileSync } from 'node:fs';
import { expect, onTestFinished, test } from 'vitest';
import { attach } from '../../src/inspector/attach.js';
import { type Candidate, portAfterSignal, readCandidate } from '../../src/inspector/candidate.js';
import { TargetBlockedError } from '../../src/inspector/native-block.js';
import { refuseSignal, refuseState } from '../../src/inspector/open.js';
import { readChildren } from '../../src/inspector/proc/children.js';
import { listeningSockets } from '../../src/inspector/proc/sockets.js';
import { readStatus } from '../../src/inspector/proc/status.js';
import type { LensError } from '../../src/model/error.js';
import { launch } from '../launch.js';

const IDLE = `setInterval(() => {}, 1000); console.log('ready')`;

/** The error of an attach that must fail. */
async function refusal(pid: number): Promise<LensError> {
  const error = await attach({ pid }).then(
    async session => {
      await session.detach();
      return undefined;
    },
    (error: LensError) => error,
  );
  if (!error) throw new Error('lens attached');
  expect(error.name).toBe('LensError');
  expect(error.hint).toMatch(/\w/);
  return error;
}

/** Starts something that is not launched as a Node fixture and ends with the test. */
function own(command: string, ...args: string[]) {
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'ignore'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  return { pid: child.pid ?? 0, child };
}

const isAlive = async (pid: number) => !['Z', undefined].includes((await readStatus(pid))?.state);

test('a pid that nobody has is named, with the way to find the right one', async () => {
  const { pid, child } = own('true');
  await once(child, 'exit');
  const error = await refusal(pid);
  expect(error).toMatchObject({ code: 'target-not-found', message: `No process has pid ${pid}.` });
});

test('what is not Node is never signalled', async () => {
  const { pid } = own('sleep', '60');
  expect(await refusal(pid)).toMatchObject({ code: 'target-not-node', message: expect.stringContaining('sleep 60') });
  expect(await isAlive(pid)).toBe(true);
});

test('a zombie is told from a living process, with its parent', async () => {
  // A shell that becomes somebody who never waits for its child.
  const { child } = own('sh', '-c', 'sleep 0.2 & echo $!; exec sleep 60');
  const [line] = await once(child.stdout, 'data');
  const pid = Number(String(line).trim());
  while ((await readStatus(pid))?.state !== 'Z') await new Promise(resolve => setTimeout(resolve, 5));
  expect(await refusal(pid)).toMatchObject({
    code: 'target-zombie',
    hint: expect.stringContaining(`ps -p ${child.pid}`),
  });
});

test('a stopped process is told as stopped, and gets no signal that would wait for it', async () => {
  await using program = await launch(IDLE);
  program.child.kill('SIGSTOP');
  while ((await readStatus(program.pid))?.state !== 'T') await new Promise(resolve => setTimeout(resolve, 5));
  expect(await refusal(program.pid)).toMatchObject({
    code: 'target-stopped',
    hint: expect.stringContaining('kill -CONT'),
  });
  program.child.kill('SIGCONT');
  const session = await attach({ pid: program.pid });
  expect(session.openedInspector).toBe(true);
  await session.detach();
});

test.each(['--disable-sigusr1', '--permission'])('%s is named as the reason', async flag => {
  await using program = await launch(IDLE, { node: 24, execArgv: [flag] });
  const error = await refusal(program.pid);
  expect(error).toMatchObject({ code: 'inspector-disabled', message: expect.stringContaining(flag) });
  expect(await isAlive(program.pid)).toBe(true);
});

test("a program's own SIGUSR1 handler is the explanation for an idle target without a port", async () => {
  await using program = await launch(`process.on('SIGUSR1', () => console.log('mine')); ${IDLE}`);
  const startedAt = performance.now();
  expect(await refusal(program.pid)).toMatchObject({
    code: 'inspector-not-opened',
    message: expect.stringContaining('handles that signal'),
  });
  expect(performance.now() - startedAt).toBeLessThan(6000);
  expect(program.stdout()).toContain('mine');
});

test('a removed SIGUSR1 handler leaves a process that the signal would kill: none is sent', async () => {
  await using program = await launch(
    `const f = () => {}; process.on('SIGUSR1', f); process.off('SIGUSR1', f); ${IDLE}`,
  );
  expect(await refusal(program.pid)).toMatchObject({
    code: 'inspector-disabled',
    message: expect.stringContaining('removed'),
  });
  expect(await isAlive(program.pid)).toBe(true);
});

test('a taken port is told with its holder', async () => {
  await using holder = await launch(
    `require('net').createServer().listen(0, '127.0.0.1', function () { console.log('port ' + this.address().port) })`,
    {
      waitFor: 'port',
    },
  );
  const port = (await holder.line('port')).slice(5);
  await using program = await launch(IDLE, { execArgv: [`--inspect-port=${port}`] });
  const error = await refusal(program.pid);
  expect(error).toMatchObject({
    code: 'inspector-port-taken',
    message: expect.stringContaining(`process ${holder.pid} (`),
  });
});

test('an execSync is reported as blocked with its child, and the inspector that opens later is closed', async () => {
  await using program = await launch(
    `console.log('ready'); setTimeout(() => require('child_process').execSync('sleep 5; true'), 10); setInterval(() => {}, 1000)`,
  );
  await new Promise(resolve => setTimeout(resolve, 100));
  const error = await refusal(program.pid);
  expect(error).toBeInstanceOf(TargetBlockedError);
  const blocked = error as TargetBlockedError;
  expect(blocked.block.children[0]?.command).toContain('sleep 5');
  expect(blocked.message).toContain('waiting synchronously for its child');
  expect(await blocked.closeWhenOpened(6000)).toBe(true);
  expect(await listeningSockets(program.pid)).toEqual([]);
  expect(await isAlive(program.pid)).toBe(true);
});

test('two attaches to one process: the second is told who holds it', async () => {
  await using program = await launch(IDLE);
  const [one, two] = await Promise.allSettled([attach({ pid: program.pid }), attach({ pid: program.pid })]);
  const refused = [one, two].find(result => result.status === 'rejected');
  expect(refused?.reason).toMatchObject({
    code: 'target-locked',
    message: expect.stringContaining(`pid ${process.pid}`),
  });
  for (const result of [one, two]) if (result.status === 'fulfilled') await result.value.detach();
  await (await attach({ pid: program.pid })).detach();
});

test('locks of processes that are no more are swept away', async () => {
  const folder = process.env.XDG_RUNTIME_DIR
    ? `${process.env.XDG_RUNTIME_DIR}/lens`
    : `/tmp/lens-${process.getuid?.()}`;
  await using program = await launch(IDLE);
  await (await attach({ pid: program.pid })).detach();
  writeFileSync(`${folder}/4194303-1.lock`, '{}');
  await (await attach({ pid: program.pid })).detach();
  expect(existsSync(`${folder}/4194303-1.lock`)).toBe(false);
});

test('a process in a network of its own is reached through it', async () => {
  const { pid, child } = own('unshare', '-n', 'sh', '-c', `ip link set lo up; exec ${process.execPath} -e "${IDLE}"`);
  await once(child.stdout, 'data');
  const session = await attach({ pid });
  expect(await session.evaluate('6 * 7')).toBe(42);
  expect(await session.detach()).toEqual({ inspectorClosed: true, residue: [] });
});

test('two targets that want the same port are attached to one after the other', async () => {
  const command = `ip link set lo up; ${process.execPath} -e "${IDLE}" & exec ${process.execPath} -e "${IDLE}"`;
  const { pid, child } = own('unshare', '-n', 'sh', '-c', command);
  let lines = '';
  for await (const chunk of child.stdout) {
    lines += chunk;
    if (lines.split('ready').length > 2) break;
  }
  const [other] = await readChildren(pid);
  onTestFinished(() => {
    if (other) process.kill(other.pid, 'SIGKILL');
  });
  const first = await attach({ pid });
  const second = attach({ pid: other?.pid ?? 0 });
  await Promise.race([second.catch(() => {}), new Promise(resolve => setTimeout(resolve, 300))]);
  expect(await first.detach()).toEqual({ inspectorClosed: true, residue: [] });
  expect(await (await second).detach()).toEqual({ inspectorClosed: true, residue: [] });
});

test('an attach that is interrupted leaves no open port', async () => {
  await using program = await launch(IDLE);
  const stop = new AbortController();
  setTimeout(() => stop.abort(new Error('enough')), 8);
  await attach({ pid: program.pid }, { signal: stop.signal }).then(
    session => session.detach(),
    error => expect(error.message).toBe('enough'),
  );
  await new Promise(resolve => setTimeout(resolve, 300));
  expect(await listeningSockets(program.pid)).toEqual([]);
});

test('other runtimes and other users are refused by what /proc shows', async () => {
  await using program = await launch(IDLE);
  const node = (await readCandidate(program.pid)) as Candidate;
  const code = (change: Partial<Candidate>) => () => refuseState({ ...node, ...change });
  expect(code({ executable: '/usr/local/bin/bun' })).toThrow(/is Bun, not Node/);
  expect(code({ executable: '/usr/bin/deno' })).toThrow(/is Deno, not Node/);
  const hidden = { readable: false, executable: undefined };
  const stranger = { ...hidden, status: { ...node.status, uid: node.status.uid + 1 } };
  expect(code(stranger)).toThrow(process.getuid?.() === 0 ? /closed to lens/ : /belongs to user/);
  expect(code(hidden)).toThrow(/closed to lens: .* cannot be read, although lens runs as user/);
  expect(() => refuseSignal({ ...node, catchesSigusr1: false, signalThread: false, executable: '/bin/bash' })).toThrow(
    /not a Node process/,
  );
  expect(() => refuseSignal(node)).not.toThrow();
});

test('the port that the signal would open comes from flags and NODE_OPTIONS', async () => {
  const node = { nodeFlags: [] as string[] } as unknown as Candidate;
  expect(portAfterSignal(node)).toBe(9229);
  expect(portAfterSignal({ ...node, nodeFlags: ['--inspect-port=9333'] })).toBe(9333);
  expect(portAfterSignal({ ...node, nodeFlags: ['--inspect-port=0.0.0.0:0'] })).toBe(0);
});
