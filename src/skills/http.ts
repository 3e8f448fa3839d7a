import { z } from 'zod';
import { isUsable } from '../model/evidence/index.js';
import type { Traffic } from '../model/evidence/traffic.js';
import type { FaultClass } from '../model/fault.js';
import type { Json } from '../model/json.js';
import { type Conclusion, defineQuery, defineSkill, type OperatorView, type Step } from '../model/skill.js';
import type { SnapshotData } from '../model/snapshot.js';
import type { Finding } from '../waiting/finding.js';
import { flows, type RouteFlow } from '../waiting/flow.js';
import { type CallGroup, callGroups } from '../waiting/outgoing.js';
import { unansweredCalls } from './unanswered-calls.js';
import { reportOwn } from './waiting-report.js';

const OWN: readonly FaultClass[] = ['downstream.slow', 'downstream.retries', 'downstream.chatty', 'pool.exhaustion'];
const MOST_ROWS = 20;
const SECONDS = 3;

/** Calls over HTTP and agents' sockets; a database driver's waits belong to the database skill. */
const isHttp = ({ faultClass, agent, call, lookups }: Finding): boolean =>
  faultClass === 'pool.exhaustion'
    ? agent !== undefined
    : faultClass !== 'downstream.slow' || (call ?? lookups) !== undefined;

export const http = defineSkill({
  id: 'http',
  title: 'HTTP',
  description: 'Requests in and out by route template, slow peers, retries, round trips, agents',
  scope: 'HTTP/1 requests the process serves and sends. Not waits inside of the process (async), not databases.',
  words: [
    'http',
    'https',
    'request',
    'requests',
    'route',
    'routes',
    'latency',
    'slow',
    'timeout',
    'downstream',
    'upstream',
    'api',
    'retry',
    'retries',
    'fetch',
    'axios',
    '503',
    '504',
  ],
  needs: { traffic: { kind: 'traffic', params: { seconds: SECONDS } } },
  snapshot: ({ traffic }) => (traffic === undefined ? undefined : numbersOf(traffic)),
  rules: [],
  playbook,
  queries: [
    defineQuery({
      name: 'routes',
      doc: 'Requests by route template over a window: in flight, in, out, p50/p95/p99 in milliseconds.',
      params: z.object({ seconds: z.number().min(1).max(10).default(SECONDS) }),
      async run({ seconds }, probe) {
        const reading = await probe.ask('traffic', { seconds });
        return isUsable(reading)
          ? flows(reading.data).slice(0, MOST_ROWS).map(routeRow)
          : { status: reading.status, reason: reading.reason ?? '' };
      },
    }),
    defineQuery({
      name: 'outgoing',
      doc: 'Requests the process sent over a window, by host and path template: count, failures, latency, unread bodies.',
      params: z.object({ seconds: z.number().min(1).max(10).default(SECONDS) }),
      async run({ seconds }, probe) {
        const reading = await probe.ask('traffic', { seconds });
        if (!isUsable(reading)) return { status: reading.status, reason: reading.reason ?? '' };
        return callGroups(reading.data.calls, reading.data.windowMs).slice(0, MOST_ROWS).map(callRow);
      },
    }),
  ],
  prompt:
    'Routes are templates, never values. Slow and flowing (as many out as in) is not stuck; a peer is the cause only when open calls to it cover the waiting.',
});

async function* playbook(see: OperatorView): Step<Conclusion> {
  const concluded = yield* reportOwn(see, { own: OWN, mine: isHttp, healthy: 'Requests come and go' });
  if (concluded.outcome !== 'healthy') return concluded;
  const stuck = yield* unansweredCalls(see);
  if (!stuck) return concluded;
  yield* see.setState('warning', stuck.title ?? stuck.observation);
  yield* see.notify(stuck);
  return { outcome: 'found', summary: stuck.observation };
}

function numbersOf(traffic: Traffic): SnapshotData {
  return {
    began: traffic.requests.length,
    windowMs: traffic.windowMs,
    routes: flows(traffic).slice(0, MOST_ROWS).map(routeRow),
    outgoing: callGroups(traffic.calls, traffic.windowMs).slice(0, MOST_ROWS).map(callRow),
  };
}

function routeRow({
  route,
  before,
  after,
  in: began,
  out,
  failed,
  waitMs,
  p50Ms,
  p95Ms,
  p99Ms,
  maxMs,
  held,
  heldMs,
}: RouteFlow): { [key: string]: Json } {
  return {
    route,
    before,
    after,
    in: began,
    out,
    failed,
    waitMs: Number.isFinite(waitMs) ? waitMs : null,
    p50Ms,
    p95Ms,
    p99Ms,
    maxMs,
    held,
    heldMs,
  };
}

const callRow = ({
  target,
  count,
  answered,
  failed,
  open,
  oldestOpenMs,
  unread,
  p50Ms,
  maxMs,
}: CallGroup): { [key: string]: Json } => ({
  target,
  count,
  answered,
  failed,
  open,
  oldestOpenMs,
  unread,
  p50Ms,
  maxMs,
});
