import type { AsyncDump, AsyncDumpParams } from './async-dump.js';
import type { CallCounts, CallCountsParams } from './call-counts.js';
import type { CollectionGrowth, CollectionGrowthParams } from './collection-growth.js';
import type { ConsoleMessages, ConsoleParams } from './console.js';
import type { CpuProfile, CpuProfileParams } from './cpu-profile.js';
import type { Exceptions, ExceptionsParams } from './exceptions.js';
import type { Handles, HandlesParams } from './handles.js';
import type { Hang, HangParams } from './hang.js';
import type { HeapSampling, HeapSamplingParams } from './heap-sampling.js';
import type { HeapSnapshotFile, HeapSnapshotParams } from './heap-snapshot.js';
import type { Holders } from './holders.js';
import type { Host } from './host.js';
import type { InFlight } from './in-flight.js';
import type { Logs, LogsParams } from './logs.js';
import type { Normal } from './normal.js';
import type { ProcessReading } from './process.js';
import type { Scripts, ScriptsParams } from './scripts.js';
import type { ScriptSource, SourceParams } from './source.js';
import type { Suspended } from './suspended.js';
import type { Threadpool, ThreadpoolParams } from './threadpool.js';
import type { Trace, TraceParams } from './trace.js';
import type { Traffic, TrafficParams } from './traffic.js';
import type { Vitals, VitalsParams } from './vitals.js';
import type { Workers, WorkersParams } from './workers.js';

type None = Record<string, never>;

/** Every reading lens can take: what it is asked with and what it answers. A collector per kind (src/collectors/). */
export interface EvidenceKinds {
  vitals: { params: VitalsParams; data: Vitals };
  'cpu-profile': { params: CpuProfileParams; data: CpuProfile };
  'call-counts': { params: CallCountsParams; data: CallCounts };
  'heap-sampling': { params: HeapSamplingParams; data: HeapSampling };
  'heap-snapshot': { params: HeapSnapshotParams; data: HeapSnapshotFile };
  'collection-growth': { params: CollectionGrowthParams; data: CollectionGrowth };
  handles: { params: HandlesParams; data: Handles };
  'in-flight': { params: None; data: InFlight };
  'async-dump': { params: AsyncDumpParams; data: AsyncDump };
  traffic: { params: TrafficParams; data: Traffic };
  holders: { params: None; data: Holders };
  suspended: { params: None; data: Suspended };
  threadpool: { params: ThreadpoolParams; data: Threadpool };
  process: { params: None; data: ProcessReading };
  host: { params: None; data: Host };
  normal: { params: None; data: Normal };
  console: { params: ConsoleParams; data: ConsoleMessages };
  logs: { params: LogsParams; data: Logs };
  exceptions: { params: ExceptionsParams; data: Exceptions };
  workers: { params: WorkersParams; data: Workers };
  scripts: { params: ScriptsParams; data: Scripts };
  trace: { params: TraceParams; data: Trace };
  source: { params: SourceParams; data: ScriptSource };
  hang: { params: HangParams; data: Hang };
}
