import { expect, test } from 'vitest';
import { attach } from '../../src/inspector/attach.js';
import { listeningSockets } from '../../src/inspector/proc/sockets.js';
import { launch } from '../launch.js';

const IDLE = `setInterval(() => {}, 1000); console.log('ready')`;

for (const node of [18, 20, 22, 24, 26] as const) {
  test(`Node ${node}: attaches by signal, evaluates, and leaves no port and no symbol behind`, async () => {
    await using program = await launch(IDLE, { node });
    const session = await attach({ pid: program.pid });
    expect(session.openedInspector).toBe(true);
    expect(session.target.nodeVersion).toMatch(new RegExp(`^v${node}\\.`));
    expect(await session.evaluate('1 + 1')).toBe(2);
    expect(await session.evaluate(`require('node:os').EOL`)).toBe('\n');
    expect(await session.loopTurns(2000)).toBe(true);
    await session.withDebugger(async debug => expect(debug.scripts.size).toBeGreaterThan(0));

    expect(await session.detach()).toEqual({ inspectorClosed: true, residue: [] });
    expect(await listeningSockets(program.pid)).toEqual([]);
    expect(program.child.exitCode).toBe(null);
    const again = await attach({ pid: program.pid });
    expect(
      await again.evaluate(`Object.getOwnPropertySymbols(globalThis).map(String).includes('Symbol(lens.v1)')`),
    ).toBe(true);
    await again.detach();
  });
}

test('an inspector that was open before is used without a signal and left open', async () => {
  await using program = await launch(IDLE, { inspect: true });
  const session = await attach({ pid: program.pid });
  expect(session.openedInspector).toBe(false);
  expect(await session.detach()).toEqual({ inspectorClosed: false, residue: [] });
  expect(await listeningSockets(program.pid)).toHaveLength(1);
});

test('an inspector is reached by its port and by its address, and its process is known', async () => {
  await using program = await launch(IDLE, { inspect: true });
  const url = /ws:\/\/\S+/.exec(program.stderr())?.[0] ?? '';
  for (const where of [{ port: Number(new URL(url).port) }, { url }]) {
    const session = await attach(where);
    expect(session.target).toMatchObject({
      pid: program.pid,
      command: expect.stringContaining('--inspect=127.0.0.1:0'),
    });
    expect(session.openedInspector).toBe(false);
    expect(await session.detach()).toEqual({ inspectorClosed: false, residue: [] });
  }
});

test('an address where no inspector answers is an error with a next step', async () => {
  await using program = await launch(
    `require('net').createServer(() => {}).listen(0, '127.0.0.1', function () { console.log('port ' + this.address().port) })`,
    { waitFor: 'port' },
  );
  const port = Number((await program.line('port')).slice(5));
  const startedAt = performance.now();
  await expect(attach({ port })).rejects.toMatchObject({
    code: 'inspector-unreachable',
    hint: expect.stringContaining('--inspect'),
  });
  expect(performance.now() - startedAt).toBeLessThan(3000);
  await expect(attach({ url: 'ws://127.0.0.1:1/x' })).rejects.toMatchObject({ code: 'inspector-unreachable' });
  await expect(attach({ url: 'nonsense' })).rejects.toMatchObject({ code: 'inspector-unreachable' });
});

test("a busy server's own port is never asked while its inspector is closed", async () => {
  await using program = await launch(
    `let seen = 0; require('http').createServer((q, r) => { seen++; console.log('asked ' + q.url); r.end() })
       .listen(0, () => console.log('ready'))`,
  );
  await (await attach({ pid: program.pid })).detach();
  expect(program.stdout()).not.toContain('asked');
});

test('a round trip of the debugger is not held up by the delayed acknowledgement', async () => {
  await using program = await launch(IDLE);
  const session = await attach({ pid: program.pid });
  const perCallMs = await session.withDebugger(async debug => {
    const startedAt = performance.now();
    for (let i = 0; i < 30; i++) await debug.send('Runtime.evaluate', { expression: '1', silent: true });
    return (performance.now() - startedAt) / 30;
  });
  // 44 ms without the nudge, 1–7 with it; half of the former leaves room for a loaded machine.
  expect(perCallMs).toBeLessThan(20);
  await session.detach();
});
