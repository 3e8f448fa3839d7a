import type { RawCount } from '../agents/call-counts/index.js';
import type { DebuggerConnection, Session } from '../inspector/session.js';
import type { CallCount, CallCounts, CallCountsParams, CountedFunction } from '../model/evidence/call-counts.js';
import type { ScriptPosition } from '../model/location.js';
import type { CollectContext, Collector } from './collector.js';

/** A hit costs 37–125 µs, because V8 compiles the condition again each time: 300 a second are 1–4 % of a core. */
const MAX_HITS_PER_SECOND = 300;
/** A burst may bring this many at once. */
const BURST_HITS = 60;
/** Each function is tried for this long before the next, inner one is watched too. */
const TRIAL_MS = 60;
const POLL_MS = 100;
/** More functions than this tell nothing more. */
const MAX_FUNCTIONS = 6;

/** Stretches in which the most calls are told: as long as the stalls they are compared with. */
const STRETCHES_MS = [25, 50, 100, 200, 400, 800];

/** What a logpoint evaluates: it goes through globalThis, because a function may shadow any other name. */
type Condition = (slot: number, parameters: readonly string[]) => string;

interface Watched {
  readonly slot: number;
  readonly position: CountedFunction;
  readonly breakpointId?: string;
  readonly since: number;
  until?: number;
  cut?: string;
}

/** How often functions are called, and whether with the same arguments again: counting logpoints that never pause. */
export const callCountsCollector: Collector<'call-counts'> = {
  kind: 'call-counts',
  title: 'Call counts',
  cost: 'pausing',
  // Debugger.enable, as for the source reading.
  estimate: ({ heapUsedBytes }) => ({ pauseMs: 5 + (heapUsedBytes * 30) / 80 / 1e6, memoryBytes: 0 }),
  collect: (session, params, context) => context.exclusively(() => count(session, params, context), params.seconds),
};

async function count(session: Session, params: CallCountsParams, context: CollectContext) {
  const functions = params.functions.slice(0, MAX_FUNCTIONS);
  await session.agent.install('call-counts');
  const hit = await session.agent.call<string>('call-counts', 'open', [functions.length]);
  try {
    return await session.withDebugger(async debug => {
      const watched = await watchAll(
        debug,
        session,
        functions,
        (at, own) => `globalThis.${hit}(${[at, ...(params.sameArguments ? own : [])].join(',')})`,
        context,
      );
      const raw = await observe(debug, session, watched, params.seconds, context);
      const densest = await session.agent.call<number[][]>('call-counts', 'densest', [STRETCHES_MS]);
      const spans = await session.agent.call<number[][]>('call-counts', 'spans', []);
      const counts = watched.map(item => ({
        ...toCount(item, raw[item.slot], densest[item.slot]),
        ...(item.cut === undefined ? { spansMs: spans[item.slot] ?? [] } : {}),
      }));
      return { data: { seconds: params.seconds, counts } satisfies CallCounts, pausedMs: debug.pausedMs };
    });
  } finally {
    await session.agent.call('call-counts', 'close').catch(() => undefined); // a lost target needs no closing
  }
}

const read = (session: Session) => session.agent.call<RawCount[]>('call-counts', 'read', []);

/** One after the other, outermost first: the rates rise inwards. */
async function watchAll(
  debug: DebuggerConnection,
  session: Session,
  functions: readonly CountedFunction[],
  condition: Condition,
  context: CollectContext,
): Promise<Watched[]> {
  const watched: Watched[] = [];
  for (const [slot, position] of functions.entries()) {
    const tooHot = watched.some(item => item.cut !== undefined);
    const item = tooHot
      ? skipped(slot, position, context)
      : await watch(debug, slot, position, condition(slot, position.parameters ?? []), context);
    watched.push(item);
    if (item.cut) continue;
    await context.sleep(TRIAL_MS);
    await cool(debug, watched, await read(session), context);
  }
  return watched;
}

function skipped(slot: number, position: CountedFunction, context: CollectContext): Watched {
  return {
    slot,
    position,
    since: context.now(),
    until: context.now(),
    cut: 'A function that calls it was called too often.',
  };
}

async function watch(
  debug: DebuggerConnection,
  slot: number,
  position: CountedFunction,
  condition: string,
  context: CollectContext,
): Promise<Watched> {
  const location = await firstStatement(debug, position);
  const set = location && (await debug.send('Debugger.setBreakpoint', { location, condition }).catch(() => undefined));
  if (!set) return { slot, position, since: context.now(), until: context.now(), cut: 'No place in it to count at.' };
  return { slot, position, since: context.now(), breakpointId: set.breakpointId };
}

async function firstStatement(debug: DebuggerConnection, { scriptId, line, column }: ScriptPosition) {
  const start = { scriptId, lineNumber: line, columnNumber: column };
  const found = await debug
    .send('Debugger.getPossibleBreakpoints', { start, restrictToFunction: true })
    .catch(() => undefined);
  return found?.locations[0];
}

async function observe(
  debug: DebuggerConnection,
  session: Session,
  watched: readonly Watched[],
  seconds: number,
  context: CollectContext,
): Promise<readonly RawCount[]> {
  const end = context.now() + seconds * 1000;
  let raw = await read(session);
  while (context.now() < end && watched.some(item => item.until === undefined)) {
    await context.sleep(Math.min(POLL_MS, end - context.now()));
    raw = await read(session);
    await cool(debug, watched, raw, context);
  }
  for (const item of watched) item.until ??= context.now();
  return raw;
}

/** Takes logpoints away that are hit too often; works in the middle of a hot loop too. */
async function cool(
  debug: DebuggerConnection,
  watched: readonly Watched[],
  raw: readonly RawCount[],
  context: CollectContext,
): Promise<void> {
  for (const item of watched) {
    const seconds = (context.now() - item.since) / 1000;
    const hits = raw[item.slot]?.hits ?? 0;
    if (item.until !== undefined || hits <= BURST_HITS + seconds * MAX_HITS_PER_SECOND) continue;
    item.until = context.now();
    item.cut = `Called ${hits} times within ${seconds.toFixed(1)} s; watching it longer would cost the target too much.`;
    if (item.breakpointId) await debug.send('Debugger.removeBreakpoint', { breakpointId: item.breakpointId });
  }
}

function toCount(
  { position, since, until, cut }: Watched,
  raw: RawCount | undefined,
  densest: readonly number[] | undefined,
): CallCount {
  const seconds = Math.max(0, (until ?? since) - since) / 1000;
  const calls = raw?.hits ?? 0;
  const { scriptId, url, line, column } = position;
  const compared = raw && raw.compared > 0 ? { compared: raw.compared, repeated: raw.repeated } : {};
  return {
    position: { scriptId, url, line, column },
    calls,
    seconds,
    perSecond: seconds > 0 ? calls / seconds : 0,
    ...(calls > 0 && densest ? { densest: STRETCHES_MS.map((ms, at) => ({ ms, calls: densest[at] ?? 0 })) } : {}),
    ...(cut === undefined ? {} : { cut }),
    ...compared,
    ...(raw?.example === undefined ? {} : { example: raw.example }),
  };
}
