import type { AsyncDump } from '../model/evidence/async-dump.js';
import type { Holder, Holders } from '../model/evidence/holders.js';
import { type Evidence, isUsable } from '../model/evidence/index.js';
import type { Suspended } from '../model/evidence/suspended.js';
import type { Threadpool } from '../model/evidence/threadpool.js';
import type { Traffic } from '../model/evidence/traffic.js';
import type { Vitals } from '../model/evidence/vitals.js';
import type { OperatorView, Step } from '../model/skill.js';
import { type Look, look, needsHolders } from '../waiting/findings.js';
import { symptoms } from '../waiting/symptoms.js';
import { dumpWithoutBundles } from './bundle.js';

/** What the skills about waiting have in common: they look at the same readings, in the same order, once. */
export interface WaitingLook {
  readonly traffic: Traffic | undefined;
  readonly threadpool: Threadpool | undefined;
  readonly vitals: Vitals | undefined;
  readonly dump: AsyncDump | undefined;
  /** Why a dump was taken; empty when nothing asked for one. */
  readonly reasons: readonly string[];
  readonly look: Look | undefined;
  /** Urls of the application's scripts; empty until pools and locks were looked for. */
  readonly scripts: readonly string[];
  /** What was found then, the fullest queue first. */
  readonly pools: readonly Holder[];
  readonly evidenceIds: readonly string[];
  /** The first reading that could not be taken, in its own words. */
  readonly missing: string | undefined;
}

const TRAFFIC = { seconds: 3 } as const;
/** Whether the loop keeps everybody waiting shows as soon as the traffic does. */
const LOOP = { seconds: 3 } as const;
export const DUMP = { seconds: 4 } as const;
const POOL = { seconds: 2 } as const;
/** Skills of one run arrive at different times and are to judge the same window. */
const SHARED_MS = 45_000;
/** Above this the loop itself keeps everybody waiting: that is another operator's finding. */
const BUSY_ELU = 0.95;

/** Traffic without hooks first; the dump, and then the search for pools and locks, only when something asks for it. */
export async function* lookAtWaiting(see: OperatorView): Step<WaitingLook> {
  yield* see.begin('vitals', LOOP, SHARED_MS);
  yield* see.begin('threadpool', POOL, SHARED_MS);
  const traffic = yield* see.ask('traffic', TRAFFIC, SHARED_MS);
  const vitals = yield* see.ask('vitals', LOOP, SHARED_MS);
  const threadpool = yield* see.ask('threadpool', POOL, SHARED_MS);
  const reasons = isUsable(traffic) ? reasonsFor(see, traffic.data, data(threadpool), data(vitals)) : [];
  const dump = reasons.length > 0 ? yield* see.ask('async-dump', DUMP, SHARED_MS) : undefined;
  const told = isUsable(dump) ? yield* dumpWithoutBundles(see, dump.data) : undefined;
  const first = told && lookOnce(told);
  const holders = first && needsHolders(first) ? yield* see.ask('holders', {}, SHARED_MS) : undefined;
  const seen = told && isUsable(holders) ? lookOnce(told, holders.data) : first;
  const before = seen && seen.unplaced.length > 0 ? yield* see.ask('suspended', {}, SHARED_MS) : undefined;
  const readings = [vitals, traffic, threadpool, dump, holders, before];
  return {
    vitals: data(vitals),
    traffic: data(traffic),
    threadpool: data(threadpool),
    dump: told,
    reasons,
    look: told && isUsable(before) ? lookOnce(told, data(holders), before.data) : seen,
    scripts: data(holders)?.scripts ?? [],
    pools: data(holders)?.holders ?? [],
    evidenceIds: readings.flatMap(reading => (reading && isUsable<unknown>(reading) ? [reading.id] : [])),
    missing: [traffic, dump].find(reading => reading && !isUsable(reading))?.reason,
  };
}

const looks = new WeakMap<
  AsyncDump,
  { readonly holders?: Holders; readonly before?: Suspended; readonly found: Look }[]
>();

/** Six skills look at the same readings; whoever comes first does the work, and the next question is there sooner. */
function lookOnce(dump: AsyncDump, holders?: Holders, before?: Suspended): Look {
  const known = looks.get(dump) ?? [];
  const same = known.find(one => one.holders === holders && one.before === before);
  if (same) return same.found;
  const found = look(dump, holders, before);
  looks.set(dump, [...known, { ...(holders && { holders }), ...(before && { before }), found }]);
  return found;
}

export const isLoopBusy = ({ vitals }: WaitingLook): boolean => (vitals?.elu ?? 0) >= BUSY_ELU;

function reasonsFor(
  see: OperatorView,
  traffic: Traffic,
  pool: Threadpool | undefined,
  vitals: Vitals | undefined,
): string[] {
  const said = symptoms(traffic, pool, vitals);
  if (said.length > 0) return said;
  if (see.urgent) return ['the question points here'];
  // Nothing but a dump tells what a program without HTTP waits for, and without requests a dump costs next to nothing.
  return traffic.after.servers === 0 ? ['the process serves no requests'] : [];
}

const data = <T>(reading: Evidence<T> | undefined): T | undefined => (isUsable(reading) ? reading.data : undefined);
