import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, expect, test } from 'vitest';
import { attach } from '../../src/inspector/attach.js';
import { openInspector } from '../../src/inspector/inspector-port.js';
import { readChildren } from '../../src/inspector/proc/children.js';
import { launch } from '../launch.js';

/** Far from the ports of other tests: each worker gets the next one. */
const firstPort = 20_000 + (process.pid % 2_000) * 10;
const PRIMARY = `const cluster = require('node:cluster');
if (cluster.isPrimary) {
  let online = 0;
  for (let i = 0; i < 2; i++) cluster.fork();
  cluster.on('online', () => ++online === 2 && console.log('ready'));
} else setInterval(() => {}, 1000);`;

const folder = mkdtempSync(join(tmpdir(), 'lens-cluster-'));
afterAll(() => rmSync(folder, { recursive: true }));
const program = join(folder, 'program.cjs');
writeFileSync(program, PRIMARY);

const open = async (pids: readonly number[]) =>
  (await Promise.all(pids.map(pid => openInspector(pid)))).filter(address => address !== undefined);

test.each([20, 24] as const)(
  'Node %i opens the inspectors of all cluster workers with the primary’s: lens closes them again',
  async node => {
    await using target = await launch(program, { node, execArgv: [`--inspect-port=${firstPort + node}`] });
    const workers = (await readChildren(target.pid)).map(child => child.pid);
    expect(workers).toHaveLength(2);
    const session = await attach({ pid: target.pid });
    const deadline = performance.now() + 5_000;
    while (!/(Debugger listening[\s\S]*){3}/.test(target.stderr()) && performance.now() < deadline) await sleep(20);
    expect(target.stderr()).toMatch(/(Debugger listening[\s\S]*){3}/);
    await session.detach();
    expect(await open([target.pid, ...workers])).toEqual([]);
    expect(target.child.exitCode).toBe(null);
  },
);
