import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readinessOf } from '../../src/commands/check/readiness.js';

const ROOT = resolve(import.meta.dirname, '..', '..');
const TRAFFIC = join(ROOT, 'test/commands/traffic.mjs');

let home: string;
beforeAll(() => {
  home = mkdtempSync(join(tmpdir(), 'lens-check-'));
});
afterAll(() => rmSync(home, { recursive: true, force: true }));

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

function lens(args: readonly string[], options: { cwd?: string; env?: NodeJS.ProcessEnv } = {}): Promise<Ended> {
  const env = { ...process.env, NODE_OPTIONS: '', XDG_STATE_HOME: join(home, 'state'), GITHUB_ACTIONS: '' };
  return new Promise(done => {
    const all = ['--import', 'tsx', join(ROOT, 'src/cli.ts'), ...args];
    const child = execFile(
      process.execPath,
      all,
      { cwd: options.cwd ?? ROOT, env: { ...env, ...options.env }, maxBuffer: 1e8 },
      (_, stdout, stderr) => done({ code: child.exitCode ?? -1, stdout, stderr }),
    );
  });
}

const app = (name: string, what: string, entry: string, env: NodeJS.ProcessEnv = {}, more: readonly string[] = []) =>
  lens(
    [
      ...['check', '--for', '10s', '--load', `node ${TRAFFIC} ${what}`, '--quiet', ...more],
      ...['--', process.execPath, '--inspect-port=0', entry],
    ],
    { cwd: join(ROOT, 'fixtures/apps', name), env: { PORT: '0', ...env } },
  );

/** Five real programs with their load at once on two cores. */
const SLOW_MS = 150_000;

test.concurrent(
  "a leaking build fails, with the culprit's line as an annotation",
  async () => {
    const file = (name: string) => join(home, name);
    const github = { GITHUB_ACTIONS: 'true', GITHUB_WORKSPACE: ROOT, GITHUB_OUTPUT: file('out') };
    const outputs = ['--output', `sarif=${file('sarif')}`, '--output', `junit=${file('junit')}`];
    const env = { ...github, GITHUB_STEP_SUMMARY: file('summary') };
    const { code, stderr } = await app('billing', 'invoices', 'build/main.js', env, outputs);
    expect(code, stderr).toBe(1);
    expect(stderr).toMatch(
      /^::warning file=fixtures\/apps\/billing\/src\/rates\.ts,line=\d+,title=lens%3A memory\.leak/m,
    );
    expect(readFileSync(file('summary'), 'utf8')).toContain('src/rates.ts');
    expect(readFileSync(file('out'), 'utf8')).toMatch(
      /^verdict=(?:warning|critical)\nexit-code=1\nfault=memory\.leak\.collection\nculprit=fixtures\/apps\/billing\/src\/rates\.ts:\d+\n$/,
    );
    expect(readFileSync(file('sarif'), 'utf8')).toContain('"uri": "fixtures/apps/billing/src/rates.ts"');
    expect(readFileSync(file('junit'), 'utf8')).toMatch(/<testcase classname="lens" name="check"[^>]*\/>/);
  },
  SLOW_MS,
);

test.concurrent(
  'its healthy twin passes, and its run becomes the baseline',
  async () => {
    const baseline = join(home, 'baseline.json');
    const more = ['--baseline', baseline, '--update-baseline', '--threshold', 'memory.rssBytes<4GB'];
    const wrong = await app('boxoffice', 'reservations', 'server.mjs', {}, [...more.slice(0, 2), '--for', '8s']);
    expect(wrong.code).toBe(2); // there is no baseline yet
    const { code, stdout, stderr } = await app('boxoffice', 'reservations', 'server.mjs', {}, more.slice(0, 3));
    expect(code, stdout + stderr).toBe(0);
    const saved = JSON.parse(readFileSync(baseline, 'utf8'));
    expect(saved.runs).toHaveLength(1);
    expect(saved.runs[0].metrics['memory.rssBytes'].mean).toBeGreaterThan(1e7);
  },
  SLOW_MS,
);

test.concurrent(
  'limits that are crossed fail; a load that fails makes it inconclusive, never a pass',
  async () => {
    const idle = join(home, 'idle.mjs');
    writeFileSync(idle, `console.log('serving'); setInterval(() => {}, 1000);`);
    const start = ['--warmup', '1ms', '--ready', 'serving', '--', process.execPath, '--inspect-port=0', idle];
    const plain = ['check', '--for', '1s', '--quiet', '--skills', 'event-loop'];
    const limit = await lens([...plain, '--threshold', 'memory.rssBytes>1MB', ...start]);
    expect(limit.code, limit.stderr).toBe(1);
    expect(limit.stdout).toMatch(/memory\.rssBytes is \S+ MB, above the limit of 1\.0 MB/);
    const unloaded = await lens([...plain, '--load', 'exit 7', ...start]);
    expect(unloaded.code, unloaded.stdout).toBe(3);
    expect(unloaded.stdout).toContain('The load “exit 7” failed: exit code 7.');
  },
  SLOW_MS,
);

test('a program that has only said something is not ready; a load that is told the port waits for it', () => {
  const seen = (output: string, age: number, port?: number) => ({ output, age, port });
  const plain = readinessOf(undefined);
  expect(plain.ready(seen('starting\n', 900))).toBe(false);
  expect(plain.ready(seen('starting\n', 900, 3000))).toBe(true);
  expect(plain.ready(seen('', 5_000))).toBe(true);
  expect(readinessOf(undefined, 60_000, true).ready(seen('', 9_000))).toBe(false);
  const word = readinessOf('ready', 60_000, true);
  expect(word.ready(seen('ready', 100))).toBe(false);
  expect(word.ready(seen('ready', 100, 3000))).toBe(true);
  expect(word.text).toBe('“ready” in its output, and a port');
});

test.concurrent(
  'a program that ends before it is ready is told with its exit code',
  async () => {
    const { code, stderr } = await lens(['check', '--', process.execPath, '-e', 'process.exit(4)']);
    expect(code).toBe(6);
    expect(stderr).toContain('exit code 4');
  },
  SLOW_MS,
);

test.concurrent(
  'a wrong limit is a usage error that names the metrics there are',
  async () => {
    const { code, stderr } = await lens(['check', '--threshold', 'memory.rss>1GB', '--pid', '1']);
    expect(code).toBe(2);
    expect(stderr).toContain('memory.rssBytes');
  },
  SLOW_MS,
);
