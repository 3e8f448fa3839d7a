import { join } from 'node:path';
import type { EvidenceKind, EvidenceParams } from '../model/evidence/index.js';

/** What a person's "take a reading now" asks with. */
const READ_PARAMS: { readonly [K in EvidenceKind]?: EvidenceParams<K> } = {
  vitals: { seconds: 3 },
  'cpu-profile': { seconds: 5, intervalUs: 1000 },
  'heap-sampling': { seconds: 5, intervalBytes: 32_768 },
  'collection-growth': {},
  'in-flight': {},
  'async-dump': { seconds: 4 },
  handles: {},
  holders: {},
  suspended: {},
  logs: {},
  exceptions: {},
  process: {},
};

/** What that reading is asked with; undefined for one that can't be asked for by hand, or needs a run's directory. */
export function paramsByHand(kind: string, directory: string | undefined): object | undefined {
  if (kind !== 'heap-snapshot') return READ_PARAMS[kind as EvidenceKind];
  return directory === undefined ? undefined : { directory: join(directory, 'evidence') };
}
