import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { Redactor } from '../../src/base/redact.js';
import { lookWithin } from '../../src/commands/watch/look.js';
import { attach } from '../../src/inspector/attach.js';
import { launch } from '../launch.js';
import { modelServer } from '../llm/model-server.js';

test('an investigation of a watch ends in time, whatever its model does, and leaves the session to the watch', async () => {
  const home = mkdtempSync(join(tmpdir(), 'lens-look-'));
  await using server = await modelServer(() => {}); // never answers
  vi.stubEnv('XDG_STATE_HOME', home).stubEnv('XDG_CONFIG_HOME', home);
  vi.stubEnv('ANTHROPIC_API_KEY', 'k').stubEnv('ANTHROPIC_BASE_URL', server.url);
  await using target = await launch(`setInterval(() => {}, 1000); console.log('ready');`);
  const session = await attach({ pid: target.pid });
  try {
    const signal = new AbortController().signal;
    const asked = { reason: 'an alert', redactor: new Redactor(), signal, model: true, deadlineMs: 3_000 };
    const { report } = await lookWithin(session, asked);
    expect(report.run.finishedAt - report.run.startedAt).toBeLessThan(20_000);
    expect(report.verdict).toBe('inconclusive');
    const { result } = await session.send('Runtime.evaluate', { expression: '6 * 7' });
    expect(result.value).toBe(42);
  } finally {
    await session.detach();
    vi.unstubAllEnvs();
    rmSync(home, { recursive: true, force: true });
  }
}, 60_000);
