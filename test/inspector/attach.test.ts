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
