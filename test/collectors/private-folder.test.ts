import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { afterEach, expect, test, vi } from 'vitest';
import { makePrivateFolder, removeLeftFolders } from '../../src/collectors/private-folder.js';

const folder = mkdtempSync(join(tmpdir(), 'lens-test-'));
vi.stubEnv('TMPDIR', folder);
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test('what a killed lens left goes; what a living one uses, another container has or others named stays', async () => {
  const own = makePrivateFolder();
  expect(dirname(own)).toBe(folder);
  const [, , space = ''] = basename(own).split('-');
  const gone = spawnSync(process.execPath, ['-e', '']).pid;
  const named = (name: string) => {
    mkdirSync(join(folder, name));
    writeFileSync(join(folder, name, 'suspended.heapsnapshot'), '{}');
    return join(folder, name);
  };
  const left = named(`lens-private-${space}-${gone}-aB3dE6`);
  const kept = [named(`lens-private-1-${gone}-aB3dE6`), named(`lens-${gone}`), named(`lens-private-${space}-${gone}`)];
  await removeLeftFolders();
  expect(existsSync(left)).toBe(false);
  expect([own, ...kept].filter(path => existsSync(path))).toEqual([own, ...kept]);
});
