// Records what `lens watch` reads of healthy programs, for test/monitor/recordings.test.ts: one file a program, a row a
// reading. Run: node bench/record.mjs NAME... (fixtures/apps/NAME/world.mjs), about three minutes each.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';

const ROOT = resolve(import.meta.dirname, '..');
/** A world lives for 180 s. */
const FOR = '165s';
const EVERY = '1s';
const TO = join(ROOT, 'test/monitor/recordings');

mkdirSync(TO, { recursive: true });
for (const name of process.argv.slice(2)) await record(name);

async function record(name) {
  const world = spawn(process.execPath, [join(ROOT, 'fixtures/apps', name, 'world.mjs')], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...process.env, INSPECT_PORT: '0' },
  });
  const pid = await ready(world);
  const home = mkdtempSync(join(tmpdir(), 'lens-record-'));
  const rows = [];
  if (pid !== undefined) {
    const argv = [join(ROOT, 'bin/lens.js'), 'watch', pid, '--json', '--interval', EVERY, '--for', FOR];
    const lens = spawn(process.execPath, [...argv, '--no-investigate'], {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...process.env, XDG_STATE_HOME: home, XDG_CONFIG_HOME: home },
    });
    for await (const line of createInterface({ input: lens.stdout })) {
      const event = JSON.parse(line);
      if (event.type === 'metrics.read') rows.push(event.values);
    }
  }
  world.stdin.end();
  world.kill();
  if (world.exitCode === null) await once(world, 'exit');
  rmSync(home, { recursive: true, force: true });
  if (rows.length === 0) return console.log(`${name}: nothing`);
  writeFileSync(join(TO, `${name}.json`), `${JSON.stringify(table(rows))}\n`);
  console.log(`${name}: ${rows.length} readings`);
}

async function ready(world) {
  for await (const line of createInterface({ input: world.stdout })) {
    const [, pid] = /^ready pid=(\d+)/.exec(line) ?? [];
    if (pid !== undefined || /^(impossible|gone)/.test(line)) return pid;
  }
}

/** Columns of numbers with four digits: a tenth of the size of rows of names. */
function table(rows) {
  const names = [...new Set(rows.flatMap(Object.keys))];
  const short = value => (value === undefined ? null : Number(value.toPrecision(4)));
  return Object.fromEntries(names.map(name => [name, rows.map(row => short(row[name]))]));
}
