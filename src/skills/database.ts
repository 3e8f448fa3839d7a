import { z } from 'zod';
import type { Holder } from '../model/evidence/holders.js';
import { isUsable } from '../model/evidence/index.js';
import type { Traffic } from '../model/evidence/traffic.js';
import type { FaultClass } from '../model/fault.js';
import type { Json } from '../model/json.js';
import { defineQuery, defineSkill } from '../model/skill.js';
import type { SnapshotData } from '../model/snapshot.js';
import type { Finding } from '../waiting/finding.js';
import { poolState, shapeOf } from '../waiting/pools.js';
import { reportOwn } from './waiting-report.js';

const OWN: readonly FaultClass[] = ['pool.exhaustion', 'downstream.slow'];
const MOST_ROWS = 20;

/** Pools of connections and drivers' own waits; an http.Agent's sockets belong to the http skill. */
const isDatabase = ({ faultClass, agent, call, lookups }: Finding): boolean =>
  faultClass === 'pool.exhaustion' ? agent === undefined : (call ?? lookups) === undefined;

export const database = defineSkill({
  id: 'database',
  title: 'Databases and pools',
  description: 'Connection pools found by their shape: total, idle, waiting; slow answers of drivers',
  scope:
    'Pools of any library (pg, mysql2, mongodb, ioredis, generic-pool, knex) and sockets that are not HTTP. Not http agents.',
  words: [
    'database',
    'db',
    'sql',
    'query',
    'queries',
    'pool',
    'pools',
    'connection',
    'connections',
    'pg',
    'postgres',
    'mysql',
    'mongo',
    'mongodb',
    'redis',
    'knex',
    'prisma',
  ],
  needs: { traffic: { kind: 'traffic', params: { seconds: 3 } } },
  snapshot: ({ traffic }) => (traffic === undefined ? undefined : numbersOf(traffic)),
  rules: [],
  playbook: see => reportOwn(see, { own: OWN, mine: isDatabase, healthy: 'No pool keeps requests waiting' }),
  queries: [
    defineQuery({
      name: 'pools',
      doc: 'Pools, locks and queues of any library, found by their shape: max, used, idle, waiting.',
      params: z.object({}),
      async run(_, probe) {
        const reading = await probe.ask('holders', {});
        return isUsable(reading)
          ? reading.data.holders.slice(0, MOST_ROWS).map(poolRow)
          : { status: reading.status, reason: reading.reason ?? '' };
      },
    }),
  ],
  prompt:
    'A pool is exhausted when nothing is idle, everything is in use and requests wait. Sockets that move no byte meanwhile are held, not used: look for a way out without a release.',
});

function poolRow(holder: Holder): { [key: string]: Json } {
  const { name, max, used, idle, total, waiting } = poolState(holder);
  return {
    name,
    kind: shapeOf(holder),
    queue: holder.queue,
    max: max ?? null,
    used: used ?? null,
    idle: idle ?? null,
    total: total ?? null,
    waiting,
  };
}

function numbersOf({ after }: Traffic): SnapshotData {
  return {
    peers: after.peers.slice(0, MOST_ROWS).map(({ peer, count, connecting, bytesRead, bytesWritten }) => ({
      peer,
      count,
      connecting,
      bytesRead,
      bytesWritten,
    })),
  };
}
