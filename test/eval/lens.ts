// Runs the real command line and brings back what a user would have: report, exit code, run folder.
import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Report } from '../../src/model/report.js';
import type { Stage } from './stage.js';

const LENS = new URL('../../bin/lens.js', import.meta.url).pathname;
const LIMIT_MS = 180_000;
const PEAK_EVERY_MS = 250;

export interface LensRun {
  readonly report?: Report;
  readonly exitCode: number | null;
  readonly seconds: number;
  readonly stderr: string;
  /** The most memory that lens itself had resident. */
  readonly peakBytes: number;
  /** Ids of all evidence that the run's own log knows; undefined when no log was found. */
  readonly evidenceIds?: ReadonlySet<string>;
}

/** How lens is started, beyond what every run is. */
export interface Manner {
  readonly args: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
  readonly limitMs?: number;
  /** Sees the state folder before it goes. */
  readonly afterwards?: (state: string) => void;
}

/** A key in the environment must change nothing of what is measured. */
export const BY_RULES: Manner = { args: ['--no-llm'] };

export async function runLens(stage: Stage, reason: string | undefined, how: Manner = BY_RULES): Promise<LensRun> {
  const state = mkdtempSync(join(tmpdir(), 'lens-eval-'));
  const argv = [...stage.inside, process.execPath, LENS, 'run', '--pid', String(stage.pid), '--json', '--no-input'];
  argv.push(...how.args);
  if (reason) argv.push('--reason', reason);
  const env = { ...process.env, ...how.env, XDG_STATE_HOME: state, NO_COLOR: '1' };
  const started = performance.now();
  try {
    const { code, stdout, stderr, peakBytes } = await collect(argv, env, how.limitMs ?? LIMIT_MS);
    const seconds = (performance.now() - started) / 1000;
    const report = parseReport(stdout);
    const evidenceIds = evidenceIdsIn(state);
    return {
      exitCode: code,
      seconds,
      stderr,
      peakBytes,
      ...(report && { report }),
      ...(evidenceIds && { evidenceIds }),
    };
  } finally {
    how.afterwards?.(state);
    rmSync(state, { recursive: true, force: true });
  }
}

function collect(argv: readonly string[], env: NodeJS.ProcessEnv, limitMs: number) {
  return new Promise<{ code: number | null; stdout: string; stderr: string; peakBytes: number }>(resolve => {
    const child = spawn(argv[0]!, argv.slice(1), { stdio: ['ignore', 'pipe', 'pipe'], env });
    const limit = setTimeout(() => child.kill('SIGKILL'), limitMs);
    let stdout = '';
    let stderr = '';
    let peakBytes = 0;
    const watch = setInterval(() => {
      peakBytes = Math.max(peakBytes, residentPeak(child.pid));
    }, PEAK_EVERY_MS);
    child.stdout.on('data', chunk => (stdout += chunk));
    child.stderr.on('data', chunk => (stderr = (stderr + chunk).slice(-4000)));
    child.on('close', code => {
      clearTimeout(limit);
      clearInterval(watch);
      resolve({ code, stdout, stderr, peakBytes });
    });
  });
}

function residentPeak(pid: number | undefined): number {
  try {
    return Number(/^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) * 1024;
  } catch {
    return 0; // ended, or not Linux
  }
}

function parseReport(text: string): Report | undefined {
  try {
    const report = JSON.parse(text) as Report; // checked for its schema in the next line
    return report.schema === 'lens.report/1' ? report : undefined;
  } catch {
    return undefined;
  }
}

function evidenceIdsIn(state: string): Set<string> | undefined {
  const logs = readdirSync(state, { recursive: true, encoding: 'utf8' }).filter(file => file.endsWith('run.ndjson'));
  if (logs.length === 0) return undefined;
  const events = logs.flatMap(file => readFileSync(join(state, file), 'utf8').split('\n'));
  return new Set(
    events.filter(line => line.includes('"evidence.collected"')).map(line => JSON.parse(line).id as string),
  );
}
