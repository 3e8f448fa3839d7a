import { expect, test } from 'vitest';
import type { Evidence } from '../../src/model/evidence/index.js';
import type { OperatorView, Step } from '../../src/model/skill.js';
import { type ThreadWait, waitOfThreads } from '../../src/skills/thread-waits.js';

// biome-ignore lint/suspicious/noTemplateCurlyInString: a program's text
const TEXT = 'function dye(thread) {\n  return get(`${base}/dyes/${thread}`);\n}\n';

interface Thread {
  readonly elu: number;
  readonly path: string;
  /** The same call was open at the first scan already. */
  readonly held: boolean;
}

/** A view over a process with these threads. */
function viewOf(threads: readonly Thread[]): OperatorView {
  const data = (kind: string, thread: Thread | undefined): unknown => {
    if (kind === 'workers')
      return { workers: threads.map(({ elu }, id) => ({ id: String(id), title: '', windowElu: elu })) };
    if (kind === 'scripts') return { scripts: [{ scriptId: '1', url: 'file:///srv/dyes.js', text: TEXT }] };
    const heldCount = thread?.held ? 1 : 0;
    return { outgoing: [{ method: 'GET', host: 'dyes', path: thread?.path, state: 'no-answer', count: 1, heldCount }] };
  };
  // biome-ignore lint/correctness/useYield: a reading that needs no tool call here
  async function* ask(kind: string, { thread }: { thread?: string }): Step<Evidence> {
    return { id: kind, kind, status: 'ok', data: data(kind, threads[Number(thread)]) } as Evidence;
  }
  async function* wait(): Step<void> {}
  // What looks into threads uses no more of the view than this.
  return { ask, wait, target: { cwd: '/srv' } } as unknown as OperatorView;
}

async function found(threads: readonly Thread[]): Promise<ThreadWait | undefined> {
  const { value } = await waitOfThreads(viewOf(threads)).next();
  return value as ThreadWait | undefined; // nothing yields here: the first value is the last
}

const waiting = { elu: 0.01, path: '/dyes/:id', held: true };

test('threads that all wait for one peer are told with the line that asks it', async () => {
  const wait = await found([waiting, waiting, { ...waiting, held: false }]);
  expect(wait).toMatchObject({ threads: 2, of: 3, culprit: { file: 'dyes.js', line: 2 } });
});

test('threads that compute, or whose calls are answered soon, wait for nobody', async () => {
  expect(await found([{ ...waiting, elu: 0.9 }])).toBeUndefined();
  expect(await found([{ ...waiting, held: false }, waiting, { ...waiting, held: false }])).toBeUndefined();
});
