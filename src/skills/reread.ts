import { sayCount, sayMs, sayShare } from '../base/say.js';
import { totalUnder } from '../cpu/owned.js';
import type { NotificationDraft } from '../model/notification.js';
import { rereadings } from '../source/rereading.js';
import type { Cause } from './cause.js';
import { nameOf } from './place.js';
import { isHot, isRepeated } from './repeated.js';
import type { Counted, Study } from './study.js';

/** Called so often while it was counted: at start a file is read once. */
const LEAST_CALLS = 8;

/** The same file read and parsed on every call, where that is most of what the calls do. */
export function reread(studied: Study, cause: Cause, counted: Counted | undefined): NotificationDraft | undefined {
  const { tree, work, evidence } = studied;
  const { frame, frameIndex } = cause.blame;
  const text = cause.scripts.get(frame.scriptId)?.text;
  const length = counted?.lengths.find(each => each.frame === frame);
  if (text === undefined || !counted || !length || length.count.calls < LEAST_CALLS) return undefined;
  const read = rereadings(text, { line0: frame.line, column0: frame.column });
  const us = totalUnder(tree, work, frameIndex);
  if (!read || !(read.isFixed || isRepeated(length)) || !isHot(studied, us)) return undefined;
  const share = us / tree.durationUs;
  const where = nameOf(cause.place);
  return {
    anomalyType: 'repeated-reading',
    faultClass: 'cpu.hot',
    severity: share >= 0.5 ? 'critical' : 'warning',
    title: `${where} reads and parses the same file on every call and takes ${sayShare(share)} of a core`,
    context: `CPU profile of ${sayMs(tree.durationUs / 1000)}, and the text of the function.`,
    observation: `\`${read.code}\` and what is made of it is ${sayShare(us / work.allUs)} of all work, ${sayCount(length.count.perSecond)} times a second.`,
    hypothesis: 'What a file says is worked out for each request instead of once.',
    culprit: cause.place,
    ...(cause.entry ? { related: [cause.entry] } : {}),
    fix: 'Read and parse it once at start and keep the result; look at the file again only when it has changed (its mtime, fs.watch, a signal).',
    metrics: [
      { name: 'share of a core', value: share * 100, unit: '%' },
      { name: 'share of the work', value: (us / work.allUs) * 100, unit: '%' },
      { name: 'calls', value: length.count.perSecond, unit: '/s' },
    ],
    evidenceIds: [evidence.id, counted.evidence.id],
    mechanism: true,
    confidence: 'high',
  };
}
