import type { ReadStream } from 'node:fs';
import { Readable } from 'node:stream';
import * as toolkit from 'heap-snapshot-toolkit';

export interface ReferenceClass {
  readonly name: string;
  readonly count: number;
  readonly self: number;
  readonly maxRet: number;
  readonly distance: number;
}

export interface Reference {
  readonly nodeCount: number;
  readonly nodeDistances: Int32Array;
  readonly retainedSizes: Float64Array;
  readonly dominatorsTree: Uint32Array;
  readonly strings: string[];
  selfSize(ordinal: number): number;
  className(ordinal: number): string;
  aggregates(): ReferenceClass[];
}

interface Raw {
  nodeCount: number;
  nodeDistances: Int32Array;
  retainedSizes: Float64Array;
  dominatorsTree: Uint32Array;
  strings: string[];
  nodeFieldCount: number;
  createNode(index: number): { selfSize(): number; className(): string };
  getAggregatesByClassKey(sorted: boolean, key: string): Record<string, ReferenceClass>;
}

/** Chrome DevTools' own implementation, as the registry has it. */
export async function referenceOf(bytes: Uint8Array): Promise<Reference> {
  const stream = Readable.from([Buffer.from(bytes).toString('utf8')]);
  // Its types ask for a file's stream where any will do, and hide the fields that the comparison needs.
  const raw = (await toolkit.parse(stream as unknown as ReadStream)) as unknown as Raw;
  return {
    nodeCount: raw.nodeCount,
    nodeDistances: raw.nodeDistances,
    retainedSizes: raw.retainedSizes,
    dominatorsTree: raw.dominatorsTree,
    strings: raw.strings,
    selfSize: ordinal => raw.createNode(ordinal * raw.nodeFieldCount).selfSize(),
    className: ordinal => raw.createNode(ordinal * raw.nodeFieldCount).className(),
    aggregates: () => Object.values(raw.getAggregatesByClassKey(false, 'allObjects')),
  };
}
