// node run.mjs FILE... [--only lens,scan]   Beside each other, on the same file, in one run: cpu, wall and peak memory.
// Needs GNU time (/usr/bin/time), `npm install` in this folder, and `npm run build` in the root.
import { spawnSync } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { basename } from 'node:path';
import { rustReader } from './tools/rust.mjs';

const here = import.meta.dirname;
const heapLimit = '--max-old-space-size=12288';
const TOOLS = {
  scan: ['node', `${here}/tools/byte-scan.mjs`],
  lens: ['node', `${here}/../../bin/lens.js`, 'heap'],
  rust: [rustReader(here), 'summary'],
  devtools: ['node', heapLimit, `${here}/tools/devtools.mjs`],
  memlab: ['node', heapLimit, `${here}/tools/memlab.mjs`],
};

const only = process.argv
  .find(word => word.startsWith('--only='))
  ?.slice('--only='.length)
  .split(',');
const files = process.argv.slice(2).filter(word => !word.startsWith('--') && existsSync(word));
const ROUNDS = Number(process.env.ROUNDS ?? 3);

for (const file of files) {
  const bytes = statSync(file).size;
  const chosen = Object.keys(TOOLS).filter(name => !only || only.includes(name));
  // Rounds are interleaved, so that a busy minute of the machine hits all of them.
  const runs = Array.from({ length: ROUNDS }, () => chosen.map(name => [name, measure(TOOLS[name], file)])).flat();
  const median = (name, key) => middle(runs.filter(([of, run]) => of === name && run.ok).map(([, run]) => run[key]));
  console.log(`\n${basename(file)}  ${(bytes / 1e6).toFixed(0)} MB`);
  console.log('tool       cpu s   wall s   peak MB   cpu ÷ scan   cpu ÷ lens   peak ÷ file   wall ÷ scan');
  for (const name of chosen) {
    const cpu = median(name, 'cpu');
    if (cpu === undefined) {
      console.log(`${name.padEnd(9)}  ${runs.find(([of]) => of === name)?.[1].why}`);
      continue;
    }
    const ratio = to => (median(to, 'cpu') === undefined ? '-' : (cpu / median(to, 'cpu')).toFixed(2));
    const cells = [cpu.toFixed(2), median(name, 'wall').toFixed(2), (median(name, 'peak') / 1e6).toFixed(0)];
    cells.push(ratio('scan'), ratio('lens'), (median(name, 'peak') / bytes).toFixed(2));
    cells.push((median(name, 'wall') / median('scan', 'wall')).toFixed(2));
    const widths = [7, 9, 10, 13, 13, 14, 14];
    console.log(name.padEnd(9) + cells.map((cell, i) => cell.padStart(widths[i])).join(''));
  }
}

function measure(command, file) {
  const run = spawnSync('/usr/bin/time', ['-f', 'TIME %U %S %e %M', ...command, file], {
    encoding: 'utf8',
    maxBuffer: 2 ** 30,
  });
  const [, user, system, wall, peak] = /TIME (\S+) (\S+) (\S+) (\d+)/.exec(run.stderr ?? '') ?? [];
  const ok = run.status === 0 && user !== undefined;
  const why = ok
    ? ''
    : `failed: ${(run.stderr ?? '')
        .split('\n')
        .find(line => line.trim() !== '')
        ?.slice(0, 90)}`;
  return { ok, why, cpu: Number(user) + Number(system), wall: Number(wall), peak: Number(peak) * 1024 };
}

function middle(values) {
  return values.length === 0 ? undefined : values.sort((a, b) => a - b)[values.length >> 1];
}
