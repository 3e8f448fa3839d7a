// Lets lens loose on programs of many kinds and ends it in every way; says what became of the programs.
// Run: node bench/harm.mjs [--rounds 20] [--parallel 2] [--node 18,20,22,24,26] [--target busy,esm] [--end whole,sigint,sigkill,twice]
// Exit code 1 when a program died, stopped answering, printed something of lens or kept something of it.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { WebSocket } from 'ws';
import { targets } from './harm/targets.mjs';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '20' },
    parallel: { type: 'string', default: '2' },
    node: { type: 'string', default: '18,20,22,24,26' },
    target: { type: 'string', default: Object.keys(targets).join() },
    end: { type: 'string', default: 'whole,sigint,sigkill,twice' },
    cores: { type: 'string' }, // where core dumps go (ulimit -c unlimited)
    lens: { type: 'string', default: fileURLToPath(new URL('../bin/lens.js', import.meta.url)) },
  },
});
const home = mkdtempSync(join(tmpdir(), 'lens-harm-'));

/** A lease of ten seconds, one to look, and time for a loaded machine. */
const CLEAN_WITHIN_MS = 12_000;
/** The longest that a run is let go on before it is ended. */
const LONGEST_MS = 25_000;

const nodeOf = major =>
  process.versions.node.startsWith(`${major}.`)
    ? process.execPath
    : fileURLToPath(new URL(`../fixtures/runtimes/node_modules/node${major}/bin/node`, import.meta.url));

async function startTarget(name, major) {
  const { source, execArgv = [], esm, client } = targets[name];
  const file = join(home, `${name}-${Math.random().toString(36).slice(2)}.${esm ? 'mjs' : 'cjs'}`);
  writeFileSync(file, source);
  const child = spawn(nodeOf(major), ['--expose-internals', '--inspect-port=0', ...execArgv, file], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, NODE_OPTIONS: '' },
    cwd: values.cores ?? home,
  });
  const target = { child, name, major, out: '', err: '', port: 0 };
  child.stdout.on('data', data => {
    target.out += data;
  });
  child.stderr.on('data', data => {
    target.err += data;
  });
  for (let i = 0; i < 200 && !/ready (\d+)/.test(target.out); i++) await sleep(50);
  target.port = Number(/ready (\d+)/.exec(target.out)?.[1]);
  if (!target.port) throw new Error(`${name} on ${major} did not start: ${target.err}`);
  if (client) target.client = await debugClient(/ws:\/\/\S+/.exec(target.err)[0]);
  return target;
}

/** Somebody else's debugger, as an IDE holds it. */
async function debugClient(url) {
  const socket = new WebSocket(url);
  socket.on('error', () => {});
  await new Promise(resolve => socket.once('open', resolve));
  let id = 0;
  for (const method of ['Runtime.enable', 'Debugger.enable']) socket.send(JSON.stringify({ id: ++id, method }));
  return socket;
}

function ask(target, path) {
  return new Promise(resolve => {
    const request = http.get({ port: target.port, path, agent: false, timeout: 8000 }, response => {
      let text = '';
      response.on('data', data => {
        text += data;
      });
      response.on('end', () => resolve(text));
    });
    request.on('error', () => resolve(undefined)).on('timeout', () => request.destroy());
  });
}

const alive = ({ child }) => child.exitCode === null && child.signalCode === null;

/** Runs lens on the target and ends it as told; its exit code, or the signal. */
async function runLens(target, end) {
  const argv = [
    values.lens,
    'run',
    '--pid',
    String(target.child.pid),
    '--json',
    '--dir',
    join(home, `run-${Math.random()}`),
  ];
  const lens = spawn(process.execPath, argv, { stdio: ['ignore', 'pipe', 'pipe'] });
  const written = { out: '', err: '' };
  lens.stdout.on('data', data => {
    written.out += data;
  });
  lens.stderr.on('data', data => {
    written.err += data;
  });
  const exited = new Promise(resolve => lens.once('exit', (code, signal) => resolve(code ?? signal)));
  const patienceMs = end === 'whole' ? 180_000 : 50 + Math.random() ** 2 * LONGEST_MS;
  // Unref'ed: the last round must not wait for it.
  const isOver = await Promise.race([exited.then(() => true), sleep(patienceMs, undefined, { ref: false })]);
  if (!isOver && end === 'whole') lens.kill('SIGKILL');
  if (!isOver && end === 'sigkill') lens.kill('SIGKILL');
  if (!isOver && (end === 'sigint' || end === 'twice')) lens.kill('SIGINT');
  if (!isOver && end === 'twice') setTimeout(() => lens.kill('SIGINT'), Math.random() * 200);
  const endedAt = performance.now();
  const code = await exited;
  return { code, endMs: Math.round(performance.now() - endedAt), isOver: isOver === true, ...written };
}

function faults(target, end, ended, differences) {
  const found = [];
  if (!alive(target))
    found.push(`DIED with ${target.child.exitCode ?? target.child.signalCode}: ${target.err.slice(-600)}`);
  else if (differences === undefined) found.push('does not answer');
  else if (differences !== '[]') found.push(`kept: ${differences.slice(0, 400)}`);
  if (/lens/i.test(target.out.replaceAll(home, '')))
    found.push(`stdout: ${/.*lens.*/i.exec(target.out.replaceAll(home, ''))[0].slice(0, 300)}`);
  const said = target.err
    .replaceAll(home, '')
    .split('\n')
    .filter(
      line => !/^(Debugger|For help|Starting inspector|Warning: |LOG |\s*at |Trace)/.test(line) && line.trim() !== '',
    );
  if (said.some(line => /lens/i.test(line)) || /lens:/.test(target.err))
    found.push(`stderr: ${said.join(' ').slice(0, 300)}`);
  // Before its handlers stand and after its report is written, a signal simply ends lens.
  const early = !/attached to/.test(ended.err) || /kept in/.test(ended.err);
  if (early && ended.code === 'SIGINT') return found;
  const codes =
    ended.isOver || end === 'whole' ? [0, 1, 3] : end === 'sigkill' ? ['SIGKILL'] : [130, ...(early ? [0, 1, 3] : [])];
  if (!codes.includes(ended.code)) found.push(`lens ended with ${ended.code} (${end}): ${ended.err.slice(-500)}`);
  if (end === 'sigint' && ended.endMs > 4000) found.push(`lens took ${ended.endMs} ms to leave`);
  return found;
}

async function round(name, major, end) {
  const target = await startTarget(name, major);
  try {
    await ask(target, '/');
    const ended = await runLens(target, end);
    const until = performance.now() + (end === 'sigkill' ? CLEAN_WITHIN_MS : 1500);
    let differences;
    do {
      differences = await ask(target, '/differences');
      if (differences === '[]' || !alive(target)) break;
      await sleep(250);
    } while (performance.now() < until);
    return { faults: faults(target, end, ended, differences), ended };
  } finally {
    target.client?.terminate();
    target.child.kill('SIGKILL');
  }
}

const pick = list => list[Math.floor(Math.random() * list.length)];
let bad = 0;
let left = Number(values.rounds);
let done = 0;
async function work() {
  while (left-- > 0) {
    const [name, major, end] = [
      pick(values.target.split(',')),
      pick(values.node.split(',')),
      pick(values.end.split(',')),
    ];
    const { faults: found, ended } = await round(name, major, end).catch(error => ({
      faults: [`harness: ${error.stack}`],
      ended: {},
    }));
    done += 1;
    if (found.length > 0) bad += 1;
    console.log(
      `${String(done).padStart(4)} ${name.padEnd(11)} node ${major} ${end.padEnd(8)} → ${ended.code} ${found.length === 0 ? 'unharmed' : `HARMED\n       ${found.join('\n       ')}`}`,
    );
  }
}
await Promise.all(Array.from({ length: Number(values.parallel) }, work));
rmSync(home, { recursive: true, force: true });
console.log(`${done} rounds, ${bad} with harm`);
process.exitCode = bad > 0 ? 1 : 0;
