import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, expect, test } from 'vitest';
import type { Report } from '../../src/model/report.js';
import { launch } from '../launch.js';

const LENS = resolve(import.meta.dirname, '../../bin/lens.js');
const home = mkdtempSync(join(tmpdir(), 'lens-tree-'));
afterAll(() => rmSync(home, { recursive: true, force: true }));

mkdirSync(join(home, 'jobs'));
writeFileSync(
  join(home, 'parent.js'),
  `const { fork } = require('node:child_process');
const sick = fork('hash.js', { cwd: __dirname + '/jobs', execArgv: ['--inspect-port=0'] });
const well = fork('idle.js', { cwd: __dirname + '/jobs', execArgv: ['--inspect-port=0'] });
process.on('exit', () => { sick.kill('SIGKILL'); well.kill('SIGKILL'); });
sick.once('message', () => console.log('ready ' + sick.pid));
setInterval(() => {}, 1000);
`,
);
writeFileSync(
  join(home, 'jobs/hash.js'),
  `const { pbkdf2Sync } = require('node:crypto');
function sign(password) {
  return pbkdf2Sync(password, 'salt', 150_000, 64, 'sha512');
}
setInterval(() => sign('p' + Date.now()), 400);
process.once('disconnect', () => process.exit());
setTimeout(() => process.send('up'), 500);
`,
);
writeFileSync(
  join(home, 'jobs/idle.js'),
  `setInterval(() => {}, 100);\nprocess.once('disconnect', () => process.exit());\n`,
);

test('with --tree a child’s fault is in the one report, under its pid, and its file is where a person finds it', async () => {
  await using target = await launch(join(home, 'parent.js'), { cwd: home });
  const pid = Number((await target.line('ready')).split(' ')[1]);
  const args = [LENS, 'run', '--pid', String(target.pid), '--tree', '--skills', 'event-loop', '--json', '--quiet'];
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [...args, '--fail-on', 'never', '--dir', join(home, 'run')],
    {
      maxBuffer: 16 * 1024 * 1024,
    },
  );
  const report = JSON.parse(stdout) as Report;
  expect(report.schema).toBe('lens.report/1');
  expect(report.target.pid).toBe(target.pid);
  expect(report.insights).toHaveLength(1);
  expect(report.insights[0]).toMatchObject({
    rank: 1,
    faultClass: 'loop.block.sync-api',
    culprit: { function: 'sign', file: 'jobs/hash.js', line: 3 },
  });
  expect(report.insights[0]?.title).toContain(`pid ${pid}`);
  expect(report.notifications[0]?.context).toContain(`child process ${pid} (node`);
  expect(report.operators.map(({ skill }) => skill)).toContain(`event-loop@${pid}`);
  expect(report.operators).toHaveLength(3);
  expect(report.detached).toEqual({ inspectorClosed: true, residue: [] });
  expect(report.failures).toEqual([]);
}, 90_000);

test('without --tree a busier Node process below, behind a shell, is told with how to look at it', async () => {
  const source = `const { spawn } = require('node:child_process');
    const shell = spawn('sh', ['-c', 'node --inspect-port=0 hash.js; true'], { cwd: ${JSON.stringify(join(home, 'jobs'))}, stdio: ['ignore', 'ignore', 'ignore', 'ipc'], detached: true });
    process.on('SIGTERM', () => { try { process.kill(-shell.pid, 'SIGKILL') } catch {} process.exit() });
    setTimeout(() => console.log('ready'), 1500); setInterval(() => {}, 1000)`;
  await using target = await launch(source, { cwd: home });
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [
      LENS,
      'run',
      '--pid',
      String(target.pid),
      '--skills',
      'runtime',
      '--json',
      '--quiet',
      '--dir',
      join(home, 'alone'),
    ],
    { maxBuffer: 16 * 1024 * 1024 },
  );
  process.kill(target.pid, 'SIGTERM');
  const report = JSON.parse(stdout) as Report;
  expect(report.verdict).toBe('healthy');
  expect(report.inconclusive.join()).toMatch(
    /child process \d+ \(node .*hash\.js\) does or holds more than this process: `lens run --pid \d+`/,
  );
});
