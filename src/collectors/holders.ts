import type { HoldersPart } from '../agents/holders/index.js';
import { isUserCode } from '../base/script-url.js';
import { withoutLiterals } from '../base/statements.js';
import type { Session } from '../inspector/session.js';
import type { PathStep } from '../model/evidence/collection-growth.js';
import type { CollectContext, Collector } from './collector.js';

/** Debugger.enable: 51 ms at small heaps, 162 at 271 MB. */
const DEBUGGER_MS_PER_MB = 0.45;
const DEBUGGER_BASE_MS = 40;
const MB = 1024 * 1024;
const POLL_MS = 40;
/** The walk bounds itself to 12 s of wall time. */
const WALK_LIMIT_MS = 14_000;
const CALL_TIMEOUT_MS = 20_000;
const MOST_SCRIPTS = 400;

/** Pools, locks and queues by their shape: one scope walk in slices, nothing is kept. */
export const holdersCollector: Collector<'holders'> = {
  kind: 'holders',
  title: 'Pools and locks',
  cost: 'pausing',
  estimate: ({ heapUsedBytes }) => ({
    pauseMs: DEBUGGER_BASE_MS + (heapUsedBytes / MB) * DEBUGGER_MS_PER_MB,
    memoryBytes: 10 * MB,
  }),
  collect: (session, _params, context) => context.exclusively(() => walk(session, context)),
};

async function walk(session: Session, context: CollectContext) {
  const { urls, pausedMs } = await session.withDebugger(async debug => ({
    urls: new Map([...debug.scripts].map(([id, script]) => [id, script.url])),
    pausedMs: debug.pausedMs,
  }));
  const internalScripts = [...urls].filter(([, url]) => /^(node|lens):/.test(url)).map(([id]) => id);
  await session.agent.install('holders', { internalScripts });
  try {
    const until = context.now() + WALK_LIMIT_MS;
    while ((await call<boolean>(session, 'busy')) && context.now() < until) await context.sleep(POLL_MS);
    const { longestSliceMs, ...result } = await call<ReturnType<HoldersPart['result']>>(session, 'result');
    const holders = result.holders.map(({ running, ...holder }) => ({
      ...holder,
      path: holder.path.map(step => withUrl(step, urls)),
      ...(running ? { running: running.map(withoutLiterals) } : {}),
    }));
    const scripts = [...new Set(urls.values())].filter(isUserCode).slice(0, MOST_SCRIPTS);
    return { data: { ...result, holders, scripts }, pausedMs: Math.round(pausedMs + longestSliceMs) };
  } finally {
    await session.agent.remove('holders').catch(() => undefined); // a lost target has nothing left to take back
  }
}

function withUrl(step: PathStep, urls: ReadonlyMap<string, string>): PathStep {
  if (step.kind !== 'variable') return step;
  return { ...step, seenBy: { ...step.seenBy, url: urls.get(step.seenBy.scriptId) ?? '' } };
}

const call = <T>(session: Session, method: string): Promise<T> =>
  session.agent.call<T>('holders', method, [], { timeoutMs: CALL_TIMEOUT_MS });
