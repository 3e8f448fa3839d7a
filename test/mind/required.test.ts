import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import type { Report } from '../../src/model/report.js';
import { launch } from '../launch.js';
import { anthropicAnswer, anthropicError, modelServer, type Respond } from '../llm/model-server.js';

const LENS = new URL('../../bin/lens.js', import.meta.url).pathname;
const QUIET = 'setInterval(() => {}, 1000); console.log("ready");';
const refusing = anthropicError(401, 'authentication_error', 'invalid x-api-key');
const ending = anthropicAnswer([{ tool: 'done', input: { outcome: 'healthy', summary: 'All is well.' } }]);

test.each<[string, Respond[], string[], number]>([
  ['refuses: exit 4, and the report of the rules', [refusing], ['--require-llm'], 4],
  ['refuses and is not required: the report of the rules', [refusing], [], 0],
  ['answers once', [ending, refusing], ['--require-llm'], 0],
])('a model that %s', async (_, answers, args, expected) => {
  await using target = await launch(QUIET);
  await using server = await modelServer(...answers);
  const home = await mkdtemp(join(tmpdir(), 'lens-required-'));
  const wanted = ['--skills', 'runtime', '--reason', 'memory', '--base-url', server.url, ...args];
  const env = { ...process.env, XDG_STATE_HOME: home, XDG_CONFIG_HOME: home, ANTHROPIC_API_KEY: 'sk-test-key' };
  const run = promisify(execFile)(process.execPath, [LENS, 'run', '--pid', String(target.pid), '--json', ...wanted], {
    env,
  });
  const { code, stdout } = await run.then(
    ({ stdout }) => ({ code: 0, stdout }),
    (error: { code: number; stdout: string }) => error,
  );
  // What `--json` prints.
  const report = JSON.parse(stdout) as Report;
  expect([code, report.verdict]).toEqual([expected, 'healthy']);
  expect(report.failures.map(({ message }) => message).join()).toMatch(/refused \(401\): invalid x-api-key/);
  expect(server.heard.length).toBeGreaterThan(0);
  expect(stdout).not.toContain('sk-test-key');
  await rm(home, { recursive: true, force: true });
});
