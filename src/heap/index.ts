export { analyse, type Heap, type OnStep } from './analyse.js';
export { type Baseline, baselineOf } from './answers/baseline.js';
export { type ClassDifference, compareHeaps, type GrownHolder, type HeapDifference } from './answers/difference.js';
export {
  answerQuestion,
  type HeapAnswer,
  type HeapPage,
  type HeapQuestion,
  type NodeRow,
} from './answers/questions.js';
export type { RepeatedText } from './answers/repeated.js';
export type { SaidPath, SaidStep } from './answers/say.js';
export { type ScriptPlace, Scripts } from './answers/scripts.js';
export { type ClassRow, type ClosureRow, type HeapSummary, type SaidSuspect, summarise } from './answers/summary.js';
export { HeapView } from './answers/view.js';
export type { HeapFile } from './heap-file.js';
export { HeapCancelled, MalformedSnapshot } from './malformed.js';
export { estimateBytes, type ReaderOptions, SnapshotReader } from './parse/reader.js';
