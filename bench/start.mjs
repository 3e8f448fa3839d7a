// What lens costs before it says something, as multiples of `node -e 0`: `lens --help`, and attach → first vitals printed.
// Run: node bench/start.mjs [rounds]
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const rounds = Number(process.argv[2] ?? 15);
const lens = fileURLToPath(new URL('../bin/lens.js', import.meta.url));
const SERVER = `require('http').createServer((q, s) => s.end('ok')).listen(0, () => console.log('ready')); process.stdin.resume().on('end', () => process.exit())`;

/** Milliseconds until the process ends, or until a line of its stderr matches. */
async function timed(args, until) {
  const startedAt = performance.now();
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  let text = '';
  let at;
  let stopped = false;
  child.stderr.on('data', chunk => {
    text += chunk;
    if (until?.test(text)) at ??= performance.now();
    if (at !== undefined && !stopped) stopped = child.kill('SIGINT');
  });
  await once(child, 'exit');
  return (until ? (at ?? Number.NaN) : performance.now()) - startedAt;
}

const target = spawn(process.execPath, ['--inspect-port=0', '-e', SERVER], { stdio: ['pipe', 'pipe', 'ignore'] });
await once(target.stdout, 'data');

const series = { 'node -e 0': [], 'lens --help': [], 'lens run → first vitals': [] };
try {
  for (let i = 0; i < rounds; i++) {
    series['node -e 0'].push(await timed(['-e', '0']));
    series['lens --help'].push(await timed([lens, '--help']));
    series['lens run → first vitals'].push(
      await timed([lens, 'run', '--pid', String(target.pid), '--json'], /rss \d+ MB/),
    );
  }
} finally {
  target.stdin.end();
}

const median = values => [...values].sort((a, b) => a - b)[values.length >> 1];
const bare = median(series['node -e 0']);
for (const [name, values] of Object.entries(series))
  console.log(
    `${name.padEnd(26)} ${median(values).toFixed(0).padStart(5)} ms  ${(median(values) / bare).toFixed(2)} × node -e 0  (median of ${rounds})`,
  );
