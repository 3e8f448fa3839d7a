import { z } from 'zod';
import { isUsable } from '../model/evidence/index.js';
import type { NotificationDraft } from '../model/notification.js';
import type { Conclusion, OperatorView, Step } from '../model/skill.js';
import { defineQuery, defineSkill } from '../model/skill.js';
import { connectors, type SocketGrowth, socketGrowth } from '../waiting/sockets.js';
import { lookAtWaiting } from './waiting-look.js';
import { placeOfFrame } from './waiting-place.js';

const MOST_ROWS = 20;

export const network = defineSkill({
  id: 'network',
  title: 'Network',
  description: 'Sockets by peer, half-closed ones, connections opened and never closed',
  scope: 'Outgoing and raw sockets. Not what travels over them (http, database), not write buffers (overload).',
  words: [
    'network',
    'socket',
    'sockets',
    'connection',
    'connections',
    'tcp',
    'close_wait',
    'econnreset',
    'emfile',
    'ports',
  ],
  needs: { traffic: { kind: 'traffic', params: { seconds: 3 } } },
  snapshot: ({ traffic }) =>
    traffic && {
      peers: traffic.after.peers
        .slice(0, MOST_ROWS)
        .map(({ peer, count, connecting, halfClosed }) => ({ peer, count, connecting, halfClosed })),
      opened: traffic.sockets.slice(0, MOST_ROWS).map(({ peer, count, open }) => ({ peer, count, open })),
    },
  rules: [],
  playbook,
  queries: [
    defineQuery({
      name: 'socketsByPeer',
      doc: 'Sockets outside of HTTP by peer: open, connecting, half-closed (the peer has closed its side), bytes.',
      params: z.object({}),
      async run(_, probe) {
        const reading = await probe.ask('in-flight', {});
        if (!isUsable(reading)) return { status: reading.status, reason: reading.reason ?? '' };
        return reading.data.peers.slice(0, MOST_ROWS).map(peer => ({ ...peer }));
      },
    }),
  ],
  prompt: 'Pools open a few sockets when they warm up; a leak opens one per request and closes none.',
});

async function* playbook(see: OperatorView): Step<Conclusion> {
  const { traffic, dump, missing } = yield* lookAtWaiting(see);
  if (!traffic) return { outcome: 'inconclusive', summary: `Sockets could not be watched: ${missing ?? 'no reason'}.` };
  const peers = traffic.after.peers.length;
  const first = socketGrowth(traffic.before, traffic.after)[0];
  // One window may be a pool that warms up: the dump's own window has to show the same.
  const found = first && dump && socketGrowth(dump.before, dump.after).find(({ peer }) => peer === first.peer);
  if (!found || !dump)
    return { outcome: 'healthy', summary: `Sockets to ${peers} peers, none of which keeps growing.` };
  const user = connectors(dump, found.peer)[0];
  const culprit = user?.[0] ? yield* placeOfFrame(see, user[0], user.slice(1)) : undefined;
  const draft = draftOf(found, culprit, see.evidenceIds);
  yield* see.setState('warning', draft.title ?? draft.observation);
  yield* see.notify(draft);
  return { outcome: 'found', summary: draft.observation };
}

function draftOf(
  { peer, before, after, halfClosed }: SocketGrowth,
  culprit: NotificationDraft['culprit'],
  evidenceIds: readonly string[],
): NotificationDraft {
  const who = culprit ? `\`${culprit.function || culprit.file}\`` : 'Somebody';
  return {
    anomalyType: 'sockets-grow',
    faultClass: 'handles.leak.socket',
    severity: 'warning',
    title: `${who} opens connections to ${peer} and does not close them`,
    context: 'Open sockets outside of HTTP, counted at both ends of two windows.',
    observation: `Sockets to ${peer} went from ${before} to ${after}${halfClosed > 0 ? `; ${halfClosed} of them the peer has already closed` : ''}.`,
    hypothesis: 'Each request or job makes a connection of its own and nothing ends it.',
    fix: 'Use one pool for all, or end the connection in a finally block.',
    ...(culprit ? { culprit } : {}),
    metrics: [{ name: 'sockets', value: after, unit: 'sockets', baseline: before }],
    evidenceIds: [...evidenceIds],
    mechanism: culprit !== undefined,
    confidence: culprit ? 'high' : 'medium',
  };
}
