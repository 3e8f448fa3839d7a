import type { EvidenceKind } from '../model/evidence/index.js';
import { asyncDumpCollector, trafficCollector } from './async-dump.js';
import { callCountsCollector } from './call-counts.js';
import { collectionGrowthCollector } from './collection-growth.js';
import type { Collector } from './collector.js';
import { consoleCollector } from './console.js';
import { cpuProfileCollector } from './cpu-profile.js';
import { exceptionsCollector } from './exceptions.js';
import { handlesCollector } from './handles.js';
import { hangCollector } from './hang.js';
import { heapSamplingCollector } from './heap-sampling.js';
import { heapSnapshotCollector } from './heap-snapshot.js';
import { holdersCollector } from './holders.js';
import { hostCollector } from './host.js';
import { inFlightCollector } from './in-flight.js';
import { logsCollector } from './logs.js';
import { processCollector } from './process.js';
import { scriptsCollector } from './scripts.js';
import { sourceCollector } from './source.js';
import { suspendedCollector } from './suspended.js';
import { threadpoolCollector } from './threadpool.js';
import { traceCollector } from './trace.js';
import { vitalsCollector } from './vitals.js';
import { workersCollector } from './workers.js';

/** Every reading lens can take. Adding one: one file, one line here, one line in model/evidence/kinds.ts. */
const all = [
  asyncDumpCollector,
  trafficCollector,
  callCountsCollector,
  collectionGrowthCollector,
  consoleCollector,
  cpuProfileCollector,
  exceptionsCollector,
  handlesCollector,
  hangCollector,
  heapSamplingCollector,
  heapSnapshotCollector,
  holdersCollector,
  hostCollector,
  inFlightCollector,
  logsCollector,
  processCollector,
  scriptsCollector,
  sourceCollector,
  suspendedCollector(),
  threadpoolCollector,
  traceCollector,
  vitalsCollector,
  workersCollector,
];

export const collectors: ReadonlyMap<EvidenceKind, Collector> = new Map(
  // A collector's params belong to its own kind; the probe only hands it that kind's.
  all.map(collector => [collector.kind, collector as unknown as Collector]),
);
