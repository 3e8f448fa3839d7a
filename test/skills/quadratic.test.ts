import { expect, test } from 'vitest';
import { blame } from '../../src/cpu/blame.js';
import { owned } from '../../src/cpu/owned.js';
import { callTree, type Frame } from '../../src/cpu/tree.js';
import { weigh } from '../../src/cpu/weights.js';
import type { CpuProfile } from '../../src/model/evidence/cpu-profile.js';
import type { Evidence } from '../../src/model/evidence/index.js';
import type { OperatorView, Step } from '../../src/model/skill.js';
import type { Cause } from '../../src/skills/cause.js';
import { quadratic } from '../../src/skills/quadratic.js';
import type { Study } from '../../src/skills/study.js';
import { ScriptText } from '../../src/source/script.js';

const URL = 'file:///srv/app.mjs';

interface Sampled {
  readonly name: string;
  /** 1-based line and 0-based column where the function begins, and the line that its samples stand on. */
  readonly line: number;
  readonly column: number;
  readonly on: number;
  readonly ms: number;
}

/** The answer of a step that asks nothing. */
async function played<T>(step: Step<T>): Promise<T> {
  const { done, value } = await step.next();
  if (!done) throw new Error('it asks');
  return value;
}

/** What the rule says of functions that call one another, outermost first, and are idle for the rest of a second. */
function told(text: string, stack: readonly Sampled[], mechanism: Cause['mechanism'] = 'compute') {
  const frame = (functionName: string, line: number, columnNumber: number, url = URL) => ({
    functionName,
    scriptId: url === '' ? '0' : '7',
    url,
    lineNumber: line - 1,
    columnNumber,
  });
  const nodes = [
    { id: 1, callFrame: frame('(root)', 1, 0, ''), children: [2, 3] },
    { id: 2, callFrame: frame('(idle)', 1, 0, ''), children: [] },
    ...stack.map(({ name, line, column, on, ms }, at) => ({
      id: 3 + at,
      callFrame: frame(name, line, column),
      children: at + 1 < stack.length ? [4 + at] : [],
      positionTicks: ms > 0 ? [{ line: on, ticks: ms }] : [],
    })),
  ];
  const busy = stack.flatMap(({ ms }, at) => Array.from({ length: ms }, () => 3 + at));
  const samples = [...busy, ...Array.from({ length: 1000 - busy.length }, () => 2)];
  const profile = { nodes, samples, timeDeltas: samples.map(() => 1000), startTime: 0, endTime: 1_000_000 };
  const tree = callTree(profile);
  const work = weigh(tree);
  const blamed = blame(tree, work)!;
  const users = blamed.path.filter((each: Frame) => each.kind === 'user');
  const script = new ScriptText({ scriptId: '7', url: URL, text });
  const parts = owned(tree, work, blamed.frameIndex);
  const place = { file: 'app.mjs', line: stack.at(-1)!.on };
  const cause = {
    blame: blamed,
    owned: parts,
    place,
    mechanism,
    what: '',
    mechanismShare: 1,
    users,
    scripts: new Map([['7', script]]),
  };
  // Only its id is quoted.
  const evidence = { id: 'cpu-profile-1' } as Evidence<CpuProfile>;
  const study: Study = { evidence, tree, stalls: [], work };
  return played(quadratic({ target: { cwd: '/srv' } } as OperatorView, study, cause));
}

test('a search whose condition V8 did not inline everywhere is one search', async () => {
  const text = 'const users = [];\nexport function byId(id) {\n  return users.find(user => user.id === id);\n}\n';
  const search = (ms: number) =>
    told(text, [
      { name: 'byId', line: 2, column: 20, on: 3, ms },
      { name: '', line: 3, column: 20, on: 3, ms },
    ]);
  expect(await search(80)).toMatchObject({
    faultClass: 'cpu.hot',
    culprit: { file: 'app.mjs', line: 3, function: 'byId' },
  });
  expect(await search(30)).toBeUndefined();
});

test('what is serialized again for each reader is told with its line', async () => {
  const text = 'export function tell(data) {\n  for (const one of readers)\n    one.send(JSON.stringify(data));\n}\n';
  const found = await told(text, [{ name: 'tell', line: 1, column: 20, on: 3, ms: 200 }], 'serialization');
  expect(found?.title).toContain('`JSON.stringify(data)` anew in each round of a loop');
  const own = await told(
    text.replace('(data))', '(one.data))'),
    [{ name: 'tell', line: 1, column: 20, on: 3, ms: 200 }],
    'serialization',
  );
  expect(own).toBeUndefined();
});

test('an honest hot path is not', async () => {
  const text = 'export function sum(list) {\n  return list.reduce((all, one) => all + one.n, 0);\n}\n';
  expect(await told(text, [{ name: 'sum', line: 1, column: 19, on: 2, ms: 600 }])).toBeUndefined();
});
