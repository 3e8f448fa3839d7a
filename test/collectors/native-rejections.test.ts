import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { exceptionsCollector } from '../../src/collectors/exceptions.js';
import { attach } from '../../src/inspector/attach.js';
import type { Session } from '../../src/inspector/session.js';
import type { Exceptions } from '../../src/model/evidence/exceptions.js';
import { context } from '../collect-context.js';
import { type Launched, launch } from '../launch.js';

/** Errors of the system that come without a stack: a promisified callback on every Node, `fs.promises` on some. */
const program = (write: string) => `
const fs = require('node:fs'), { promisify } = require('node:util');
const write = ${write};
async function keep() { try { await write('/nowhere/x.json', '{}'); } catch {} }
async function read() { await fs.promises.readFile(__filename).catch(() => {}); await fs.promises.stat('/'); }
setInterval(keep, 50);
setInterval(read, 20);
console.log('ready');
`;

describe.each([
  [20, 'promisify(fs.writeFile)', /^(open|writeFile)$/],
  [18, 'fs.promises.writeFile', /^writeFile$/],
  [26, 'fs.promises.writeFile', /^writeFile$/],
] as const)('on Node %i, %s', (node, write, called) => {
  const folder = mkdtempSync(join(tmpdir(), 'lens-rejections-'));
  let target: Launched;
  let session: Session;
  let exceptions: Exceptions;

  beforeAll(async () => {
    const file = join(folder, 'keeper.cjs');
    writeFileSync(file, program(write));
    target = await launch(file, { node });
    session = await attach({ pid: target.pid });
    exceptions = (await exceptionsCollector.collect(session, { seconds: 2, caught: true }, context)).data;
  }, 30_000);
  afterAll(async () => {
    await session?.detach();
    await target?.kill();
    rmSync(folder, { recursive: true, force: true });
  });

  test('the line that called what fails is told, with its rate; calls that succeed are not', () => {
    const [site, ...others] = exceptions.native?.sites ?? [];
    expect(others).toEqual([]);
    expect(site).toMatchObject({ type: 'Error', rejection: true, uncaught: false });
    expect(site?.byNode).toMatch(called);
    expect(site?.message).toContain('ENOENT');
    expect(site?.frames[0]?.functionName).toBe('keep');
    expect(site?.perSecond).toBeGreaterThan(10);
    expect(site?.perSecond).toBeLessThan(25);
  });

  test('the program goes on as before', () => {
    expect(target.child.exitCode).toBeNull();
    expect(target.stderr()).not.toContain('Error');
  });
});
