import type { Protocol } from 'devtools-protocol';
import { describeNativeBlock } from '../inspector/native-block.js';
import type { DebuggerConnection, Session } from '../inspector/session.js';
import type { Hang, HangFrame, HangKind, HangLocal } from '../model/evidence/hang.js';
import type { V8CallFrame, V8CpuProfile } from '../model/evidence/v8-cpu-profile.js';
import type { CollectContext, Collector, Reading } from './collector.js';

type PausedEvent = Protocol.Debugger.PausedEvent;
type PausedFrame = Protocol.Debugger.CallFrame;

/** A loop that has not turned for this long is worth a look: ten times what users notice. */
const TURN_SECONDS = { least: 0.2, usual: 1, most: 10 };

/** JavaScript of any kind is interrupted within this, also under a collecting heap. */
const ANSWER_MS = 1_500;
const PAUSE_MS = 1_500;
const PROFILE_MS = 500;

/** Both queues had many turns in this time, if they have any. */
const QUEUES_MS = 60;

/** A loop that does nothing but setImmediate has one pending nearly whenever it is looked at. */
const IMMEDIATE_LOOKS = 8;
const IMMEDIATE_LOOK_MS = 30;

/**
 * One turn of a saturated server may read a hundred sockets, and microtasks run after each: it takes seconds and ends,
 * where microtasks that add more of themselves never let it.
 */
const SATURATED_MS = 5_000;

const LOOKS = 3;
const LOOK_GAP_MS = 100;

const MAX_FRAMES = 40;
const MAX_HOT = 8;
const HOST = `globalThis[Symbol.for('lens.v1')]`;

/**
 * Whether the event loop turns, and if not, what stands in its way: stacks by three short pauses, and a profile of half
 * a second as a second witness. Free for a healthy target.
 */
export const hangCollector: Collector<'hang'> = {
  kind: 'hang',
  title: 'Hang check',
  cost: 'light',
  async collect(session, params, context) {
    const seconds = Math.min(TURN_SECONDS.most, Math.max(TURN_SECONDS.least, params.seconds ?? TURN_SECONDS.usual));
    const startedAt = context.now();
    const turned = await session.loopTurns(seconds * 1000);
    const loopTurnMs = context.now() - startedAt;
    if (turned) return { data: await turning(session, loopTurnMs, context), pausedMs: 0 };
    if (!(await answers(session))) return { data: await native(session, loopTurnMs), pausedMs: 0 };
    return context.exclusively(() => hung(session, loopTurnMs, context));
  },
};

const nothing = { stack: [], locals: [], hot: [] };

async function turning(session: Session, loopTurnMs: number, context: CollectContext): Promise<Hang> {
  const immediates = await immediateStorm(session, context);
  if (immediates === undefined) return { kind: 'turns', loopTurnMs, ...nothing };
  const { hot } = digest(await profile(session, context));
  return { kind: 'immediates', loopTurnMs, stack: [], locals: [], hot, immediatesPerSecond: immediates };
}

interface Look {
  readonly immediates: number;
  readonly loops: number | null;
  readonly busy: number;
  readonly at: number;
}

const LOOK = `(p => ({
  immediates: process.getActiveResourcesInfo().filter(type => type === 'Immediate').length,
  loops: p.nodeTiming.uvMetricsInfo?.loopCount ?? null, busy: p.eventLoopUtilization().active, at: p.now(),
}))(require('node:perf_hooks').performance)`;

/**
 * A saturated server has an Immediate pending in most looks too, but its turns do the work of whole requests: 2 ms and
 * more. A storm's turn measured 0.7 µs to 0.3 ms.
 */
const STORM_TURNS_PER_SECOND = 1000;

/** Loop turns per second when an Immediate is always pending and the loop never idles; 0 where Node does not count them. */
async function immediateStorm(session: Session, context: CollectContext): Promise<number | undefined> {
  const looks: Look[] = [];
  for (let i = 0; i < IMMEDIATE_LOOKS; i++) {
    looks.push(await session.evaluate<Look>(LOOK));
    // While its callback runs, the next one is not pending yet: some looks of a storm see none.
    if (looks.filter(look => look.immediates === 0).length > IMMEDIATE_LOOKS / 2) return undefined;
    await context.sleep(IMMEDIATE_LOOK_MS);
  }
  const [first, last] = [looks[0], looks.at(-1)];
  if (!first || !last || last.busy - first.busy < 0.95 * (last.at - first.at)) return undefined;
  const turns = Math.round((((last.loops ?? 0) - (first.loops ?? 0)) * 1000) / (last.at - first.at));
  return last.loops !== null && turns < STORM_TURNS_PER_SECOND ? undefined : turns;
}

/** Plain evaluates are answered within any JavaScript; what stays silent is in C++ or the kernel. */
async function answers(session: Session): Promise<boolean> {
  return session.evaluate<number>('1', { timeoutMs: ANSWER_MS }).then(
    () => true,
    error => {
      if (session.lost.aborted) throw error;
      return false;
    },
  );
}

async function native(session: Session, loopTurnMs: number): Promise<Hang> {
  const hang = { kind: 'native', loopTurnMs, ...nothing } as const;
  const { pid } = session.target;
  return pid === 0 ? hang : { ...hang, native: await describeNativeBlock(pid, loopTurnMs + ANSWER_MS) };
}

interface Caught {
  readonly stack: readonly HangFrame[];
  readonly locals: readonly HangLocal[];
}

async function hung(session: Session, loopTurnMs: number, context: CollectContext): Promise<Reading<Hang>> {
  const kind = await hungKind(session, context);
  if (kind === 'microtasks' && (await session.loopTurns(SATURATED_MS)))
    return { data: { kind: 'turns', loopTurnMs, ...nothing }, pausedMs: 0 };
  const { caught, pausedMs } = await session.withDebugger(debug => catchStacks(debug, context));
  const [first] = caught;
  if (!first && (await session.loopTurns(100))) {
    const partial = 'The block ended before its stack was read.';
    return { data: { kind: 'turns', loopTurnMs, ...nothing }, pausedMs, partial };
  }
  const user = first?.stack.find(isUserFrame);
  const { hot } = digest(await profile(session, context));
  const data = {
    kind,
    loopTurnMs,
    stack: first?.stack ?? [],
    locals: first?.locals ?? [],
    // V8 books a loop that was compiled while it ran to its caller: a profile that never saw the frame says nothing.
    hot: user && !hot.some(frame => sameFunction(frame, user)) && kind === 'javascript' ? [] : hot,
  };
  const agreement =
    user && caught.filter(({ stack }) => stack.some(frame => sameFunction(frame, user))).length / caught.length;
  return { data: { ...data, ...(agreement !== undefined && { agreement }) }, pausedMs };
}

/** Three looks a tenth of a second apart: what is under all of them is what does not return. */
async function catchStacks(
  debug: DebuggerConnection,
  context: CollectContext,
): Promise<{ caught: Caught[]; pausedMs: number }> {
  const caught: Caught[] = [];
  let { pausedMs } = debug;
  for (let look = 0; look < LOOKS; look++) {
    if (look > 0) await context.sleep(LOOK_GAP_MS);
    const paused = await debug.pause(event => read(debug, event), PAUSE_MS);
    if (!paused) break;
    caught.push(paused.value);
    pausedMs += paused.pausedMs;
  }
  return { caught, pausedMs };
}

function sameFunction(a: HangFrame, b: HangFrame): boolean {
  return a.function === b.function && a.url === b.url;
}

/** A call that does not return lets neither queue run; one of them running while the loop stands still is the starver. */
async function hungKind(session: Session, context: CollectContext): Promise<HangKind> {
  await session.evaluate(`${HOST}.probeQueues()`);
  await context.sleep(QUEUES_MS);
  const ran = await session.evaluate<{ microtask: boolean; nextTick: boolean }>(`${HOST}.queuesRan()`);
  return ran.microtask || ran.nextTick ? 'microtasks' : 'javascript';
}

async function read(debug: DebuggerConnection, { callFrames }: PausedEvent): Promise<Caught> {
  const stack = callFrames.slice(0, MAX_FRAMES).map(frame => toFrame(frame, debug));
  const user = callFrames[stack.findIndex(isUserFrame)];
  return { stack, locals: user ? await readLocals(debug, user) : [] };
}

function toFrame(frame: PausedFrame, debug: DebuggerConnection): HangFrame {
  return {
    function: frame.functionName,
    url: frame.url || (debug.scripts.get(frame.location.scriptId)?.url ?? ''),
    line: frame.location.lineNumber + 1,
    column: (frame.location.columnNumber ?? 0) + 1,
  };
}

function isUserFrame({ url }: HangFrame): boolean {
  return url !== '' && !url.startsWith('node:') && !url.startsWith('lens:') && !url.startsWith('wasm:');
}

/** Runs in the paused frame with a scope as `this`: sizes and patterns, never contents; accessors are not touched. */
const DESCRIBE = `function () {
  const size = (proto, of) => Reflect.getOwnPropertyDescriptor(proto, 'size').get.call(of);
  const describe = v => {
    if (typeof v === 'string') return 'string of ' + v.length + ' characters';
    if (typeof v === 'number' || typeof v === 'boolean' || v == null) return String(v);
    if (typeof v !== 'object') return typeof v;
    if (Array.isArray(v)) return 'Array(' + v.length + ')';
    const tag = Object.prototype.toString.call(v).slice(8, -1);
    if (tag === 'RegExp') return 'RegExp ' + RegExp.prototype.toString.call(v).slice(0, 200);
    if (tag === 'Map') return 'Map(' + size(Map.prototype, v) + ')';
    if (tag === 'Set') return 'Set(' + size(Set.prototype, v) + ')';
    if (ArrayBuffer.isView(v)) return tag + '(' + v.byteLength + ' bytes)';
    return tag;
  };
  return Object.keys(this).slice(0, 20).map(name => { try { return { name, description: describe(this[name]) } } catch { return { name, description: '?' } } });
}`;

async function readLocals(debug: DebuggerConnection, frame: PausedFrame): Promise<HangLocal[]> {
  const scopes = frame.scopeChain.filter(({ type }) => type === 'local' || type === 'block').slice(0, 3);
  const locals = await Promise.all(scopes.map(({ object }) => readScope(debug, object.objectId)));
  return locals.flat();
}

async function readScope(debug: DebuggerConnection, objectId: string | undefined): Promise<HangLocal[]> {
  if (objectId === undefined) return [];
  const call = { objectId, functionDeclaration: DESCRIBE, silent: true, returnByValue: true };
  const answer = await debug.send('Runtime.callFunctionOn', call, { timeoutMs: 300 }).catch(() => undefined);
  // DESCRIBE returns just this; a scope that can't be read is left out.
  return (answer?.exceptionDetails ? undefined : (answer?.result.value as HangLocal[] | undefined)) ?? [];
}

async function profile(session: Session, context: CollectContext): Promise<V8CpuProfile> {
  await session.send('Profiler.enable');
  const stop = session.onDetach(async () => void (await session.send('Profiler.disable')));
  try {
    await session.send('Profiler.start');
    await context.sleep(PROFILE_MS);
    return (await session.send('Profiler.stop')).profile;
  } finally {
    await stop().catch(() => {}); // lost: nothing is left to disable
  }
}

/** Self time by function, hottest first. */
function digest(profile: V8CpuProfile): { hot: HangFrame[] } {
  const nodes = new Map(profile.nodes.map(node => [node.id, node.callFrame]));
  const frames = (profile.samples ?? []).map(id => nodes.get(id)).filter(frame => isRunning(frame));
  const self = new Map<string, { frame: V8CallFrame; count: number }>();
  for (const frame of frames) {
    const key = `${frame.functionName}@${frame.url}:${frame.lineNumber}`;
    self.set(key, { frame, count: (self.get(key)?.count ?? 0) + 1 });
  }
  const hot = [...self.values()].sort((a, b) => b.count - a.count).slice(0, MAX_HOT);
  return { hot: hot.map(({ frame, count }) => hotFrame(frame, count / frames.length)) };
}

function isRunning(frame: V8CallFrame | undefined): frame is V8CallFrame {
  return frame !== undefined && frame.functionName !== '(idle)' && frame.functionName !== '(root)';
}

function hotFrame(frame: V8CallFrame, selfShare: number): HangFrame {
  const { functionName, url, lineNumber, columnNumber } = frame;
  return { function: functionName, url, line: lineNumber + 1, column: columnNumber + 1, selfShare };
}
