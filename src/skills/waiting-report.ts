import { isUsable } from '../model/evidence/index.js';
import type { FaultClass } from '../model/fault.js';
import type { Conclusion, OperatorView, Step } from '../model/skill.js';
import { isChained } from '../source/loops.js';
import type { Finding } from '../waiting/finding.js';
import { keyOf } from '../waiting/flow.js';
import { UNANSWERED_MS } from '../waiting/unanswered.js';
import { draftOf } from './waiting-draft.js';
import { isLoopBusy, lookAtWaiting, type WaitingLook } from './waiting-look.js';
import { loopFrame, textOf } from './waiting-place.js';

interface Part {
  readonly own: readonly FaultClass[];
  /** First words of a healthy conclusion. */
  readonly healthy: string;
  /** Narrows a shared class: connection pools belong to one skill, agents' sockets to another. */
  readonly mine?: (finding: Finding) => boolean;
}

/** A busy loop makes everybody wait: what remains true is only what never comes. */
const TRUE_ANYWAY = new Set<FaultClass>([
  'waiting.lock',
  'waiting.unsettled',
  'pool.exhaustion',
  'threadpool.saturation',
]);
const MOST = 3;

/** Looks with the others, speaks of its own classes only. */
export async function* reportOwn(see: OperatorView, part: Part): Step<Conclusion> {
  const seen = yield* lookAtWaiting(see);
  if (!seen.traffic)
    return { outcome: 'inconclusive', summary: `Requests could not be watched: ${seen.missing ?? 'no reason'}.` };
  const own = (seen.look?.findings ?? [])
    .filter(finding => part.own.includes(finding.faultClass) && (part.mine?.(finding) ?? true))
    .filter(finding => !isLoopBusy(seen) || TRUE_ANYWAY.has(finding.faultClass))
    .slice(0, MOST);
  let first: string | undefined;
  for (const finding of own) {
    if (!(yield* isSameRun(see, finding)) || !(yield* isLoopIfFew(see, finding)) || !(yield* staysHeld(see, finding)))
      continue;
    const draft = yield* draftOf(see, finding, seen);
    yield* see.setState(draft.severity === 'critical' ? 'critical' : 'warning', draft.title ?? draft.observation);
    yield* see.notify(draft);
    first ??= draft.title ?? draft.observation;
  }
  if (first !== undefined) return { outcome: 'found', summary: `${first}.` };
  return { outcome: 'healthy', summary: healthySentence(part.healthy, seen) };
}

/** Runs that are handed something each are different work: a dispatcher begins them by design. */
async function* isSameRun(see: OperatorView, { overlap, user: [, caller] }: Finding): Step<boolean> {
  if (!overlap || !caller) return true;
  const script = yield* textOf(see, caller.url);
  const line = script?.text.split('\n')[caller.line - 1] ?? '';
  return /^[\w$.#]*\(\s*\)/.test(line.slice(caller.column - 1));
}

/**
 * The steps of a plan stand one below the other and need each other, as the pages of a list do; those of a loop over
 * items are the same step for each.
 */
async function* isLoopIfFew(see: OperatorView, { few, user }: Finding): Step<boolean> {
  if (few !== true) return true;
  const frame = yield* loopFrame(see, user);
  const script = frame && (yield* textOf(see, frame.url));
  return frame !== undefined && !(script && isChained(script.text, frame.line - 1, frame.column - 1));
}

const ANEW = 0;
/** Of those that were held so many are still there: none has ended. */
const STILL_HELD = 0.9;

/** Where so many of the answers are those of old requests, waits end, if late. */
const LATE_SHARE = 0.5;

/**
 * A promise that nobody has settled yet may be a long poll's: those that began before lens came must outlast any. A full
 * pool, a taken lock and a peer that is silent say more than their age.
 */
async function* staysHeld(see: OperatorView, { fromBefore, faultClass, flow }: Finding): Step<boolean> {
  if (faultClass !== 'waiting.unsettled' || !flow) return true;
  const isLate = flow.outOld > 0 && flow.outOld >= LATE_SHARE * flow.out;
  if (!fromBefore && !isLate) return true;
  yield* see.wait(Math.max(0, UNANSWERED_MS - flow.heldMs));
  const later = yield* see.ask('in-flight', {}, ANEW);
  const route = isUsable(later) ? later.data.routes.find(one => keyOf(one) === flow.route) : undefined;
  return route !== undefined && route.heldMs >= UNANSWERED_MS && route.heldCount >= STILL_HELD * flow.held;
}

function healthySentence(words: string, { traffic, reasons }: WaitingLook): string {
  const inFlight = traffic?.after.routes.reduce((sum, route) => sum + route.count, 0) ?? 0;
  const looked = reasons.length > 0 ? `, looked closer because ${reasons[0]}` : '';
  return `${words}: ${traffic?.requests.length ?? 0} requests began in the window, ${inFlight} are in flight${looked}.`;
}
