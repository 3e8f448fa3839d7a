import { z } from 'zod';
import { sayBytes } from '../base/say.js';
import type { AsyncDump } from '../model/evidence/async-dump.js';
import { isUsable } from '../model/evidence/index.js';
import type { NotificationDraft } from '../model/notification.js';
import type { Conclusion, OperatorView, Step } from '../model/skill.js';
import { defineQuery, defineSkill } from '../model/skill.js';
import { type Clogged, clogged, writers } from '../waiting/clogged.js';
import { dumpWithoutBundles } from './bundle.js';
import { GROWTH_PARAMS, GROWTH_STAYS_MS } from './growth-window.js';
import { DUMP, lookAtWaiting } from './waiting-look.js';
import { placeOfFrame } from './waiting-place.js';

const MOST_ROWS = 20;

export const overload = defineSkill({
  id: 'overload',
  title: 'Overload and backpressure',
  description: 'Streams written faster than they are read: buffers against their high-water marks, and who writes',
  scope: 'Write buffers of sockets and responses. Not queues of jobs (async), not connection pools (database).',
  words: [
    'overload',
    'backpressure',
    'buffer',
    'buffers',
    'stream',
    'streams',
    'drain',
    'slow',
    'client',
    'sse',
    'websocket',
    'memory',
    'cascade',
  ],
  needs: { traffic: { kind: 'traffic', params: { seconds: 3 } } },
  snapshot: ({ traffic }) =>
    traffic && {
      stalledStreams: traffic.after.stalledCount,
      bufferedBytes: traffic.after.stalled.reduce((sum, stream) => sum + stream.writableLength, 0),
    },
  rules: [],
  playbook,
  queries: [
    defineQuery({
      name: 'stalledStreams',
      doc: 'Streams whose write buffer is far past its high-water mark, fullest first.',
      params: z.object({}),
      async run(_, probe) {
        const reading = await probe.ask('in-flight', {});
        if (!isUsable(reading)) return { status: reading.status, reason: reading.reason ?? '' };
        return reading.data.stalled.slice(0, MOST_ROWS).map(stream => ({ ...stream }));
      },
    }),
  ],
  prompt: 'A write buffer that is large is no fault; one that keeps growing while nobody waits for `drain` is.',
});

async function* playbook(see: OperatorView): Step<Conclusion> {
  const { traffic, dump, missing } = yield* lookAtWaiting(see);
  if (!traffic) return { outcome: 'inconclusive', summary: `Streams could not be watched: ${missing ?? 'no reason'}.` };
  const now = dump ? clogged(dump.before, dump.after) : clogged(traffic.before, traffic.after);
  const [found, seen] = now ? [now, dump] : yield* lookLater(see);
  if (!found)
    return {
      outcome: 'healthy',
      summary: `No write buffer keeps growing; ${traffic.after.stalledCount} are above their high-water mark.`,
    };
  const user = seen ? writers(seen)[0] : undefined;
  const culprit = user?.[0] ? yield* placeOfFrame(see, user[0], user.slice(1)) : undefined;
  const draft = draftOf(found, culprit, see.evidenceIds);
  yield* see.setState('warning', draft.title ?? draft.observation);
  yield* see.notify(draft);
  return { outcome: 'found', summary: draft.observation };
}

const ANEW = 0;

/**
 * The kernel takes some megabytes of each connection before a buffer of the program's own begins to grow. While others
 * watch for growth nothing is asked; afterwards a look at the buffers costs next to nothing.
 */
async function* lookLater(see: OperatorView): Step<[Clogged?, AsyncDump?]> {
  yield* see.ask('collection-growth', GROWTH_PARAMS, GROWTH_STAYS_MS);
  const buffers = yield* see.ask('in-flight', {}, ANEW);
  if (!isUsable(buffers) || buffers.data.stalledCount === 0) return [];
  const dump = yield* see.ask('async-dump', DUMP, ANEW);
  const found = isUsable(dump) ? clogged(dump.data.before, dump.data.after) : undefined;
  return found && isUsable(dump) ? [found, yield* dumpWithoutBundles(see, dump.data)] : [];
}

function draftOf(
  { streams, worst, bytesBefore, bytesAfter, takenBytes, listening }: Clogged,
  culprit: NotificationDraft['culprit'],
  evidenceIds: readonly string[],
): NotificationDraft {
  const who = culprit ? `\`${culprit.function || culprit.file}\`` : 'Somebody';
  const where = worst.route || worst.peer;
  return {
    anomalyType: 'write-buffer-grows',
    faultClass: 'backpressure',
    severity: 'warning',
    title: `${who} writes faster than its readers read: buffers of ${where} keep growing`,
    context: `Two scans of all sockets; ${streams} ${worst.side === 'server' ? 'responses or server sockets' : 'outgoing sockets'} are past their high-water mark.`,
    observation: `Buffered bytes went from ${sayBytes(bytesBefore)} to ${sayBytes(bytesAfter)}; the fullest holds ${sayBytes(worst.writableLength)} against a high-water mark of ${sayBytes(worst.highWaterMark)}${listening ? '' : ', and nobody listens for drain'}.`,
    hypothesis: `The result of write() is ignored; the readers took ${sayBytes(takenBytes)} meanwhile.`,
    fix: 'Stop writing when write() returns false and go on at drain, use pipeline(), or drop or disconnect readers that are too slow.',
    ...(culprit ? { culprit } : {}),
    metrics: [
      { name: 'buffered', value: bytesAfter, unit: 'bytes', baseline: bytesBefore },
      { name: 'streams', value: streams, unit: 'streams' },
      { name: 'high-water mark', value: worst.highWaterMark, unit: 'bytes' },
    ],
    evidenceIds: [...evidenceIds],
    mechanism: true,
    confidence: culprit ? 'high' : 'medium',
  };
}
