import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { fromEnvironment, loadSettings } from '../../src/commands/settings.js';

/** A project in a repository below a user's home with settings of its own. */
function project(files: { readonly user?: object; readonly project?: object; readonly script?: string }) {
  const home = mkdtempSync(join(tmpdir(), 'lens-settings-'));
  const cwd = join(home, 'repo', 'packages', 'shop');
  mkdirSync(cwd, { recursive: true });
  mkdirSync(join(home, 'repo', '.git'));
  mkdirSync(join(home, 'config', 'lens'), { recursive: true });
  if (files.user) writeFileSync(join(home, 'config', 'lens', 'config.json'), JSON.stringify(files.user));
  if (files.project) writeFileSync(join(home, 'repo', 'lens.config.json'), JSON.stringify(files.project));
  if (files.script) writeFileSync(join(home, 'repo', 'lens.config.mjs'), files.script);
  return { cwd, env: { XDG_CONFIG_HOME: join(home, 'config') }, home };
}

test('the environment wins over the project, that over the user, that over the defaults, each for itself', async () => {
  const { cwd, env, home } = project({
    user: { watch: { interval: '11s', learn: '12m', cooldown: '13m' } },
    project: { watch: { interval: '21s', learn: '22m' } },
  });
  const { watch, origins } = await loadSettings(cwd, { ...env, LENS_WATCH_INTERVAL: '31s' });
  expect(watch).toMatchObject({ interval: '31s', learn: '22m', cooldown: '13m', suppress: '5m' });
  const from = (name: string) => origins.find(origin => origin.name === name)?.from;
  expect(from('watch.interval')).toBe('LENS_WATCH_INTERVAL');
  expect(from('watch.learn')).toBe(join(home, 'repo', 'lens.config.json'));
  expect(from('watch.cooldown')).toBe(join(home, 'config', 'lens', 'config.json'));
  expect(from('watch.suppress')).toBe('default');
});

test('a settings file may be a module', async () => {
  const { cwd, env } = project({ script: `export default { check: { for: '1m', failOn: 'critical' } };` });
  expect((await loadSettings(cwd, env)).check).toMatchObject({ for: '1m', failOn: 'critical' });
});

test('every mistake is told with its place', async () => {
  const { cwd, env } = project({
    project: {
      watch: { interval: 'soon', thresholds: ['memory.rss>1'] },
      sinks: [{ type: 'webhook', url: 'nowhere' }],
    },
  });
  const wrong = loadSettings(cwd, env);
  await expect(wrong).rejects.toMatchObject({ code: 'usage' });
  await expect(wrong).rejects.toThrow(/watch\.interval: is not a time/);
  await expect(wrong).rejects.toThrow(/watch\.thresholds\.0: There is no metric “memory\.rss”/);
  await expect(wrong).rejects.toThrow(/sinks\.0\.url: is not an address/);
});

test('a secret stands in the environment, and is missed there by name', () => {
  expect(fromEnvironment('$KEY', { KEY: 'k' })).toBe('k');
  expect(fromEnvironment('plain $KEY', {})).toBe('plain $KEY');
  expect(() => fromEnvironment('$KEY', {})).toThrow('$KEY');
});
