import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const SOAK = fileURLToPath(new URL('./soak.ts', import.meta.url));
/** 300 more vitals are 300 small objects; a leak of Ink or React is megabytes by then. */
const NOISE_BYTES = 600_000;

test('frame after frame, memory stays flat and React leaves no marks behind', () => {
  const output = execFileSync(process.execPath, ['--expose-gc', '--import', 'tsx', SOAK], {
    encoding: 'utf8',
    env: { ...process.env, NODE_ENV: 'production' },
  });
  const { first, second, drawn, measures, cpuMsPerFrame } = JSON.parse(output);
  expect(drawn).toBeGreaterThanOrEqual(600);
  expect(measures).toBe(0);
  expect(second - first).toBeLessThan(NOISE_BYTES);
  // Two frames a second at most: 100 ms each would be a fifth of a core.
  expect(cpuMsPerFrame).toBeLessThan(100);
});
