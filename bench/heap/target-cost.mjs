// node target-cost.mjs [MB…]    What every way to the answer costs the TARGET: standstill, cpu, memory; default 50, 150 and 300 MB.
// The target measures itself: a timer of 5 ms sees how long the loop stood still (time in the
// kernel's queue for a core taken off). Each way gets a fresh process.
// Needs `npm run build` in the root. 300 MB take 4 GB of memory and some minutes: that is what V8's heapSnapshot costs.
import { fork } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';

const root = new URL('../../', import.meta.url).pathname;
const sizes = process.argv.slice(2).map(Number).filter(Number.isFinite);
const folder = mkdtempSync(join(tmpdir(), 'target-cost-'));
const bundle = join(root, 'dist', `target-cost-${process.pid}.mjs`); // beside the agents, which it looks for

await build({
  stdin: {
    contents: `
      export { attach } from './src/inspector/attach.js';
      export { heapSnapshotCollector } from './src/collectors/heap-snapshot.js';
      export { collectionGrowthCollector } from './src/collectors/collection-growth.js';
      export { heapSamplingCollector } from './src/collectors/heap-sampling.js';`,
    resolveDir: root,
    loader: 'ts',
  },
  outfile: bundle,
  bundle: true,
  format: 'esm',
  platform: 'node',
  logLevel: 'error',
  banner: { js: "import { createRequire as r } from 'node:module'; const require = r(import.meta.url);" },
});
const lens = await import(bundle);
/** As the guard decides without --max-pause. */
const MAX_PAUSE_MS = 1500;
const context = {
  signal: new AbortController().signal,
  now: () => performance.now(),
  sleep: ms => new Promise(resolve => setTimeout(resolve, ms)),
  exclusively: work => work(),
  mayPause: ms => ms <= MAX_PAUSE_MS,
};
const collect = (collector, params) => async session => {
  await collector.collect(session, params, context);
};
const send = (method, params) => session => session.send(method, params);

/** One walk over what the program's functions can see; on the way its WeakMaps are asked for the objects that it meets. */
async function scopeWalk(session) {
  await session.agent.install('scope-walk', { internalScripts: [], packageScripts: [] });
  await session.agent.call('scope-walk', 'walk', []);
  while (await session.agent.call('scope-walk', 'busy', [])) await context.sleep(40);
}

/** The sizes of what the walk has found, as often as a run reads them. */
async function watched(session) {
  await scopeWalk(session);
  for (let second = 0; second < 8; second++) {
    await session.agent.call('scope-walk', 'tick', []);
    await context.sleep(1000);
  }
}

/** All Maps of the program: what other tools ask instead of a heapSnapshot. */
async function queryMaps(session) {
  const { result } = await session.send('Runtime.evaluate', { expression: 'Map.prototype' });
  await session.send('Runtime.queryObjects', { prototypeObjectId: result.objectId }, { timeoutMs: 120_000 });
}

async function tracked(session) {
  await session.send('HeapProfiler.startTrackingHeapObjects', { trackAllocations: false }, { timeoutMs: 120_000 });
  await context.sleep(3000);
  await session.send('HeapProfiler.disable', undefined, { timeoutMs: 120_000 });
}

/** In megabytes; lens tracks on heaps up to 8, and beyond this nobody would wait for it. */
const TRACKED_MB = 60;

const waysAt = megabytes => ({
  'v8.writeHeapSnapshot': undefined,
  'heapSnapshot by lens, streamed': collect(lens.heapSnapshotCollector, { directory: folder }),
  'scripts (Debugger.enable)': session => session.withDebugger(async () => undefined),
  'one forced collection': send('HeapProfiler.collectGarbage'),
  'one scope walk, WeakMaps asked': scopeWalk,
  '… and sizes each second, 8 s': watched,
  'collection-growth as a whole, 10 s': collect(lens.collectionGrowthCollector, { seconds: 10 }),
  'heap-sampling, 8 s': collect(lens.heapSamplingCollector, { seconds: 8, intervalBytes: 65_536 }),
  ...(megabytes <= TRACKED_MB && { 'tracking of new objects, 3 s': tracked }),
  'others: queryObjects(Map)': queryMaps,
});

try {
  for (const megabytes of sizes.length > 0 ? sizes : [50, 150, 300]) await compare(megabytes);
} finally {
  rmSync(bundle, { force: true });
  rmSync(folder, { recursive: true, force: true });
}

async function compare(megabytes) {
  const rows = [];
  for (const [name, way] of Object.entries(waysAt(megabytes))) rows.push({ name, ...(await measure(megabytes, way)) });
  const base = rows[0];
  console.log(`\n${base.heapMb} MB of heap, ${base.rssMb} MB resident`);
  console.log(`${'way'.padEnd(34)}  longest ms   all ms    cpu ms    RSS +MB   longest ÷ v8   RSS ÷ v8`);
  for (const row of rows) {
    const cells = [row.longestMs, row.stoodMs, row.cpuMs, row.grewMb].map((cell, i) =>
      String(cell).padStart([13, 9, 10, 11][i]),
    );
    const ratio = (a, b) => (a / Math.max(b, 1)).toFixed(3);
    console.log(
      `${row.name.padEnd(34)}${cells.join('')}${ratio(row.longestMs, base.longestMs).padStart(15)}${ratio(row.grewMb, base.grewMb).padStart(11)}`,
    );
  }
}

async function measure(megabytes, way) {
  const child = fork(join(import.meta.dirname, 'tools/target.mjs'), [String(megabytes), folder], {
    execArgv: ['--inspect-port=0', '--max-old-space-size=8192'],
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  });
  const heard = () => new Promise((resolve, reject) => child.once('message', resolve).once('exit', reject));
  const ask = word => {
    const answer = heard();
    child.send(word);
    return answer;
  };
  try {
    await heard();
    await ask('reset');
    const before = memory(child.pid, 'VmRSS');
    const session = way && (await lens.attach({ pid: child.pid }));
    if (way) await way(session);
    else await ask('snapshot');
    await session?.detach();
    const told = await ask('report');
    return { ...told, rssMb: before, grewMb: memory(child.pid, 'VmHWM') - before };
  } finally {
    child.kill('SIGKILL');
  }
}

/** MB of /proc/PID/status; VmHWM is the peak, which is reached during what is measured: the target is idle else. */
function memory(pid, field) {
  const [, kib] = new RegExp(`${field}:\\s+(\\d+)`).exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Math.round(Number(kib) / 1024);
}
