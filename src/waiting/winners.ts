import type { FaultClass } from '../model/fault.js';
import type { Finding } from './finding.js';
import { placeKey } from './waits.js';

/** One finding per cause: same class and same pool, target, maker or place. */
export function merge(found: readonly Finding[]): Finding[] {
  const byCause = new Map<string, Finding>();
  for (const finding of found) {
    const key = causeKey(finding);
    const known = byCause.get(key);
    byCause.set(key, known ? joined(known, finding) : finding);
  }
  return [...byCause.values()];
}

function causeKey({ faultClass, holder, agent, call, maker, package: name, place }: Finding): string {
  const what =
    agent?.host ??
    (holder ? `${holder.name}.${holder.queue}` : undefined) ??
    call?.host ??
    (maker?.kind === 'user' ? placeKey(maker) : name) ??
    placeKey(place);
  return `${faultClass} ${what}`;
}

function joined(a: Finding, b: Finding): Finding {
  const others = [...a.others, ...(b.place && placeKey(b.place) !== placeKey(a.place) ? [b.place] : [])].slice(0, 4);
  const call = a.call ?? b.call;
  return {
    ...a,
    others,
    routes: [...new Set([...a.routes, ...b.routes])],
    requests: a.requests + b.requests,
    oldestMs: Math.max(a.oldestMs, b.oldestMs),
    ...(call ? { call } : {}),
  };
}

/** Among causes that explain each other the deepest wins; all of these would say the same waiting twice. */
const DEPTH: readonly FaultClass[] = [
  'threadpool.saturation',
  'pool.exhaustion',
  'downstream.retries',
  'waiting.lock',
  'downstream.chatty',
  'downstream.slow',
  'exceptions.swallowed',
  'waiting.unsettled',
  'queue.backlog',
];

/** Deepest first; a route that is explained needs no second cause. */
export function winners(found: readonly Finding[]): Finding[] {
  const sorted = [...found].sort(
    (a, b) => DEPTH.indexOf(a.faultClass) - DEPTH.indexOf(b.faultClass) || b.requests - a.requests,
  );
  const explained = new Set<string>();
  return sorted.filter(finding => {
    const isNew = finding.routes.some(route => !explained.has(route)) || finding.routes.length === 0;
    for (const route of finding.routes) explained.add(route);
    return isNew;
  });
}
