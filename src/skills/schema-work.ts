import { sayCount, sayShare } from '../base/say.js';
import type { NotificationDraft } from '../model/notification.js';
import { asksSchema, buildsSchema } from '../source/schemas.js';
import type { Cause } from './cause.js';
import { nameOf } from './place.js';
import type { Counted, Study } from './study.js';

/** Of a core, and of all that the process does: what is built for each call takes that much before it is worth a word. */
const OF_CORE = 0.08;
const OF_WORK = 0.25;
/** Called so often while it was counted: at start a description is built once. */
const LEAST_CALLS = 8;

/** A description of data that is built for each call, asked once and dropped; `us`: the function's time in all. */
export function builtAnew(
  { tree, work, evidence }: Study,
  cause: Cause,
  counted: Counted | undefined,
  us: number,
): NotificationDraft | undefined {
  const { frame } = cause.blame;
  const script = cause.scripts.get(frame.scriptId);
  // A package builds with helpers of others: the one that the function itself calls is meant.
  const names = [...new Set(cause.owned.callees.flatMap(({ frame: callee }) => callee.package ?? []))];
  const count = counted?.lengths.find(length => length.frame === frame)?.count;
  const built = us - askedUs(cause);
  if (!script || !counted || (count?.calls ?? 0) < LEAST_CALLS) return undefined;
  if (built < OF_CORE * tree.durationUs || built < OF_WORK * work.allUs) return undefined;
  const position = { line0: frame.line, column0: frame.column };
  const name = names.find(each => buildsSchema(script.text, position, each));
  if (name === undefined) return undefined;
  const share = built / tree.durationUs;
  const where = nameOf(cause.place);
  return {
    anomalyType: 'repeated-building',
    faultClass: 'cpu.hot',
    severity: share >= 0.5 ? 'critical' : 'warning',
    title: `${where} builds its schema with \`${name}\` anew on every call and takes ${sayShare(share)} of a core`,
    context: `CPU profile of ${sayCount(tree.durationUs / 1000)} ms, and the text of the function.`,
    observation: `${sayShare(built / work.allUs)} of all work is building what is asked once and dropped; it is called ${sayCount(count?.perSecond ?? 0)} times a second.`,
    hypothesis: 'A schema is put together for each request instead of once.',
    culprit: { ...cause.place, package: name },
    ...(cause.entry ? { related: [cause.entry] } : {}),
    fix: 'Build the schema once, where the module is loaded; keep one for each variant (tenant, locale) in a bounded map.',
    metrics: [
      { name: 'share of a core', value: share * 100, unit: '%' },
      { name: 'share of the work', value: (built / work.allUs) * 100, unit: '%' },
      { name: 'calls', value: count?.perSecond ?? 0, unit: '/s' },
    ],
    evidenceIds: [evidence.id, counted.evidence.id],
    mechanism: true,
    confidence: 'high',
  };
}

/** Asking is what it is built for. */
const askedUs = ({ owned }: Cause): number =>
  owned.callees.reduce((sum, { frame, us }) => sum + (asksSchema(frame.functionName) ? us : 0), 0);
