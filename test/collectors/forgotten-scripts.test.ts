import { mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { sleep } from '../../src/base/sleep.js';
import { collectionGrowthCollector } from '../../src/collectors/collection-growth.js';
import { sourceCollector } from '../../src/collectors/source.js';
import { attach } from '../../src/inspector/attach.js';
import { launch } from '../launch.js';

const SETTINGS = 'module.exports = Object.freeze({ name: process.title, started: Date.now() });\n';
const folder = await realpath(await mkdtemp(join(tmpdir(), 'lens-forgotten-')));

afterAll(() => rm(folder, { recursive: true }));

test('a module whose script V8 has forgotten, because no function of it is left, is read from its file', async () => {
  await writeFile(join(folder, 'settings.js'), SETTINGS);
  await writeFile(
    join(folder, 'main.js'),
    "const settings = require('./settings');\ngc();\nsetInterval(() => settings, 50);\nconsole.log('ready');",
  );
  await using target = await launch(join(folder, 'main.js'), { execArgv: ['--expose-gc'] });
  const session = await attach({ pid: target.pid });
  const signal = new AbortController().signal;
  const context = {
    signal,
    now: () => performance.now(),
    sleep: (ms: number) => sleep(ms, signal),
    exclusively: <T>(work: () => Promise<T>) => work(),
    mayPause: () => true,
  };
  try {
    const { data } = await collectionGrowthCollector.collect(session, { seconds: 1, quietAfter: 0 }, context);
    const settings = data.applicationScripts?.find(({ url }) => url.endsWith('settings.js'));
    const { data: source } = await sourceCollector.collect(session, { scriptId: settings?.scriptId ?? '' }, context);
    expect(source).toMatchObject({ url: expect.stringContaining(folder), text: SETTINGS });
  } finally {
    await session.detach();
  }
});
