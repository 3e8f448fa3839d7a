import type { Page, Rest, WindowOptions } from '../agents/waiting/window.js';
import type { Session } from '../inspector/session.js';
import type { AsyncRecord } from '../model/evidence/async-dump.js';
import type { Json } from '../model/json.js';
import type { CollectContext, Collector } from './collector.js';
import { scanInFlight } from './in-flight.js';

const DUMP_SECONDS = { least: 3, usual: 4, most: 5 };
const TRAFFIC_SECONDS = { least: 1, usual: 3, most: 10 };

/**
 * Measured on a handler with 117 async inits a request: within this budget 223 to 520 microseconds a request, 3 to 5 %
 * of a core at 110 requests a second.
 */
const BUDGET = { perSecond: 2500, perRequest: 1500, all: 12_000, outside: 2500, stackLimit: 24 };
/** Work younger than this when the window ends says nothing yet. */
const LEAST_AGE_MS = 500;
/** Reading stacks runs in slices with a breath between them, so that no request waits longer than one slice. */
const SLICE_MS = 5;
const BREATH_MS = 5;
/** The window closes by itself this much later, should lens be gone. */
const GRACE_MS = 1_500;
/** A busy loop answers late, but it answers. */
const CALL_TIMEOUT_MS = 20_000;

const within = (value: number | undefined, { least, usual, most }: typeof DUMP_SECONDS): number =>
  Math.min(most, Math.max(least, value ?? usual));

/** What in-flight work waits for: a window of async hooks and diagnostics channels between two scans. */
export const asyncDumpCollector: Collector<'async-dump'> = {
  kind: 'async-dump',
  title: 'Async dump',
  cost: 'light',
  async collect(session, params, context) {
    const seconds = within(params.seconds, DUMP_SECONDS);
    const options = { budget: BUDGET, maxMs: seconds * 1000 + GRACE_MS };
    const dump = await context.exclusively(() => record(session, seconds, options, context), seconds);
    const lost = dump.totals.dropped + dump.totals.droppedPerRequest;
    return {
      data: dump,
      pausedMs: 0,
      ...(lost ? { partial: `${lost} records exceeded the budget` } : {}),
    };
  },
};

/** Requests in and out over a window, from diagnostics channels alone. */
export const trafficCollector: Collector<'traffic'> = {
  kind: 'traffic',
  title: 'HTTP traffic',
  cost: 'free',
  async collect(session, params, context) {
    const seconds = within(params.seconds, TRAFFIC_SECONDS);
    const { windowMs, before, after, requests, finishedBefore, calls, sockets } = await record(
      session,
      seconds,
      { maxMs: seconds * 1000 + GRACE_MS },
      context,
    );
    return { data: { windowMs, before, after, requests, finishedBefore, calls, sockets }, pausedMs: 0 };
  },
};

async function record(session: Session, seconds: number, options: WindowOptions, context: CollectContext) {
  const before = await scanInFlight(session);
  const window = await call<number>(session, 'open', asJson(options));
  try {
    await context.sleep(seconds * 1000);
    await call<void>(session, 'close', window);
    const after = await scanInFlight(session);
    const records = options.budget ? await readRecords(session, window, context) : [];
    const rest = await call<Rest>(session, 'rest', window);
    return { before, after, records, ...rest };
  } finally {
    // Closes it too, when the wait was aborted; a lost target closes it by itself.
    await call<void>(session, 'forget', window).catch(() => undefined);
  }
}

/** The options are plain data; their optional field is what the Json type can't say. */
const asJson = ({ budget, maxMs }: WindowOptions): Json => (budget ? { maxMs, budget: { ...budget } } : { maxMs });

async function readRecords(session: Session, window: number, context: CollectContext): Promise<AsyncRecord[]> {
  const records: AsyncRecord[] = [];
  let left = await call<number>(session, 'select', window, LEAST_AGE_MS);
  while (left > 0) {
    const page = await call<Page>(session, 'page', window, SLICE_MS);
    records.push(...page.records);
    left = page.left;
    await context.sleep(BREATH_MS);
  }
  return records;
}

const call = <T>(session: Session, method: string, ...args: Json[]): Promise<T> =>
  session.agent.call<T>('waiting', method, args, { timeoutMs: CALL_TIMEOUT_MS });
