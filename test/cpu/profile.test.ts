import { Profile } from 'pprof-format';
import { expect, test } from 'vitest';
import { blame } from '../../src/cpu/blame.js';
import { difference } from '../../src/cpu/difference.js';
import { toFolded, toPprof, toSpeedscope } from '../../src/cpu/export.js';
import { fromFrames, fromLine } from '../../src/cpu/mechanism.js';
import { owned, recompiled } from '../../src/cpu/owned.js';
import { parseProfile } from '../../src/cpu/parse.js';
import { topShare } from '../../src/cpu/shares.js';
import { stalls, standsOf } from '../../src/cpu/stalls.js';
import { callTree, unbundled } from '../../src/cpu/tree.js';
import { byFunction, byKind, byPackage, weigh } from '../../src/cpu/weights.js';
import type { V8CpuProfile } from '../../src/model/evidence/v8-cpu-profile.js';

/** `name@url` from the outermost call to the innermost; a bare name is native or one of V8's marks. */
type Stack = readonly string[];

/** A profile in which each stack stands for so many milliseconds, one sample a millisecond. */
function profile(...stays: readonly (readonly [Stack, number])[]): V8CpuProfile {
  const nodes: { id: number; callFrame: V8CpuProfile['nodes'][number]['callFrame']; children: number[] }[] = [];
  const add = (text: string): number => {
    const [functionName = '', url = ''] = text.split('@');
    const scriptId = url === '' ? '0' : url.includes('#') ? (url.split('#')[1] ?? '') : url;
    const callFrame = { functionName, scriptId, url: url.split('#')[0] ?? '', lineNumber: 0, columnNumber: 0 };
    return nodes.push({ id: nodes.length + 1, callFrame, children: [] });
  };
  add('(root)');
  const child = (parent: number, text: string): number => {
    const [functionName, url = ''] = text.split('@');
    const siblings = nodes[parent - 1]!.children;
    const known = siblings.find(id => {
      const frame = nodes[id - 1]!.callFrame;
      return frame.functionName === functionName && (frame.url === url || frame.scriptId === url.split('#')[1]);
    });
    if (known) return known;
    const id = add(text);
    siblings.push(id);
    return id;
  };
  const samples = stays.flatMap(([stack, ms]) => {
    const leaf = stack.reduce(child, 1);
    return Array.from({ length: ms }, () => leaf);
  });
  return {
    nodes,
    samples,
    timeDeltas: samples.map((_, at) => (at === 0 ? 0 : 1000)),
    startTime: 0,
    endTime: samples.length * 1000,
  };
}

const IDLE: Stack = ['(idle)'];
const HANDLER = 'handler@file:///app/a.js';
const RENDER = 'render@file:///app/b.js';
const LIBRARY = 'compile@file:///app/node_modules/tpl/index.js';

test('every microsecond of a window is somebody’s', () => {
  const tree = callTree(profile([[HANDLER, RENDER], 30], [IDLE, 50], [['(garbage collector)'], 20]));
  const kinds = byKind(tree);
  expect([kinds.user, kinds.idle, kinds.gc].map(us => us / 1000)).toEqual([30, 50, 20]);
  expect(weigh(tree).allUs).toBe(30_000);
});

test('recursion counts once in the total and fully in self time', () => {
  const tree = callTree(profile([[RENDER, RENDER, RENDER], 10]));
  expect(byFunction(tree, weigh(tree))).toMatchObject([{ selfUs: 10_000, totalUs: 10_000 }]);
});

test('a stall is a stretch without idle; collections within it belong to it', () => {
  const tree = callTree(
    profile(
      [IDLE, 10],
      [[HANDLER], 30],
      [['(garbage collector)'], 10],
      [[HANDLER], 20],
      [IDLE, 5],
      [[HANDLER], 8],
      [IDLE, 5],
    ),
  );
  expect(stalls(tree, 40_000)).toMatchObject([{ durationUs: 60_000, gcUs: 10_000, atUs: 10_000 }]);
});

test('handing a path to another thread blocks nobody, however long it stood; the synchronous call does', () => {
  const handing = profile([[HANDLER, 'mkdir@node:internal/fs/promises', 'mkdir'], 300]);
  expect(stalls(callTree(handing), 20_000)).toEqual([]);
  const job = profile([
    [HANDLER, 'verify@node:internal/crypto/webcrypto', 'jobPromise@node:internal/crypto/util', 'run'],
    99,
  ]);
  expect(stalls(callTree(job), 20_000)).toEqual([]);
  const derived = profile([[HANDLER, 'pbkdf2Sync@node:internal/crypto/pbkdf2', 'run'], 300]);
  expect(stalls(callTree(derived), 20_000)).toHaveLength(1);
  const blocking = profile([[HANDLER, 'mkdirSync@node:fs', 'mkdir'], 300]);
  expect(stalls(callTree(blocking), 20_000)).toHaveLength(1);
});

test('a stand is a stretch of samples that hold the function or its caller; anybody else begins another one', () => {
  const tree = callTree(
    profile([[HANDLER, RENDER], 40], [[HANDLER], 1], [[HANDLER, RENDER], 20], [[LIBRARY], 1], [[HANDLER, RENDER], 30]),
  );
  const frame = tree.frames.findIndex(({ functionName }) => functionName === 'render');
  expect(standsOf(tree, stalls(tree, 20_000), frame)).toMatchObject({
    stalls: 1,
    count: 2,
    longestUs: 61_000,
    lengthsUs: [61_000, 30_000],
  });
  expect(standsOf(tree, [], frame)).toEqual({ longestUs: 0, ranUs: 0, count: 0, stalls: 0, lengthsUs: [] });
});

test('a stall tells how long the thread ran: gaps between samples are its waiting for a core', () => {
  const crowded = profile([IDLE, 10], [[HANDLER], 60], [IDLE, 10]);
  const timeDeltas = crowded.timeDeltas?.map((us, at) => (at > 20 && at <= 60 && at % 4 === 0 ? 6 * us : us));
  const tree = callTree({ ...crowded, endTime: crowded.endTime + 50_000, ...(timeDeltas && { timeDeltas }) });
  const [stall] = stalls(tree, 40_000);
  expect(stall).toMatchObject({ durationUs: 110_000, ranUs: 60_000 });
  const frame = tree.frames.findIndex(({ functionName }) => functionName === 'handler');
  expect(standsOf(tree, [stall!], frame)).toMatchObject({ longestUs: 60_000, ranUs: 60_000 });
});

test('lens’ own work is nobody’s fault', () => {
  const tree = callTree(profile([['poll@lens:vitals', 'read@node:internal/x'], 60], [IDLE, 10]));
  expect(weigh(tree).allUs).toBe(0);
  expect(stalls(tree, 40_000)).toEqual([]);
  expect(blame(tree, weigh(tree))).toBeUndefined();
});

test('the last user frame of the heaviest chain is blamed, not the route handler above it', () => {
  const tree = callTree(profile([[HANDLER, RENDER, LIBRARY], 60], [[HANDLER], 10], [IDLE, 30]));
  expect(blame(tree, weigh(tree))).toMatchObject({ by: 'descend', frame: { functionName: 'render' } });
});

test('a function called from many routes is blamed although no single chain holds half of the time', () => {
  const routes = ['a', 'b', 'c', 'd'].map(name => [[`${name}@file:///app/${name}.js`, RENDER], 20] as const);
  const tree = callTree(profile(...routes));
  expect(blame(tree, weigh(tree))).toMatchObject({ by: 'last-user', frame: { functionName: 'render' }, share: 1 });
});

test('a middleware that hands the request on is not blamed for what its router does next', () => {
  const NEXT = 'next@file:///app/node_modules/router/index.js';
  const METER = 'meter@file:///app/meter.js';
  const tree = callTree(profile([[NEXT, METER, NEXT, 'match@file:///app/node_modules/router/layer.js'], 50]));
  expect(blame(tree, weigh(tree))).toMatchObject({ by: 'leaf', frame: { functionName: 'match' } });
  const own = callTree(profile([[NEXT, METER, LIBRARY], 30], [[NEXT, METER, NEXT, RENDER], 20]));
  expect(blame(own, weigh(own))).toMatchObject({ frame: { functionName: 'meter' } });
});

test('a package beneath the blamed function is named, one that also stands above it is its host', () => {
  const host = 'json@file:///app/node_modules/web/index.js';
  const tree = callTree(
    profile([['next@file:///app/node_modules/web/index.js', HANDLER, host], 40], [[HANDLER, LIBRARY], 30]),
  );
  const blamed = blame(tree, weigh(tree))!;
  expect(owned(tree, weigh(tree), blamed.frameIndex).packages.map(each => each.name)).toEqual(['tpl']);
});

test('the same function in many evaluated scripts is compiled again and again', () => {
  const many = Array.from({ length: 6 }, (_, at) => [[HANDLER, `main@#${100 + at}`], 2] as const);
  const tree = callTree(profile(...many));
  expect(recompiled(tree, blame(tree, weigh(tree))!.frameIndex)).toBe(6);
});

test('native work is told by the Node function that the program called', () => {
  const tree = callTree(
    profile([[HANDLER, 'execSync@node:child_process', 'spawnSync@node:internal/child_process', 'spawn'], 9]),
  );
  expect(fromFrames(tree, tree.sampleNode[0]!, -1)).toEqual({ mechanism: 'child_process', what: 'execSync' });
});

test('C++ that the program calls without Node between is a synchronous native call', () => {
  const told = (...path: string[]) => {
    const tree = callTree(profile([path, 9]));
    return fromFrames(tree, tree.sampleNode[0]!, -1)?.mechanism;
  };
  expect(told(HANDLER, 'all')).toBe('native');
  expect(told(HANDLER, 'hashSync@/srv/node_modules/bcrypt/bcrypt.js', 'encrypt_sync')).toBe('native');
  expect(told(HANDLER, 'pack@/srv/node_modules/msgpackr/pack.js', 'utf8Write')).toBeUndefined();
  expect(told(HANDLER, 'toString@node:buffer', 'utf8Slice')).toBeUndefined();
});

test.each(['structured_clone', 'worker/js_transferable'])(
  'a structured clone is serializing, in node:internal/%s',
  file => {
    const tree = callTree(profile([[HANDLER, `structuredClone@node:internal/${file}`], 9]));
    expect(fromFrames(tree, tree.sampleNode[0]!, -1)?.mechanism).toBe('serialization');
  },
);

test('what runs beneath the parser of a request is not its work', () => {
  const parser = 'parserOnHeadersComplete@node:_http_common';
  const tree = callTree(
    profile([[parser, HANDLER, 'formatValue@node:internal/util/inspect'], 6], [[parser, HANDLER], 4]),
  );
  expect(topShare(tree, 'logging').allUs).toBe(6000);
});

test('built-ins without a frame are told by what is written on the line', () => {
  const call = (callee: string, label = `${callee}()`, endsLoop = false) => ({
    callee,
    method: callee.split('.').at(-1)!,
    label,
    kind: 'call',
    endsLoop,
  });
  expect(fromLine([call('JSON.stringify')])?.mechanism).toBe('serialization');
  expect(fromLine([call('EMAIL.test')])?.mechanism).toBe('regexp');
  expect(fromLine([call('text.split', "text.split(',')")])).toBeUndefined();
  expect(fromLine([call('Date.now')])).toBeUndefined();
  expect(fromLine([call('Date.now', 'Date.now()', true)])?.mechanism).toBe('clock');
});

test('two profiles differ by what takes another share of the time', () => {
  const before = callTree(profile([[HANDLER], 10], [IDLE, 90]));
  const after = callTree(profile([[HANDLER], 10], [[RENDER], 40], [IDLE, 50]));
  expect(difference(before, after)[0]).toMatchObject({
    frame: { functionName: 'render' },
    selfBefore: 0,
    selfAfter: 0.4,
  });
});

test('exports hold the same time as the profile', () => {
  const tree = callTree(profile([[HANDLER, RENDER], 25], [IDLE, 75]));
  expect(toFolded(tree)).toBe('handler /app/a.js:1;render /app/b.js:1 25000\n');
  expect(toSpeedscope(tree, 'x')).toMatchObject({ profiles: [{ unit: 'microseconds', endValue: 100_000 }] });
  expect(Profile.decode(toPprof(tree)).sample.map(sample => Number(sample.value[0]))).toEqual([25_000_000]);
});

test('self time is summed by package', () => {
  const tree = callTree(profile([[HANDLER, LIBRARY], 7], [[HANDLER], 3]));
  expect(byPackage(tree, weigh(tree))).toEqual([
    { name: 'tpl', selfUs: 7000 },
    { name: '(application)', selfUs: 3000 },
  ]);
});

test('a file that is no CPU profile is refused with a reason', () => {
  const text = JSON.stringify(profile([[HANDLER], 3]));
  expect(parseProfile(text)).toHaveProperty('nodes');
  expect(parseProfile(text.slice(0, 200))).toEqual({ problem: expect.stringContaining('cut off') });
  expect(parseProfile('{"head":{}}')).toEqual({ problem: expect.stringContaining('heap profile') });
  expect(parseProfile('hello')).toEqual({ problem: 'It is not JSON.' });
  expect(parseProfile('{"nodes":[{}],"startTime":0,"endTime":1,"samples":[],"timeDeltas":[]}')).toEqual({
    problem: expect.stringContaining('call frame'),
  });
});

test('in a bundle the application is blamed, not the package that lies in the same file', () => {
  const bundle = (name: string) => `${name}@file:///app/dist/main.js`;
  const tree = callTree(profile([[bundle('priceOf'), bundle('parse'), bundle('readTag')], 60], [IDLE, 40]));
  const owner = (name: string) => (name === 'priceOf' ? undefined : 'xml');
  const told = unbundled(tree, ({ functionName }) => owner(functionName));
  expect(blame(told, weigh(told))?.frame.functionName).toBe('priceOf');
  expect(byPackage(told, weigh(told))[0]?.name).toBe('xml');
});
