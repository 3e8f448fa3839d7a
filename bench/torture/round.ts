// One target under storms: started, asked meanwhile, told to stop, judged.
import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { attach } from '../../src/inspector/attach.js';
import { nodeBinary } from '../../test/launch.js';
import { type StormOptions, storm } from './storm.js';
import { type TortureTarget, tortureTargets } from './targets.js';

const LENS = fileURLToPath(new URL('../../bin/lens.js', import.meta.url));
const ANSWER_MS = 30_000;
/** Programs breathe by less than this after a collection; what lens leaves each time adds up to more. */
const GROWTH_BYTES = 3 * 1024 * 1024;
const DRIVERS = 4;
/** A killed lens is forgotten by its lease: ten seconds and one to look. */
const LEASE_MS = 12_000;

export interface RoundOptions {
  readonly name: string;
  readonly node: number;
  readonly ms: number;
  readonly cycleMs: number;
  readonly target?: TortureTarget;
  readonly without?: StormOptions['without'];
  /** Every so many cycles a whole lens is started and killed; 0: never. */
  readonly killEvery?: number;
  /** Without lens: what the program does by itself. */
  readonly calm?: boolean;
  readonly say?: (line: string) => void;
}

export interface Round {
  readonly faults: readonly string[];
  /** What lens itself could not read; no harm. */
  readonly failures: readonly string[];
  readonly cycles: number;
  readonly steps: number;
  readonly readings: number;
  readonly answers: number;
}

interface Told {
  readonly kind: string;
  readonly port?: number;
  readonly done: number;
  readonly wrong: number;
  readonly open: number;
  readonly faults: readonly string[];
  readonly heapUsed: number;
  readonly kept?: readonly string[];
  readonly differences?: string;
}

class Target {
  readonly child: ChildProcess;
  out = '';
  err = '';
  port = 0;
  private readonly waiting = new Map<string, (told: Told) => void>();
  private readonly home = mkdtempSync(join(tmpdir(), 'lens-torture-'));

  constructor({ source, execArgv = [] }: TortureTarget, node: number) {
    const file = join(this.home, 'program.cjs');
    writeFileSync(file, source);
    const flags = ['--expose-internals', '--expose-gc', '--inspect-port=0', ...execArgv];
    this.child = spawn(nodeBinary(node as 18), [...flags, file], {
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      env: { ...process.env, NODE_OPTIONS: '' },
    });
    this.child.stdout?.on('data', data => {
      this.out = (this.out + data).slice(-20_000);
    });
    this.child.stderr?.on('data', data => {
      this.err = (this.err + data).slice(-20_000);
    });
    this.child.on('message', message => {
      const told = message as Told; // the program's own words
      if (told.kind === 'port') this.port = told.port ?? 0;
      this.waiting.get(told.kind)?.(told);
    });
  }

  get isAlive(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  async started(): Promise<void> {
    for (let i = 0; i < 1200 && this.isAlive && !this.out.includes('ready'); i++) await sleep(25);
    if (!this.out.includes('ready')) throw new Error(`did not start: ${this.err}`);
  }

  ask(what: 'heap' | 'end'): Promise<Told | undefined> {
    const told = new Promise<Told>(resolve => this.waiting.set(what, resolve));
    if (!this.isAlive || !this.child.connected) return Promise.resolve(undefined);
    this.child.send(what, () => undefined); // it may die right now
    return Promise.race([told, sleep(ANSWER_MS, undefined, { ref: false })]);
  }

  death(): string {
    const words = this.err
      .split('\n')
      .filter(line => !/^(Debugger|For help)/.test(line))
      .join('\n');
    return `DIED with ${this.child.exitCode ?? this.child.signalCode}: ${words.slice(-1500)}`;
  }

  end(): void {
    this.child.kill('SIGKILL');
    rmSync(this.home, { recursive: true, force: true });
  }
}

const sum = (text: string): string => createHash('sha1').update(text).digest('hex');

/** Kept-alive traffic from outside, each answer compared. */
class Traffic {
  answers = 0;
  readonly faults: string[] = [];
  private stopped = false;
  private readonly agent = new http.Agent({ keepAlive: true, maxSockets: DRIVERS });
  private readonly drivers: Promise<void>[];

  constructor(private readonly port: number) {
    this.drivers = port === 0 ? [] : Array.from({ length: DRIVERS }, (_, lane) => this.drive(lane));
  }

  async stop(): Promise<void> {
    this.stopped = true;
    await Promise.all(this.drivers);
    this.agent.destroy();
  }

  private async drive(lane: number): Promise<void> {
    for (let n = lane; !this.stopped && this.faults.length < 5; n += DRIVERS) {
      const body = `body ${n} `.repeat(n % 40);
      const answer = await this.post(n, body).catch((error: Error) => `failed: ${error.message}`);
      const expected = `{"n":${n},"sum":"${sum(n % 5 === 0 ? `${body}inner /${n}` : body)}"`;
      if (!answer.startsWith(expected)) this.faults.push(`answer ${n}: ${answer.slice(0, 120)}`);
      this.answers++;
    }
  }

  private post(n: number, body: string): Promise<string> {
    return new Promise((resolve, reject) => {
      const options = { port: this.port, host: '127.0.0.1', method: 'POST', path: `/${n}`, agent: this.agent };
      const request = http.request({ ...options, timeout: ANSWER_MS }, response => {
        let text = '';
        response.on('data', data => {
          text += data;
        });
        response.on('end', () => resolve(text)).on('error', reject);
      });
      request.on('error', reject).on('timeout', () => request.destroy(new Error('no answer in time')));
      request.end(body);
    });
  }
}

/** A whole run of lens that is killed in the midst of it. */
async function killedLens(pid: number): Promise<void> {
  const lens = spawn(process.execPath, [LENS, 'run', '--pid', String(pid), '--json'], { stdio: 'ignore' });
  await sleep(1500 + Math.random() * 4000);
  lens.kill('SIGKILL');
  await sleep(LEASE_MS);
}

export async function round(options: RoundOptions): Promise<Round> {
  const { name, node, ms, cycleMs, killEvery = 0, without = [], calm, say = () => undefined } = options;
  const program = options.target ?? tortureTargets[name] ?? { source: '' };
  const target = new Target(program, node);
  const faults: string[] = [];
  const failures: string[] = [];
  const counts = { cycles: 0, steps: 0, readings: 0 };
  try {
    await target.started();
    const traffic = new Traffic(target.port);
    const until = performance.now() + ms;
    const heaps: number[] = [];
    while (performance.now() < until && target.isAlive) {
      if (killEvery > 0 && counts.cycles % killEvery === killEvery - 1) await killedLens(target.child.pid ?? 0);
      if (calm) await sleep(cycleMs);
      const session = calm
        ? undefined
        : await attach({ pid: target.child.pid ?? 0 }).catch((error: Error) => {
            failures.push(`attach: ${error.message}`);
          });
      if (session) {
        const {
          steps,
          readings,
          failures: failed,
        } = await storm(session, {
          ms: cycleMs,
          from: counts.readings,
          without: [...without, ...(program.without ?? [])],
        });
        counts.steps += steps;
        counts.readings += readings;
        failures.push(...failed);
        const { residue } = await session.detach();
        if (residue.length > 0) faults.push(`residue: ${residue.join()}`);
      }
      counts.cycles += 1;
      const heap = target.isAlive ? await target.ask('heap') : undefined;
      if (target.isAlive && !heap) faults.push('no answer between two cycles');
      if (heap) heaps.push(heap.heapUsed);
      say(
        `${name} ${node}: cycle ${counts.cycles}, ${((heap?.heapUsed ?? 0) / 1e6).toFixed(1)} MB, ${heap?.done} done, ${heap?.wrong} wrong`,
      );
      if (faults.length > 0) break;
    }
    await traffic.stop();
    faults.push(...traffic.faults);
    const end = await target.ask('end');
    if (!target.isAlive) faults.push(target.death());
    else if (!end) faults.push('does not answer');
    else faults.push(...judged(end), ...grown(heaps));
    return { faults, failures, ...counts, answers: traffic.answers };
  } finally {
    target.end();
  }
}

function judged({ wrong, faults, open, kept = [], differences, done }: Told): string[] {
  return [
    ...(wrong > 0 ? [`${wrong} wrong of ${done}: ${faults.join(' | ')}`] : []),
    ...(done === 0 ? ['did nothing'] : []),
    ...(open > 0 ? [`${open} never came to an end`] : []),
    ...(kept.length > 0 ? [`resources: ${kept.join()}`] : []),
    ...(differences !== '[]' ? [`kept: ${differences}`] : []),
  ];
}

/** The lows of the first and of the last third: a program's own breathing is not growth. */
function grown(heaps: readonly number[]): string[] {
  const third = Math.floor(heaps.length / 3);
  if (third < 3) return [];
  const by = Math.min(...heaps.slice(-third)) - Math.min(...heaps.slice(third, 2 * third));
  return by > GROWTH_BYTES ? [`grew by ${(by / 1e6).toFixed(1)} MB in ${heaps.length} cycles`] : [];
}
