import { z } from 'zod';
import { isUsable } from '../model/evidence/index.js';
import type { Traffic } from '../model/evidence/traffic.js';
import type { FaultClass } from '../model/fault.js';
import type { Json } from '../model/json.js';
import { type Conclusion, defineQuery, defineSkill, type OperatorView, type Step } from '../model/skill.js';
import type { SnapshotData } from '../model/snapshot.js';
import { look } from '../waiting/findings.js';
import { flows } from '../waiting/flow.js';
import { backlog } from './backlog.js';
import { reportOwn } from './waiting-report.js';

const OWN: readonly FaultClass[] = ['waiting.lock', 'waiting.unsettled', 'queue.backlog', 'exceptions.swallowed'];
const MOST_ROWS = 20;

export const async = defineSkill({
  id: 'async',
  title: 'Waiting work',
  description: 'What requests in flight wait for: locks, promises that nobody settles, queues',
  scope:
    'Work that is in flight and waits inside of the process. Not slow peers (http), not connection pools (database), not a busy loop (event-loop).',
  words: [
    'async',
    'await',
    'waiting',
    'wait',
    'stuck',
    'hang',
    'hangs',
    'hanging',
    'hung',
    'lock',
    'mutex',
    'deadlock',
    'promise',
    'pending',
    'queue',
    'backlog',
    'timeout',
    'timeouts',
  ],
  needs: { traffic: { kind: 'traffic', params: { seconds: 3 } } },
  snapshot: ({ traffic }) => (traffic === undefined ? undefined : numbersOf(traffic)),
  rules: [],
  playbook,
  queries: [
    defineQuery({
      name: 'inFlight',
      doc: 'Requests in flight now by route, with the longest known age, and what the process itself has asked for and not got.',
      params: z.object({}),
      async run(_, probe) {
        const reading = await probe.ask('in-flight', {});
        if (!isUsable(reading)) return { status: reading.status, reason: reading.reason ?? '' };
        const { routes, outgoing, agents, requests, upgraded } = reading.data;
        return json({
          routes: routes.slice(0, MOST_ROWS),
          outgoing: outgoing.slice(0, MOST_ROWS),
          agents: agents.slice(0, MOST_ROWS),
          requests,
          upgraded,
        });
      },
    }),
    defineQuery({
      name: 'waitsByPlace',
      doc: 'What the oldest requests await, grouped by the awaiting line (a window of 3 to 5 seconds with async hooks).',
      params: z.object({ seconds: z.number().int().min(3).max(5).default(4) }),
      async run({ seconds }, probe) {
        const reading = await probe.ask('async-dump', { seconds });
        if (!isUsable(reading)) return { status: reading.status, reason: reading.reason ?? '' };
        const { groups, orphans, places } = look(reading.data, undefined);
        return json({
          groups: groups.slice(0, MOST_ROWS),
          orphans: orphans.slice(0, MOST_ROWS),
          places: places.slice(0, MOST_ROWS),
        });
      },
    }),
    defineQuery({
      name: 'suspended',
      doc: 'Every async function that waits now, by the line where it stands, also those that began before lens came. Stops the target for about 60 ms for each MB of heap that lives.',
      params: z.object({}),
      async run(_, probe) {
        const reading = await probe.ask('suspended', {});
        if (!isUsable(reading)) return { status: reading.status, reason: reading.reason ?? '' };
        return json({ ...reading.data, stacks: reading.data.stacks.slice(0, MOST_ROWS) });
      },
    }),
  ],
  prompt:
    'Requests that wait are named by the line that awaits. A long poll is no hang: it ends by a timer, and as many go out as come in. Streams and upgraded sockets are open by design.',
});

async function* playbook(see: OperatorView): Step<Conclusion> {
  const concluded = yield* reportOwn(see, {
    own: OWN,
    healthy: 'Nothing waits longer than it should inside of the process',
  });
  if (concluded.outcome === 'found') return concluded;
  // Whoever put the work in has long been answered: no request shows that it waits, only the queue does.
  const queued = yield* backlog(see);
  if (!queued) return concluded;
  yield* see.setState('warning', queued.title ?? queued.observation);
  yield* see.notify(queued);
  return { outcome: 'found', summary: queued.observation };
}

function numbersOf(traffic: Traffic): SnapshotData {
  const routes = flows(traffic).slice(0, MOST_ROWS);
  return {
    inFlight: traffic.after.routes.reduce((sum, route) => sum + route.count, 0),
    held: traffic.after.routes.reduce((sum, route) => sum + route.heldCount, 0),
    routes: json(routes.map(({ route, before, after, in: began, out }) => ({ route, before, after, in: began, out }))),
  };
}

/** Engine rows are plain data: undefined fields fall away and Infinity becomes null. */
const json = (value: unknown): Json => JSON.parse(JSON.stringify(value)) as Json;
