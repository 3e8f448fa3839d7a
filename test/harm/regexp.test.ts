import { expect, test } from 'vitest';
import { cpuProfileCollector } from '../../src/collectors/cpu-profile.js';
import { vitalsCollector } from '../../src/collectors/vitals.js';
import { attach } from '../../src/inspector/attach.js';
import { context } from '../collect-context.js';
import { launch } from '../launch.js';

/** Backtracks for a few hundred milliseconds with a stack that has outgrown irregexp's static 512 bytes. */
const BACKTRACKING = `const name = /^(\\p{L}+\\s?)+\\d*$/u; const text = 'anna ' + 'e'.repeat(23) + '!';
  setInterval(() => name.test(text), 20); console.log('ready')`;
const ROUNDS = 16;
const WINDOWS = [0.05, 0.1, 0.15, 0.2, 0.25];

// V8 frees the backtracking stack of an interrupted regular expression when another one runs inside of the interrupt.
for (const node of [18, 22, 24] as const)
  test.concurrent(`Node ${node}: a program that is read in the midst of a regular expression lives on`, async () => {
    await using program = await launch(BACKTRACKING, { node });
    const session = await attach({ pid: program.pid });
    for (let round = 0; round < ROUNDS; round++) {
      await Promise.all([
        cpuProfileCollector.collect(session, { seconds: 0.3, intervalUs: 1000 }, context),
        ...WINDOWS.map(seconds => vitalsCollector.collect(session, { seconds }, context)),
      ]);
    }
    expect(session.lost.aborted).toBe(false);
    expect((await session.detach()).residue).toEqual([]);
    expect(program.child.signalCode).toBeNull();
  });
