// What the live screen costs the host it runs on: start → first numbers, cpu and memory while it investigates and at rest.
// Run: node scripts/build.mjs && node bench/tui.mjs [--rounds 7] [--rest 60]
import { spawn as start } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { spawn } from '@lydell/node-pty';

const { values } = parseArgs({ options: { rounds: { type: 'string' }, rest: { type: 'string' } } });
const rounds = Number(values.rounds ?? 7);
const restSeconds = Number(values.rest ?? 60);
const lens = new URL('../bin/lens.js', import.meta.url).pathname;
const state = mkdtempSync(join(tmpdir(), 'lens-bench-'));
const SERVER = `const http = require('http');
const server = http.createServer((q, s) => s.end('ok')).listen(0, () => {
  setInterval(() => http.get({ port: server.address().port }, r => r.resume()), 20); console.log('ready') });
process.stdin.resume().on('end', () => process.exit())`;
const environment = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(CI|NO_COLOR)/.test(name)));
const env = { ...environment, TERM: 'xterm-256color', LANG: 'C.UTF-8', XDG_STATE_HOME: state };

const target = start(process.execPath, ['--inspect-port=0', '-e', SERVER], { stdio: ['pipe', 'pipe', 'ignore'] });
await once(target.stdout, 'data');
try {
  const starts = [];
  for (let i = 0; i < rounds; i++) starts.push(await startUp());
  say('start → first frame', `${median(starts.map(s => s.frame)).toFixed(0)} ms`);
  say('start → first numbers', `${median(starts.map(s => s.numbers)).toFixed(0)} ms  (median of ${rounds})`);
  for (const size of [
    { cols: 80, rows: 24 },
    { cols: 200, rows: 50 },
  ])
    await cost(size);
} finally {
  target.stdin.end();
  rmSync(state, { recursive: true, force: true });
}

function attach(size) {
  const began = performance.now();
  const pty = spawn(process.execPath, [lens, 'attach', String(target.pid), '--no-llm'], { ...size, env });
  const seen = { text: '', frame: undefined };
  const exited = new Promise(resolve => pty.onExit(resolve));
  const waiting = [];
  pty.onData(data => {
    seen.frame ??= performance.now() - began;
    seen.text = (seen.text + data).slice(-20_000);
    for (const check of waiting) check();
  });
  const until = pattern =>
    new Promise(resolve => {
      waiting.push(() => pattern.test(seen.text) && resolve(performance.now() - began));
    });
  return { pty, seen, exited, until };
}

async function startUp() {
  const { pty, seen, exited, until } = attach({ cols: 120, rows: 34 });
  const numbers = await until(/resident/);
  pty.write('q');
  await exited;
  return { frame: seen.frame, numbers };
}

/** A whole investigation, then a while at rest, as the process table counts it. */
async function cost(size) {
  const { pty, exited, until } = attach(size);
  const ended = await until(/healthy|warning|critical|inconclusive/);
  const working = usage(pty.pid).cpuMs / ended;
  await sleep(5);
  const before = usage(pty.pid);
  await sleep(restSeconds);
  const after = usage(pty.pid);
  const rest = (after.cpuMs - before.cpuMs) / (restSeconds * 1000);
  say(
    `${size.cols}×${size.rows}`,
    `investigating ${percent(working)} of a core over ${(ended / 1000).toFixed(0)} s; ` +
      `at rest ${percent(rest)}, ${after.rssMb.toFixed(0)} MB (${(after.rssMb - before.rssMb).toFixed(1)} MB more after ${restSeconds} s); peak ${after.peakMb.toFixed(0)} MB`,
  );
  pty.write('q');
  await exited;
}

function usage(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /s, '')
    .split(' ');
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const kb = name => Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)?.[1]);
  // A tick is 10 ms on every Linux that Node runs on.
  return {
    cpuMs: (Number(fields[11]) + Number(fields[12])) * 10,
    rssMb: kb('VmRSS') / 1024,
    peakMb: kb('VmHWM') / 1024,
  };
}

function median(list) {
  return [...list].sort((a, b) => a - b)[list.length >> 1];
}

function percent(share) {
  return `${(share * 100).toFixed(1)} %`;
}

function say(what, text) {
  console.log(`${what.padEnd(24)} ${text}`);
}

function sleep(seconds) {
  return new Promise(resolve => setTimeout(resolve, seconds * 1000));
}
