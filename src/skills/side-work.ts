import { sayMs, sayShare } from '../base/say.js';
import { fromLine, type Mechanism } from '../cpu/mechanism.js';
import { topShare } from '../cpu/shares.js';
import type { FaultClass } from '../model/fault.js';
import type { NotificationDraft } from '../model/notification.js';
import type { OperatorView, Step } from '../model/skill.js';
import { callsOnLineOf } from '../source/calls.js';
import { isForLog } from '../source/for-log.js';
import { type Cause, explain } from './cause.js';
import { DOING, FIX } from './fixes.js';
import { nameOf } from './place.js';
import type { Study } from './study.js';

/** Share of all work that logging, exceptions or the like take before they are the matter. */
const SIDE_SHARE = 0.4;
/** … and this share of a core. */
const SIDE_OF_CORE = 0.08;

const SIDE_CLASS: Partial<Record<Mechanism, FaultClass>> = {
  logging: 'cpu.logging',
  exceptions: 'cpu.exceptions',
  clock: 'cpu.busy-loop',
  // What is matched are formatters that are made for the call; one that is kept formats at a fiftieth of the price.
  intl: 'cpu.hot',
};

/** Work beside the point: logging, exceptions, asking the clock, making formatters. */
export async function* side(see: OperatorView, studied: Study, told: Cause): Step<NotificationDraft | undefined> {
  const cause: Cause = isMadeForLog(told) ? { ...told, mechanism: 'logging' } : told;
  const { tree, work } = studied;
  const direct =
    SIDE_CLASS[cause.mechanism] && cause.mechanismShare * cause.blame.ownedUs >= SIDE_SHARE * work.allUs
      ? cause
      : undefined;
  const chosen = direct ?? (yield* spread(see, studied));
  const faultClass = chosen && SIDE_CLASS[chosen.mechanism];
  const us = chosen ? chosen.mechanismShare * chosen.blame.ownedUs : 0;
  if (!chosen || !faultClass || us < SIDE_OF_CORE * tree.durationUs) return undefined;
  return sideDraft(studied, chosen, faultClass, us);
}

/** Serializing whose text only a log's reader sees, if any: the level may be off. */
function isMadeForLog({ mechanism, owned, blame: { frame }, scripts }: Cause): boolean {
  const text = scripts.get(frame.scriptId)?.text;
  const line = owned.lines[0]?.line ?? 0;
  if (mechanism !== 'serialization' || text === undefined || line === 0) return false;
  const calls = callsOnLineOf(text, line - 1, { line0: frame.line, column0: frame.column });
  const [call, more] = calls.filter(each => fromLine([each])?.mechanism === 'serialization');
  return call !== undefined && more === undefined && isForLog(text, call);
}

/** The same kind of side work from many places: all samples of logging or exceptions together. */
async function* spread(see: OperatorView, { tree, work }: Study): Step<Cause | undefined> {
  for (const mechanism of ['logging', 'exceptions'] as const) {
    const weights = topShare(tree, mechanism);
    if (weights.allUs >= SIDE_SHARE * work.allUs) return yield* explain(see, tree, weights);
  }
  return undefined;
}

function sideDraft(
  { tree, work, evidence }: Study,
  cause: Cause,
  faultClass: FaultClass,
  us: number,
): NotificationDraft {
  const where = nameOf(cause.place);
  const ofWork = us / work.allUs;
  const ofCore = us / tree.durationUs;
  return {
    anomalyType: 'side-work',
    faultClass,
    severity: ofCore >= 0.5 ? 'critical' : 'warning',
    title: `${where} spends the cpu on ${DOING[cause.mechanism]} (\`${cause.what}\`)`,
    context: `CPU profile of ${sayMs(tree.durationUs / 1000)}.`,
    observation: `${sayShare(ofWork)} of all work (${sayShare(ofCore)} of a core) is ${DOING[cause.mechanism]} under ${where}.`,
    culprit: cause.place,
    ...(cause.entry ? { related: [cause.entry] } : {}),
    fix: FIX[cause.mechanism],
    metrics: [
      { name: 'share of the work', value: ofWork * 100, unit: '%' },
      { name: 'share of a core', value: ofCore * 100, unit: '%' },
      { name: 'window', value: tree.durationUs / 1000, unit: 'ms' },
    ],
    evidenceIds: [evidence.id],
    mechanism: true,
    confidence: 'high',
  };
}
