// Installs what the sick programs of fixtures/ are made of; with --runtimes also the other Node versions they run on.
import { execFileSync } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';

const root = new URL('..', import.meta.url).pathname;
const folders = ['fixtures/apps', ...(process.argv.includes('--runtimes') ? ['fixtures/runtimes'] : [])];

for (const folder of folders) {
  const cwd = `${root}${folder}`;
  if (!existsSync(`${cwd}/package.json`) || isInstalled(cwd)) continue;
  process.stderr.write(`installing ${folder}\n`);
  execFileSync('npm', ['ci', '--no-audit', '--no-fund', '--silent'], { cwd, stdio: 'inherit' });
}

/** npm writes this file last: older than the lock file means that the lock file has changed since. */
function isInstalled(cwd) {
  const written = `${cwd}/node_modules/.package-lock.json`;
  return existsSync(written) && statSync(written).mtimeMs >= statSync(`${cwd}/package-lock.json`).mtimeMs;
}
