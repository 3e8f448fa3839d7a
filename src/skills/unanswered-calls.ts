import { sayMs } from '../base/say.js';
import type { OutgoingInFlight } from '../model/evidence/in-flight.js';
import { isUsable } from '../model/evidence/index.js';
import type { CodeLocation } from '../model/location.js';
import type { NotificationDraft } from '../model/notification.js';
import type { OperatorView, Step } from '../model/skill.js';
import { callsTo } from '../source/addressed.js';
import { ScriptText } from '../source/script.js';
import { sameCall, UNANSWERED_MS, unanswered } from '../waiting/unanswered.js';
import { locate } from './place.js';

const ANEW = 0;
const TEXTS_STAY_MS = 3_600_000;

/**
 * Calls of a job or a consumer that are never answered. They began long before lens came and nothing begins after them,
 * so that no window shows them: only that they are still there.
 */
export async function* unansweredCalls(see: OperatorView): Step<NotificationDraft | undefined> {
  const first = yield* see.ask('in-flight', {}, ANEW);
  const call = isUsable(first) ? unanswered(first.data) : undefined;
  if (!call) return undefined;
  yield* see.wait(Math.max(0, UNANSWERED_MS - (call.heldMs ?? 0)));
  const last = yield* see.ask('in-flight', {}, ANEW);
  const still = isUsable(last) ? last.data.outgoing.find(sameCall(call)) : undefined;
  if (!still || still.heldCount !== call.count || (still.heldMs ?? 0) < UNANSWERED_MS) return undefined;
  return draftOf(still, yield* whoAsks(see, still), [first.id, last.id]);
}

/** Stacks are gone, but a path that only one call of the application writes down says who asked. */
export async function* whoAsks(see: OperatorView, { path }: OutgoingInFlight): Step<CodeLocation | undefined> {
  const segments = path.split('/').filter(part => part !== '' && !part.startsWith(':'));
  const scripts = segments.length > 0 ? yield* see.ask('scripts', {}, TEXTS_STAY_MS) : undefined;
  if (!scripts || !isUsable(scripts)) return undefined;
  const texts = scripts.data.scripts.map(source => new ScriptText(source));
  // The last segments may be values.
  for (const segment of segments.reverse()) {
    const found = texts.flatMap(script => callsTo(script.text, segment).map(at => ({ script, ...at })));
    const [site] = found;
    if (!site) continue;
    const spot = { scriptId: '', url: site.script.url, line: site.line0, column: site.column0 };
    return found.length > 1 ? undefined : locate(site.script, spot, see.target.cwd);
  }
  return undefined;
}

function draftOf(
  { count, method, host, path, heldMs = 0 }: OutgoingInFlight,
  culprit: CodeLocation | undefined,
  evidenceIds: string[],
): NotificationDraft {
  const target = `${method} ${host}${path}`;
  return {
    anomalyType: 'unanswered-calls',
    faultClass: 'downstream.slow',
    severity: 'warning',
    title: `${count} calls of ${target} are never answered, and what made them waits for ever`,
    context: 'No request waits for them: they belong to a job or a consumer.',
    observation: `${count} calls of ${target} have had no answer for ${sayMs(heldMs)} and more; none of them ended and none began.`,
    hypothesis: 'The peer took the calls and says nothing, and they have no time limit.',
    ...(culprit ? { culprit } : {}),
    fix: 'Give every call a time limit (timeout, AbortSignal.timeout) and let the job fail, so that the next one is taken.',
    metrics: [
      { name: 'open calls', value: count, unit: 'calls' },
      { name: 'without an answer for', value: heldMs, unit: 'ms' },
    ],
    evidenceIds,
    mechanism: true,
    confidence: culprit ? 'high' : 'medium',
  };
}
