import type { GrownHolder, HeapDifference, HeapSummary, SaidSuspect } from '../../heap/index.js';
import type {
  GrownHeapHolder,
  HeapDating,
  HeapGrowth,
  HeapHolder,
  HeapReading,
} from '../../model/evidence/heap-snapshot.js';

interface Told {
  readonly summary: HeapSummary;
  readonly difference: HeapDifference | undefined;
  readonly dated: HeapDating | undefined;
  readonly place: <S extends SaidSuspect>(suspect: S) => S;
}

/** The engine's answer as evidence: what the heap skill judges and a model reads. */
export function readingOf({ summary, difference, dated, place }: Told): HeapReading {
  const growth = difference && dated && growthOf(difference, dated, place);
  return {
    totalBytes: summary.totalBytes,
    objects: summary.nodes,
    suspects: summary.suspects.map(suspect => holderOf(place(suspect))),
    ...(growth && { growth }),
  };
}

function growthOf({ added, removed, grown }: HeapDifference, dated: HeapDating, place: Told['place']): HeapGrowth {
  return {
    seconds: dated.seconds,
    by: dated.by,
    addedBytes: added.bytes,
    removedBytes: removed.bytes,
    holders: grown.map(holder => grownOf(place(holder))),
  };
}

function grownOf(holder: GrownHolder): GrownHeapHolder {
  return { ...holderOf(holder), grownBytes: holder.grownBytes, newChildren: holder.newChildren };
}

function holderOf({ kind, id, class: name, retainedBytes, share, path, children, place }: SaidSuspect): HeapHolder {
  const [main] = children;
  const what = main?.calls === undefined ? main?.what : `${main.what} calling ${main.calls}`;
  return {
    kind,
    id,
    class: name,
    retainedBytes,
    share,
    path: path.text,
    via: path.text.split(' → '),
    ...(path.variable !== undefined && { variable: path.variable }),
    ...(main && what !== undefined && { content: { what, count: main.count, bytes: main.retainedBytes } }),
    ...(place && { place }),
  };
}
