import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { EventBody } from '../../src/model/event.js';
import type { Report } from '../../src/model/report.js';
import { openRunDirectory } from '../../src/stores/run-directory.js';
import { anthropicAnswer, anthropicError, modelServer } from '../llm/model-server.js';

const SECRET = 'ghp_16C7e42F292c6912E7710c838347Ae178B4a';
const target = {
  pid: 7,
  nodeVersion: 'v20.1.0',
  command: `node a.js --token=${SECRET}`,
  cwd: '/srv',
  platform: 'linux',
};
const REPORT: Report = {
  schema: 'lens.report/1',
  lens: { version: '0' },
  run: { id: 'r', reason: 'memory', startedAt: 0, finishedAt: 1, planner: 'rules' },
  target,
  verdict: 'healthy',
  summary: 'No fault found.',
  insights: [],
  operators: [
    {
      skill: 'heap',
      state: 'healthy',
      outcome: 'healthy',
      summary: 'Live heap is flat at 48.2 MB over 20 s.',
      iterations: 3,
      incomplete: false,
      durationMs: 1,
      notificationIds: [],
    },
  ],
  notifications: [],
  inconclusive: [],
  failures: [],
  disturbance: { pausedMs: 0, longestPauseMs: 0, targetCpuMs: 0, readings: [] },
  artifacts: [],
  detached: { inspectorClosed: true, residue: [] },
};

let home: string;
let run: string;

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'lens-ask-'));
  run = join(home, 'run-1');
  const directory = openRunDirectory(run, 'test');
  const append = (body: EventBody) => directory.append({ at: 1, runId: 'r', traceId: 't', ...body });
  const costs = { pausedMs: 0, costMs: 0, tookMs: 0 };
  append({ type: 'run.started', reason: 'memory', lens: 'test', planner: 'rules' });
  append({
    type: 'evidence.collected',
    id: 'vitals-1',
    kind: 'vitals',
    params: {},
    status: 'ok',
    ...costs,
    data: { rssBytes: 90_200_000 },
  });
  append({ type: 'run.finished', report: REPORT });
  directory.close();
});
afterAll(() => rm(home, { recursive: true, force: true }));

interface Said {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

async function lens(args: readonly string[], env: Record<string, string> = {}): Promise<Said> {
  const plain = { PATH: process.env.PATH ?? '', HOME: home, XDG_STATE_HOME: home, XDG_CONFIG_HOME: home };
  const argv = ['--import', 'tsx', 'src/cli.ts', 'ask', '--run', run, ...args];
  return promisify(execFile)(process.execPath, argv, { env: { ...plain, ...env } }).then(
    ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
    (error: Said) => error,
  );
}

describe('lens ask --run', () => {
  test('without a key the rules answer with their numbers', async () => {
    const { code, stdout } = await lens(['is it leaking?']);
    expect(code).toBe(0);
    expect(stdout).toContain('flat at 48.2 MB over 20 s');
  });

  test('--require-llm without a key is exit 4, with the next step', async () => {
    const { code, stdout, stderr } = await lens(['is it leaking?', '--require-llm']);
    expect([code, stdout]).toEqual([4, '']);
    expect(stderr).toContain('ANTHROPIC_API_KEY');
  });

  test('--dry-run shows what would be sent, without secrets, and sends nothing', async () => {
    await using server = await modelServer(anthropicAnswer([{ text: 'no' }]));
    const { stdout } = await lens(['is it leaking?', '--dry-run', '--base-url', server.url], {
      ANTHROPIC_API_KEY: 'sk-1',
    });
    expect(stdout).toContain('is it leaking?');
    expect(stdout).toContain('[secret-');
    expect(stdout).not.toContain(SECRET);
    expect(server.heard).toHaveLength(0);
  });

  test('a model answers from what was read; what it invents is sent back, then marked', async () => {
    await using server = await modelServer(
      anthropicAnswer([{ text: 'Yes: 4711 MB are held [vitals-9].' }]),
      anthropicAnswer([{ text: 'No: it holds 90.2 MB [vitals-1], but 4711 MB once.' }]),
    );
    const env = { ANTHROPIC_API_KEY: 'sk-test-key' };
    const { stdout, code } = await lens(['is it leaking?', '--json', '--base-url', server.url], env);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      by: 'model',
      calls: 2,
      marks: ['"4711 MB" is in nothing that was read.'],
    });
    expect(server.heard).toHaveLength(2);
    expect(server.heard.map(({ text }) => text).join()).not.toContain(SECRET);
    expect(stdout).not.toContain('sk-test-key');
  });

  test('a key that is refused is said, and the rules answer', async () => {
    await using server = await modelServer(anthropicError(401, 'authentication_error', 'invalid key'));
    const env = { ANTHROPIC_API_KEY: 'sk-test-key' };
    const { stdout, stderr, code } = await lens(['is it leaking?', '--base-url', server.url], env);
    expect(code).toBe(0);
    expect(stderr).toMatch(/invalid key The rules answer instead/);
    expect(stdout).toContain('flat at 48.2 MB');
    expect(stdout + stderr).not.toContain('sk-test-key');
  });
});
