import type { Json } from './json.js';

/** Numbers and short words only: what a skill's snapshot may hold. */
export type SnapshotData = { readonly [key: string]: Json };

/** A skill's picture of one moment. The V8 file is never called this: that is a heapSnapshot. */
export interface Snapshot {
  readonly id: string;
  readonly skill: string;
  readonly takenAt: number;
  readonly evidenceIds: readonly string[];
  readonly data: SnapshotData;
}
