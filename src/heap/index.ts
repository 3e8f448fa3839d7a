export { analyse, type OnStep } from './analyse.js';
export type { Aggregates } from './analysis/aggregates.js';
export { SYSTEM_DISTANCE } from './analysis/distances.js';
export type { Facts } from './analysis/facts.js';
export { type Baseline, baselineBefore, baselineOf } from './answers/baseline.js';
export { type ClassDifference, compareHeaps, type GrownHolder, type HeapDifference } from './answers/difference.js';
export type { SaidOrigin } from './answers/origin.js';
export {
  answerQuestion,
  type HeapAnswer,
  type HeapPage,
  type HeapQuestion,
  type NodeRow,
} from './answers/questions.js';
export type { RepeatedText } from './answers/repeated.js';
export type { SaidPath } from './answers/say.js';
export { programScripts, type ScriptPlace, type Telling } from './answers/scripts.js';
export { type ClassRow, type HeapSummary, type SaidSuspect, summarise } from './answers/summary.js';
export { suspendedChains, type WaitingRow } from './answers/suspended.js';
export type { Tables } from './answers/tables.js';
export { HeapView } from './answers/view.js';
export { Arena, type ArenaParts } from './arena.js';
export { type HeapFile, openFile } from './heap-file.js';
export { MalformedSnapshot } from './malformed.js';
export { findEdges } from './parse/borders.js';
export { type EdgePart, joinEdges, readFromBack, readFromFront, type SharedEdges } from './parse/edge-list.js';
export { newEdgeColumns } from './parse/edges.js';
export { sharedBuffer } from './parse/new-buffer.js';
export { hasRoomForTwo, SnapshotReader } from './parse/reader.js';
export { Strings } from './parse/strings.js';
export {
  BesideAnalysis,
  type BesideDominators,
  type Claim,
  newClaim,
  type SecondThread,
  type SumsRequest,
} from './second-thread.js';
