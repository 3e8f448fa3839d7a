// What `lens watch` needs itself while it watches many processes at its default interval, and what it costs them.
// Run: node bench/fifty.mjs [processes] [minutes]. Prints lens' share of a core while it attaches and after, its memory,
// and the cpu that all targets together used per second before, during and after.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const COUNT = Number(process.argv[2] ?? 50);
const MINUTES = Number(process.argv[3] ?? 2);
const lens = fileURLToPath(new URL('../bin/lens.js', import.meta.url));
const MARK = `fifty-${process.pid}`;

/** A small service: a little work ten times a second, a connection open, a cache that stays as it is. */
const SERVER = `
const cache = new Map(Array.from({ length: 500 }, (_, i) => [i, { id: i, text: 'x'.repeat(100) }]));
setInterval(() => JSON.stringify([...cache.values()]), 100);
require('http').createServer((q, s) => s.end('ok')).listen(0, () => console.log('ready'));
process.stdin.resume().on('end', () => process.exit());`;

/** User and system time so far, in milliseconds. */
function cpuMs(pid) {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

const rssMb = pid => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) / 1024;
const servers = [];
const all = () => servers.reduce((sum, { pid }) => sum + cpuMs(pid), 0);

async function share(read, ms) {
  const [before, at] = [read(), performance.now()];
  await sleep(ms);
  return ((read() - before) / (performance.now() - at)) * 100;
}

const home = mkdtempSync(join(tmpdir(), 'lens-fifty-'));
let watcher;
try {
  for (let i = 0; i < COUNT; i++) {
    const server = spawn(process.execPath, ['--inspect-port=0', '-e', SERVER, '--', MARK], {
      stdio: ['pipe', 'pipe', 'ignore'],
    });
    servers.push(server);
    await once(server.stdout, 'data');
  }
  await sleep(5_000);
  const before = await share(all, 30_000);
  const startedAt = performance.now();
  watcher = spawn(process.execPath, [lens, 'watch', '--name', MARK, '--json', '--no-investigate'], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, XDG_STATE_HOME: home, XDG_CONFIG_HOME: home },
  });
  let attached = 0;
  let readings = 0;
  const everyone = new Promise(done => {
    createInterface({ input: watcher.stdout }).on('line', line => {
      const { type } = JSON.parse(line);
      if (type === 'metrics.read') readings++;
      if (type === 'target.attached' && ++attached === COUNT) done();
    });
  });
  await Promise.race([everyone, sleep(120_000)]);
  const seconds = (performance.now() - startedAt) / 1000;
  console.log(
    `attached to ${attached} of ${COUNT} in ${seconds.toFixed(1)} s, ${(cpuMs(watcher.pid) / 1000).toFixed(1)} s of cpu`,
  );
  await sleep(35_000); // everybody's first window
  const first = readings;
  let most = 0;
  const looking = setInterval(() => {
    most = Math.max(most, rssMb(watcher.pid));
  }, 1_000);
  const [own, during] = await Promise.all([
    share(() => cpuMs(watcher.pid), MINUTES * 60_000),
    share(all, MINUTES * 60_000),
  ]);
  clearInterval(looking);
  console.log(`lens: ${own.toFixed(1)} % of a core, ${most.toFixed(0)} MB at most, ${readings - first} readings`);
  watcher.kill('SIGINT');
  await once(watcher, 'exit');
  watcher = undefined;
  const after = await share(all, 30_000);
  const said = [before, during, after].map(percent => `${percent.toFixed(1)} %`);
  console.log(`all targets together: ${said[0]} of a core before, ${said[1]} during, ${said[2]} after`);
} finally {
  watcher?.kill('SIGKILL');
  for (const server of servers) server.stdin.end();
  rmSync(home, { recursive: true, force: true });
}
