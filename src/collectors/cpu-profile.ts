import type { RawVitals, RawWindow } from '../agents/vitals/raw.js';
import type { Session } from '../inspector/session.js';
import { standstill } from '../inspector/standstill.js';
import type { CpuProfile, CpuProfileParams } from '../model/evidence/cpu-profile.js';
import type { V8CpuProfile } from '../model/evidence/v8-cpu-profile.js';
import type { ScriptPosition } from '../model/location.js';
import type { CollectContext, Collector } from './collector.js';
import { loopDelay } from './loop-delay.js';

/** Profiler.start logs every function of the heap: 180 ms at 106 MB, 280 at 183, 420 at 277. */
const START_MS_PER_MB = 1.6;
const START_AT_LEAST_MS = 15;
/** A blocked target answers when its call returns; a profile of minutes would be lost to an early end. */
const ANSWER_MS = 60_000;
const ASK_EVERY_MS = 200;

let windows = 0;

/** V8's sampled stacks over a window, and the loop's delay within it. */
export const cpuProfileCollector: Collector<'cpu-profile'> = {
  kind: 'cpu-profile',
  title: 'CPU profile',
  cost: 'pausing',
  estimate: ({ heapUsedBytes }) => ({
    pauseMs: START_AT_LEAST_MS + (heapUsedBytes / 1e6) * START_MS_PER_MB,
    memoryBytes: 0,
  }),
  collect: (session, params, context) => context.exclusively(() => profile(session, params, context), params.seconds),
};

async function profile(session: Session, params: CpuProfileParams, context: CollectContext) {
  if (isNeedless(params, context)) throw new Error('Another cause became known before its turn came.');
  await session.agent.install('vitals');
  await session.send('Profiler.enable', { timeoutMs: ANSWER_MS });
  try {
    await session.send('Profiler.setSamplingInterval', { interval: params.intervalUs });
    const start = () => session.send('Profiler.start', { timeoutMs: ANSWER_MS });
    const { pausedMs: startPauseMs } = await standstill(session, session.target.pid, start);
    await dropCode(session, params.compileAnew ?? []);
    const data = await window(session, params, context, startPauseMs);
    return { data, pausedMs: startPauseMs };
  } finally {
    await session.send('Profiler.disable', { timeoutMs: ANSWER_MS }).catch(() => undefined); // gone with the target
  }
}

/** A breakpoint, gone before it is reached, makes V8 drop a function's optimized code and whatever inlines it. */
async function dropCode(session: Session, functions: readonly ScriptPosition[]): Promise<void> {
  if (functions.length === 0) return;
  await session.withDebugger(async debug => {
    for (const { scriptId, line, column } of functions) {
      const start = { scriptId, lineNumber: line, columnNumber: column };
      const { locations } = await debug.send('Debugger.getPossibleBreakpoints', { start, restrictToFunction: true });
      if (!locations[0]) continue;
      const set = await debug.send('Debugger.setBreakpoint', { location: locations[0], condition: 'false' });
      await debug.send('Debugger.removeBreakpoint', { breakpointId: set.breakpointId });
    }
  });
}

const isNeedless = ({ unlessKnown }: CpuProfileParams, { causeKnown }: CollectContext): boolean =>
  unlessKnown === true && (causeKnown?.() ?? false);

/** The window's length; one that is taken for completeness ends when another cause becomes known. */
async function lastFor(params: CpuProfileParams, context: CollectContext): Promise<void> {
  const until = context.now() + params.seconds * 1000;
  const stepMs = params.unlessKnown ? ASK_EVERY_MS : params.seconds * 1000;
  while (context.now() < until && !isNeedless(params, context))
    await context.sleep(Math.min(stepMs, until - context.now()));
  if (isNeedless(params, context)) throw new Error('Another cause became known meanwhile.');
}

/** The delay's histogram begins after the profiler's own pause, or it would report lens. */
async function window(
  session: Session,
  params: CpuProfileParams,
  context: CollectContext,
  startPauseMs: number,
): Promise<CpuProfile> {
  const asker = `profile-${++windows}`;
  const call = <T>(method: string) => session.agent.call<T>('vitals', method, [asker], { timeoutMs: ANSWER_MS });
  const before = await call<RawVitals>('open');
  let after: RawWindow;
  try {
    await lastFor(params, context);
  } finally {
    after = await call<RawWindow>('close');
  }
  const { profile } = await session.send('Profiler.stop', { timeoutMs: ANSWER_MS });
  const wallMs = Math.max(1, after.vitals.now - before.now);
  return {
    seconds: wallMs / 1000,
    intervalUs: params.intervalUs,
    profile: profile as V8CpuProfile, // the protocol's type, whose fields are this one's
    startPauseMs,
    maxLoopDelayMs: loopDelay(after, wallMs).maxMs,
    cpuPercent: (after.vitals.cpuMicros - before.cpuMicros) / 10 / wallMs,
  };
}
