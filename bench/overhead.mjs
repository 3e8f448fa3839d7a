// A busy HTTP server before, during and after lens looks at it: CPU per request and requests per second, as paired ratios.
// Windows of equal request counts alternate on one warmed server: ratio = during ÷ mean(before, after).
// Run: node bench/overhead.mjs [pairs] [mode] [requests]; throughput under a watch at its default interval, with a
// reading or two in each window: node bench/overhead.mjs 8 'lens watch' 500000
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import http from 'node:http';
import { fileURLToPath } from 'node:url';
import { spawn as spawnInTerminal } from '@lydell/node-pty';

const pairs = Number(process.argv[2] ?? 5);
const REQUESTS = Number(process.argv[4] ?? 6000);
const lens = fileURLToPath(new URL('../bin/lens.js', import.meta.url));

const SERVER = `
const rows = Array.from({ length: 40 }, (_, id) => ({ id, name: 'row ' + id, tags: ['a', 'b', id % 7] }));
require('http').createServer((q, s) => { s.setHeader('content-type', 'application/json'); s.end(JSON.stringify(rows.map(r => ({ ...r, at: q.url })))); })
  .listen(0, function () { console.log(this.address().port); });
process.stdin.resume().on('end', () => process.exit());`;

/** CPU of all threads so far, in milliseconds; finer than /proc/PID/stat's hundredths. */
function cpuMs(pid) {
  const tasks = readdirSync(`/proc/${pid}/task`);
  return (
    tasks.reduce(
      (sum, id) => sum + Number(readFileSync(`/proc/${pid}/task/${id}/schedstat`, 'utf8').split(' ')[0]),
      0,
    ) / 1e6
  );
}

const agent = new http.Agent({ keepAlive: true, maxSockets: 8 });
const get = port =>
  new Promise((resolve, reject) => {
    http.get({ port, agent, path: '/rows' }, response => response.resume().on('end', resolve)).on('error', reject);
  });

/** CPU microseconds per request, and requests per second, of one window. */
async function window(pid, port) {
  const [before, from] = [cpuMs(pid), performance.now()];
  let left = REQUESTS;
  await Promise.all(
    Array.from({ length: 8 }, async () => {
      while (left-- > 0) await get(port);
    }),
  );
  const micros = ((cpuMs(pid) - before) * 1000) / REQUESTS;
  return { micros, perSecond: (REQUESTS * 1000) / (performance.now() - from) };
}

async function lensOn(pid, args) {
  const [command, ...more] = args;
  const child = spawn(process.execPath, [lens, command, '--pid', String(pid), ...more], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  // `lens run` says on stderr that it has read the first vitals, `lens watch` on stdout that it is there.
  await new Promise(resolve => {
    let text = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', chunk => {
        text += chunk;
        if (/rss \d+ MB|: attached/.test(text)) resolve();
      });
    child.once('exit', resolve);
  });
  return async () => {
    child.kill('SIGINT');
    if (child.exitCode === null) await once(child, 'exit');
  };
}

/** The live screen, attached and at rest: it reads the numbers every other second. */
async function screenOn(pid) {
  const env = { ...process.env, TERM: 'xterm-256color' };
  const screen = spawnInTerminal(process.execPath, [lens, 'attach', '--hold', String(pid)], {
    cols: 120,
    rows: 34,
    env,
  });
  const exited = new Promise(resolve => screen.onExit(resolve));
  await new Promise(resolve => screen.onData(text => /loop delay/.test(text) && resolve()));
  await new Promise(resolve => setTimeout(resolve, 3000)); // until the rest of the program is loaded
  return () => {
    screen.write('q');
    return exited;
  };
}

const median = values => [...values].sort((a, b) => a - b)[values.length >> 1];
const said = ratios => `× ${median(ratios).toFixed(3)}  (pairs: ${ratios.map(r => r.toFixed(3)).join(' ')})`;
const target = spawn(process.execPath, ['--inspect-port=0', '-e', SERVER], { stdio: ['pipe', 'pipe', 'ignore'] });
try {
  const port = Number(String((await once(target.stdout, 'data'))[0]));
  for (let i = 0; i < 3; i++) await window(target.pid, port);
  const modes = {
    'nothing (A/A)': undefined,
    'lens watch': ['watch', '--no-investigate'],
    'lens attach, idle': 'screen',
    'watching vitals': ['run', '--json', '--skills', 'runtime'],
    'a whole run': ['run', '--json'],
  };
  for (const [name, args] of Object.entries(modes).filter(([name]) => name === (process.argv[3] ?? name))) {
    const ratios = [];
    for (let i = 0; i < pairs; i++) {
      const before = await window(target.pid, port);
      const stop =
        args === 'screen' ? await screenOn(target.pid) : args ? await lensOn(target.pid, args) : async () => {};
      const during = await window(target.pid, port);
      await stop();
      const after = await window(target.pid, port);
      const ratio = of => during[of] / ((before[of] + after[of]) / 2);
      ratios.push([ratio('micros'), ratio('perSecond')]);
    }
    console.log(`${name.padEnd(17)} cpu per request ${said(ratios.map(([cpu]) => cpu))}`);
    console.log(`${''.padEnd(16)} requests/s      ${said(ratios.map(([, rate]) => rate))}`);
  }
} finally {
  target.stdin.end();
  agent.destroy();
}
