import { expect, test } from 'vitest';
import type { Evidence } from '../../src/model/evidence/index.js';
import type { VitalsSample } from '../../src/model/evidence/vitals.js';
import type { NotificationDraft } from '../../src/model/notification.js';
import type { OperatorView, Step } from '../../src/model/skill.js';
import { allocator } from '../../src/skills/allocator.js';

const MB = 1e6;
const known = { severity: 'warning', confidence: 'high', culprit: { file: 'a.js', line: 1 } } as NotificationDraft;

interface Process {
  /** Bytes a second. */
  readonly native: number;
  readonly buffers: number;
  /** A cause is known from this window on; the first is 0. */
  readonly knownFrom?: number;
}

/** How many windows of five seconds the skill looks at such a process. */
async function windowsOf({ native, buffers, knownFrom = Number.POSITIVE_INFINITY }: Process): Promise<number> {
  let windows = 0;
  const sample = (second: number) => {
    const external = 5 * MB + buffers * second;
    const rest = 40 * MB + native * second;
    // Only these are read.
    return {
      heapTotalBytes: 20 * MB,
      externalBytes: external,
      arrayBuffersBytes: external,
      rssBytes: 20 * MB + external + rest,
    } as VitalsSample;
  };
  async function* ask(kind: string): Step<Evidence> {
    if (kind !== 'vitals') return { id: kind, kind, status: 'unavailable' } as Evidence;
    const from = 5 * windows++;
    const samples = Array.from({ length: 6 }, (_, i) => sample(from + i));
    return { id: `vitals-${windows}`, kind, status: 'ok', data: { seconds: 5, samples } } as unknown as Evidence;
  }
  // biome-ignore lint/correctness/useYield: a reading that needs no tool call here
  async function* notifications(): Step<readonly { operator: string; draft: NotificationDraft }[]> {
    return windows >= knownFrom ? [{ operator: 'cpu', draft: known }] : [];
  }
  async function* nothing(): Step<void> {}
  const view = { ask, notifications, snapshot: nothing, setState: nothing, notify: nothing, urgent: false };
  // What this playbook uses of a view.
  const playbook = allocator.playbook(view as unknown as OperatorView);
  while (!(await playbook.next()).done);
  return windows;
}

test('native memory that grows is watched to the end, unless a cause is known already', async () => {
  expect(await windowsOf({ native: MB, buffers: 0 })).toBe(7);
  expect(await windowsOf({ native: MB, buffers: 0, knownFrom: 2 })).toBe(2);
});

test('buffers that grow are watched to the end beside a known cause: that is a second fault', async () => {
  expect(await windowsOf({ native: 0, buffers: MB, knownFrom: 1 })).toBe(7);
});
