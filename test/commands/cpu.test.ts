import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';

/** Bundled before the tests run. */
const LENS = new URL('../../bin/lens.js', import.meta.url).pathname;
const PROGRAM = `function burn(ms) { for (const end = Date.now() + ms; Date.now() < end; ) Math.sqrt(end); }
function handle() { burn(Number(process.argv[2])); }
const match = () => /^(a+)+$/.test('a'.repeat(22) + 'b');
setTimeout(handle, 30); setTimeout(match, 100);
`;
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'lens-cpu-'));
  writeFileSync(join(folder, 'busy.cjs'), PROGRAM);
  for (const [name, ms] of [
    ['short', '150'],
    ['long', '600'],
  ] as const) {
    const args = ['--cpu-prof', `--cpu-prof-name=${name}.cpuprofile`, 'busy.cjs', ms];
    expect(spawnSync(process.execPath, args, { cwd: folder }).status).toBe(0);
  }
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function lens(...args: readonly string[]) {
  return spawnSync(process.execPath, [LENS, 'cpu', ...args], { cwd: folder, encoding: 'utf8' });
}

test('functions, owners, and the tasks that blocked with their stacks', () => {
  const { stdout, status } = lens('long.cpuprofile');
  expect(status).toBe(0);
  expect(stdout).toMatch(/ {4}burn busy\.cjs:1\n {4}handle busy\.cjs:2\n/);
  expect(stdout).toMatch(/\d % work, .*[\d.]+ % collections/);
  const said = JSON.parse(lens('long.cpuprofile', '--json').stdout);
  const longest = said.longTasks.toSorted((a: { ms: number }, b: { ms: number }) => b.ms - a.ms)[0];
  expect(longest.ms).toBeGreaterThan(400);
  expect(longest.stack.slice(0, 2)).toEqual([
    { function: 'burn', where: 'busy.cjs:1' },
    { function: 'handle', where: 'busy.cjs:2' },
  ]);
});

test('what takes more of the time in a later profile comes first', () => {
  const { stdout } = lens('short.cpuprofile', '--diff', 'long.cpuprofile');
  expect(stdout.split('\n')[1]).toMatch(/^[+].*burn {2,}busy\.cjs:1$/);
});

test('the same profile for speedscope, pprof and flame graphs', () => {
  const outputs = ['speedscope=a.json', 'pprof=a.pb.gz', 'folded=a.folded'].flatMap(each => ['--output', each]);
  expect(lens('long.cpuprofile', ...outputs).status).toBe(0);
  expect(JSON.parse(readFileSync(join(folder, 'a.json'), 'utf8')).$schema).toContain('speedscope');
  expect(gunzipSync(readFileSync(join(folder, 'a.pb.gz'))).includes('burn')).toBe(true);
  expect(readFileSync(join(folder, 'a.folded'), 'utf8')).toMatch(/handle.*;burn.* \d+\n/);
});

test.each([
  ['cut off', (whole: string) => whole.slice(0, whole.length / 2)],
  ['of something else', () => '{"nodes": 1}'],
  ['of nothing', () => ''],
])('a file %s ends with 2 and a sentence', (_, change) => {
  writeFileSync(join(folder, 'bad'), change(readFileSync(join(folder, 'long.cpuprofile'), 'utf8')));
  const { status, stderr } = lens('bad');
  expect(status).toBe(2);
  expect(stderr).toMatch(/^lens: bad .*\.\n/);
});
