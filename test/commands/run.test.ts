import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import type { Report } from '../../src/model/report.js';
import { reportSchema } from '../../src/model/report-schema.js';
import { launch } from '../launch.js';

const LENS = fileURLToPath(new URL('../../bin/lens.js', import.meta.url));

/** The command as a user calls it: exit code, both streams. */
function lens(...args: readonly string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  return new Promise(resolve => {
    execFile(process.execPath, [LENS, ...args], { maxBuffer: 1e8 }, (error, stdout, stderr) =>
      resolve({ code: error ? Number(error.code) : 0, stdout, stderr }),
    );
  });
}

const BLOCKED = `
const { pbkdf2Sync } = require('node:crypto');
function hashPassword(password) {
  return pbkdf2Sync(password, 'salt', 120000, 64, 'sha512').toString('hex');
}
setInterval(() => hashPassword('secret'), 400);
console.log('ready');
`;

test('a blocked loop: first insight, its evidence, a report by the schema, and a target left as it was', async () => {
  await using target = await launch(BLOCKED);
  const { code, stdout } = await lens(
    'run',
    '--pid',
    String(target.pid),
    '--skills',
    'event-loop',
    '--json',
    '--no-llm',
  );
  const report = reportSchema.parse(JSON.parse(stdout)) as Report;
  const [first] = report.insights;
  expect(first?.faultClass).toBe('loop.block.sync-api');
  expect(first?.culprit).toMatchObject({ function: 'hashPassword' });
  expect(first?.marks ?? []).toEqual([]);
  expect(first?.evidenceIds.length).toBeGreaterThan(0);
  expect(code).toBe(report.verdict === 'critical' ? 1 : 0);
  expect(report.detached).toEqual({ inspectorClosed: true, residue: [] });
  expect(target.child.exitCode).toBeNull();
});

test('an idle process is healthy, with its numbers, and exit code 0', async () => {
  await using target = await launch(`setInterval(() => {}, 1000); console.log('ready');`);
  const { code, stdout, stderr } = await lens('run', '--pid', String(target.pid), '--skills', 'runtime', '--no-llm');
  expect(code).toBe(0);
  expect(stdout.split('\n')[0]).toMatch(/^# ✔ healthy: No fault found\. Resident [\d.]+ MB/);
  expect(stderr).toMatch(/attached to .* in \d+ ms/);
});
