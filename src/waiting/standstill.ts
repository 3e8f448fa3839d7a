import type { Holder } from '../model/evidence/holders.js';
import { fromPlace } from './downstream.js';
import type { Context, Finding } from './finding.js';
import { isStuck, type RouteFlow } from './flow.js';
import { isTaken, poolState, shapeOf, silentPeers } from './pools.js';

/** Routes that hold requests of before the window while none that began in it could be read. */
export function heldStill({ routes, groups, old }: Context): readonly RouteFlow[] {
  return old > 0 || groups.length > 0 ? [] : routes.filter(flow => isStuck(flow) && flow.out === 0 && flow.held > 0);
}

/** So many of the held requests must stand in one queue before it is what they wait for. */
const STANDSTILL_SHARE = 0.3;

/**
 * A service whose callers have reached their own limits gets no new request to follow: then a full pool or a taken lock
 * that many wait in is the only witness. A list of bare callbacks is not: long polls keep those too.
 */
export function standstill(context: Context): Finding[] {
  const still = heldStill(context);
  const [flow] = still;
  if (!flow) return [];
  const held = still.reduce((sum, route) => sum + route.held, 0);
  const base = {
    ...fromPlace(undefined, context.routes),
    routes: still.map(route => route.route),
    requests: held,
    oldestMs: Math.max(...still.map(route => route.heldMs)),
    flow,
    standstill: true,
  } as const;
  const agent = context.dump.after.agents.find(one => one.queued >= STANDSTILL_SHARE * held);
  if (agent) return [{ ...base, faultClass: 'pool.exhaustion', confidence: 'high', agent }];
  const holder = fullHolder({ ...context, old: held });
  if (!holder) return [];
  const pool = shapeOf(holder) === 'pool' || holder.numbers.unreadBytes !== undefined;
  const used = poolState(holder).used ?? 1;
  const silent = silentPeers(context.dump).find(({ count }) => count >= used * 0.8);
  return [
    {
      ...base,
      faultClass: pool ? 'pool.exhaustion' : 'waiting.lock',
      confidence: pool || silent ? 'high' : 'medium',
      holder,
      ...(pool && silent ? { silent } : {}),
    },
  ];
}

/**
 * Callbacks leave no promise behind: whoever waits in a full pool by callback shows only in the pool. A pool may keep a
 * queue for each of its connections: those of one kind count together.
 */
export function fullHolder({ holders, old }: Context): Holder | undefined {
  const least = Math.max(2, STANDSTILL_SHARE * old);
  const taken = holders.filter(one => one.waiters && one.name !== 'Agent' && isTaken(one));
  for (const one of taken) {
    const alike = taken.filter(other => other.name === one.name && other.queue === one.queue);
    const waiting = alike.reduce((sum, other) => sum + other.waiting, 0);
    // An answer that nobody reads holds its connection however many wait for just this one.
    if (waiting >= least || one.numbers.unreadBytes !== undefined) return { ...one, waiting };
  }
  return undefined;
}
