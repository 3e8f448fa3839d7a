// Installs what the sick programs of fixtures/ are made of; with --runtimes also the other Node versions they run on.
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';

const root = new URL('..', import.meta.url).pathname;
const folders = ['fixtures/apps', ...(process.argv.includes('--runtimes') ? ['fixtures/runtimes'] : [])];

for (const folder of folders) {
  const cwd = `${root}${folder}`;
  if (!existsSync(`${cwd}/package.json`) || existsSync(`${cwd}/node_modules`)) continue;
  process.stderr.write(`installing ${folder}\n`);
  execFileSync('npm', ['ci', '--no-audit', '--no-fund', '--silent'], { cwd, stdio: 'inherit' });
}
