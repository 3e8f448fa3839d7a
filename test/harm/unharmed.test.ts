import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const HARM = fileURLToPath(new URL('../../bench/harm.mjs', import.meta.url));

/** One round of the harness: its own line of output, 'unharmed' or what happened. */
function round(target: string, node: number, end: string): Promise<string> {
  const argv = [HARM, '--rounds', '1', '--target', target, '--node', String(node), '--end', end];
  return new Promise(resolve => {
    execFile(process.execPath, argv, (_, stdout) => resolve(stdout));
  });
}

for (const [target, node, end, claim] of [
  ['hostile', 24, 'whole', 'no getter, trap, toString or prepareStackTrace of a program is run by lens'],
  ['logger', 18, 'whole', 'stacks and lines that a program prints show nothing of lens'],
  [
    'exceptions',
    22,
    'sigint',
    'rejections and exceptions go on as the program has them, also when lens is interrupted',
  ],
  ['patched', 26, 'sigkill', 'a killed lens is forgotten, also by a program whose clock stands still'],
] as const)
  test.concurrent(claim, async () => {
    const told = await round(target, node, end);
    expect(told).toContain('unharmed');
    expect(told).toContain('1 rounds, 0 with harm');
  }, 120_000);
