import type { Protocol } from 'devtools-protocol';
import { templateOf } from '../agents/logs/lines.js';
import { filePath, isFile } from '../base/script-url.js';
import type { DebuggerConnection, Session } from '../inspector/session.js';
import type { CaughtSample, ThrowSite } from '../model/evidence/exceptions.js';
import type { CollectContext } from './collector.js';
import { toFrames } from './frames.js';
import { parseStack } from './stack-text.js';

/** Bursts spread over the window: one alone would sample one unlucky request. */
const BURSTS = 4;
/** After the first one those who took a first look at the loop have their turn. */
const REST_MS = 1000;
/** Whether a cause became known meanwhile. */
const ASK_EVERY_MS = 50;
const STOPS_PER_BURST = 4;
/** A stop costs 2–7 ms, up to 45 on a busy machine (delayed acknowledgement): the sample ends when this is spent. */
export const MAX_PAUSED_MS = 250;
const MAX_FRAMES = 14;
/** A hit of the counting breakpoint costs about 0.1 ms: half a second of a storm is enough. */
const COUNTED_SITES = 2;
const COUNT_MS = 2000;
const COUNT_STEP_MS = 200;
const MAX_COUNTED = 400;

interface Throw {
  readonly event: Protocol.Debugger.PausedEvent;
}

/**
 * Stops at a few exceptions and goes on at once; other readings get their turn between two bursts. Lens' own evaluations are silent with breaks disabled, so that no
 * stop falls into one: that could freeze Node 22 and later for good.
 */
export async function sampleThrows(
  session: Session,
  seconds: number,
  context: CollectContext,
): Promise<{ caught: CaughtSample; pausedMs: number; longestPauseMs: number }> {
  return session.withDebugger(async debug => {
    const thrown: Throw[] = [];
    const spent = { pausedMs: 0, longestMs: 0, withThrows: 0, bursts: 0, sampledMs: 0 };
    const length = (seconds * 1000) / BURSTS;
    // Who throws all the time has thrown in the bursts so far.
    const isEnough = () => spent.bursts > 0 && thrown.length === 0 && (context.causeKnown?.() ?? false);
    for (let burst = 0; burst < BURSTS && spent.pausedMs < MAX_PAUSED_MS && !isEnough(); burst++) {
      const work = async () => (isEnough() ? 0 : oneBurst(debug, length, { thrown, spent, isEnough }, context));
      // By the length of all but the first: one after the other, short ones would keep everybody else waiting.
      const took = await context.exclusively(work, burst === 0 ? length / 1000 : seconds);
      const restUntil = context.now() + (burst === 0 ? REST_MS : length - took);
      while (context.now() < restUntil && !isEnough()) await context.sleep(ASK_EVERY_MS);
    }
    // What failed while the program stood still comes right after it.
    const sampledSeconds = Math.max(1, spent.sampledMs + spent.pausedMs) / 1000;
    const sites = sitesOf(thrown, debug).map(site =>
      site.byNode === undefined ? site : { ...site, perSecond: site.count / sampledSeconds },
    );
    const rates = () => Promise.all(sites.slice(0, COUNTED_SITES).map(site => withRate(session, debug, site, context)));
    const counted = sites.length > 0 ? await context.exclusively(rates, COUNT_MS / 1000) : [];
    const caught = {
      sampled: thrown.length,
      bursts: spent.bursts,
      burstsWithThrows: spent.withThrows,
      perSecond: (thrown.length * 1000) / Math.max(1, spent.sampledMs),
    };
    return {
      caught: { ...caught, sites: [...counted, ...sites.slice(COUNTED_SITES)] },
      pausedMs: debug.pausedMs + spent.pausedMs,
      longestPauseMs: Math.max(debug.pausedMs, spent.longestMs),
    };
  });
}

/** Two debuggers that stop at the same exceptions resume under each other's hands: V8 crashes (Sentry's local variables). */
export async function debugsItself(session: Session): Promise<boolean> {
  return (
    (await session.evaluate<boolean | null>(`globalThis[Symbol.for('lens.v1')]?.debugsItself?.() ?? null`)) === true
  );
}

interface Spent {
  pausedMs: number;
  /** The longest single stop. */
  longestMs: number;
  withThrows: number;
  bursts: number;
  /** Until the last stop of each burst, the stops left out. */
  sampledMs: number;
}

interface Sampling {
  readonly thrown: Throw[];
  readonly spent: Spent;
  /** Nothing was thrown so far, and another cause is known. */
  readonly isEnough: () => boolean;
}

/** Returns how long it took, in milliseconds. */
async function oneBurst(
  debug: DebuggerConnection,
  lengthMs: number,
  { thrown, spent, isEnough }: Sampling,
  context: CollectContext,
): Promise<number> {
  const began = context.now();
  let stops = 0;
  let pausedAt = 0;
  let pausedMs = 0;
  let sampledMs = 0;
  const end = (): void => void stopPausing(debug).catch(() => undefined); // the connection closes soon anyway
  const offPaused = debug.on('Debugger.paused', event => {
    pausedAt = context.now();
    if (event.reason !== 'exception' && event.reason !== 'promiseRejection') return;
    stops += 1;
    sampledMs = pausedAt - began - pausedMs;
    thrown.push({ event });
    if (stops >= STOPS_PER_BURST || spent.pausedMs + pausedMs > MAX_PAUSED_MS) end();
  });
  const offResumed = debug.on('Debugger.resumed', () => {
    if (pausedAt > 0) {
      const stoppedMs = context.now() - pausedAt;
      pausedMs += stoppedMs;
      spent.longestMs = Math.max(spent.longestMs, stoppedMs);
    }
    pausedAt = 0;
  });
  try {
    await debug.send('Debugger.setPauseOnExceptions', { state: 'all' });
    await debug.send('Debugger.setSkipAllPauses', { skip: false });
    const isOver = () => context.now() - began >= lengthMs || spent.pausedMs + pausedMs >= MAX_PAUSED_MS || isEnough();
    while (stops < STOPS_PER_BURST && !isOver()) {
      await context.sleep(Math.min(ASK_EVERY_MS, lengthMs));
    }
  } finally {
    await stopPausing(debug);
    offPaused();
    offResumed();
  }
  spent.pausedMs += pausedMs;
  spent.bursts += 1;
  spent.withThrows += stops > 0 ? 1 : 0;
  spent.sampledMs += stops >= STOPS_PER_BURST ? sampledMs : context.now() - began - pausedMs;
  return context.now() - began;
}

async function stopPausing(debug: DebuggerConnection): Promise<void> {
  await Promise.all([
    debug.send('Debugger.setSkipAllPauses', { skip: true }),
    debug.send('Debugger.setPauseOnExceptions', { state: 'none' }),
  ]);
}

/** Distinct places, the most frequent first. */
function sitesOf(thrown: readonly Throw[], debug: DebuggerConnection): ThrowSite[] {
  const sites = new Map<string, ThrowSite>();
  for (const { event } of thrown) {
    const site = toSite(event, debug);
    const top = site.frames[0];
    const key = `${site.type} ${top ? `${top.scriptId}:${top.line}:${top.column}` : site.message}`;
    sites.set(key, { ...site, count: (sites.get(key)?.count ?? 0) + 1 });
  }
  return [...sites.values()].sort((a, b) => b.count - a.count);
}

/** Counts how often the throwing line runs: a breakpoint whose condition counts and is never true. */
async function withRate(
  session: Session,
  debug: DebuggerConnection,
  site: ThrowSite,
  context: CollectContext,
): Promise<ThrowSite> {
  const [top] = site.frames;
  // The line that awaits Node also runs when nothing fails.
  if (top === undefined || site.byNode !== undefined) return site;
  const counter = `lens.throws.${++counters}`;
  const key = `globalThis.Symbol.for('${counter}')`;
  await session.evaluate(
    `void Object.defineProperty(globalThis, Symbol.for('${counter}'), { value: { n: 0 }, configurable: true })`,
  );
  try {
    const location = { scriptId: top.scriptId, lineNumber: top.line, columnNumber: top.column };
    const condition = `(globalThis[${key}].n++, false)`;
    const { breakpointId } = await debug.send('Debugger.setBreakpoint', { location, condition });
    const began = context.now();
    let n = 0;
    while (context.now() - began < COUNT_MS && n < MAX_COUNTED) {
      await context.sleep(COUNT_STEP_MS);
      n = await session.evaluate<number>(`globalThis[Symbol.for('${counter}')].n`);
    }
    const seconds = (context.now() - began) / 1000;
    await debug.send('Debugger.removeBreakpoint', { breakpointId });
    return { ...site, perSecond: n / seconds };
  } catch {
    return site; // a place that takes no breakpoint stays uncounted
  } finally {
    await session.evaluate(`void Reflect.deleteProperty(globalThis, Symbol.for('${counter}'))`).catch(() => undefined);
  }
}

let counters = 0;

/** What V8 says about the thrown value; its type for errors is not in the protocol's own types. */
interface ThrownValue {
  readonly className?: string;
  readonly description?: string;
  readonly type?: string;
  readonly value?: unknown;
  readonly uncaught?: boolean;
}

function toSite(event: Protocol.Debugger.PausedEvent, debug: DebuggerConnection): ThrowSite {
  const value = (event.data ?? {}) as ThrownValue;
  const [first = ''] = (value.description ?? String(value.value ?? '')).split('\n');
  const message = first.replace(/^[\w$.]*(?:Error|Exception)?\s*(?:\[\w+\])?:\s*/, '');
  const running = event.callFrames
    .map(({ functionName, location, url }) => ({
      functionName,
      scriptId: location.scriptId,
      url: url || (debug.scripts.get(location.scriptId)?.url ?? ''),
      line: location.lineNumber,
      column: location.columnNumber ?? 0,
    }))
    .filter(frame => isFile(frame.url));
  const awaiting = awaitingFrames(value.description ?? '', debug);
  const byNode = running.length === 0 && awaiting.frames.length > 0 ? awaiting.called : undefined;
  return {
    type: value.className ?? value.type ?? 'unknown',
    message: templateOf(message),
    count: 1,
    rejection: event.reason === 'promiseRejection',
    uncaught: value.uncaught === true,
    frames: [...running, ...awaiting.frames].slice(0, MAX_FRAMES),
    ...(byNode === undefined ? {} : { byNode }),
  };
}

/** Who awaits what failed, by V8's own text of the error, and Node's function that the innermost of them called. */
function awaitingFrames(description: string, debug: DebuggerConnection) {
  const lines = description.split('\n').filter(line => /^\s*at async /.test(line));
  const all = parseStack(lines.join('\n'));
  const ids = new Map([...debug.scripts].map(([id, { url }]) => [filePath(url), id]));
  const own = all.findIndex(({ url }) => isFile(url));
  return { frames: toFrames(all, ids), called: all[own - 1]?.name ?? '' };
}
