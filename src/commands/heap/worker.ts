import { parentPort, workerData } from 'node:worker_threads';
import { LensError } from '../../model/error.js';
import { doHeapJob, type HeapJob, type HeapResult } from './job.js';

/** What the worker tells its owner. Errors cross the border as data: a class does not survive the copy. */
export type WorkerMessage =
  | { readonly type: 'progress'; readonly text: string; readonly share: number }
  | { readonly type: 'result'; readonly result: HeapResult }
  | {
      readonly type: 'error';
      readonly message: string;
      readonly code?: string;
      readonly hint?: string;
      readonly stack?: string;
    };

const tell = (message: WorkerMessage) => parentPort?.postMessage(message);

doHeapJob(workerData as HeapJob, (text, share) => tell({ type: 'progress', text, share })) // given by runHeapJob
  .then(result => tell({ type: 'result', result }))
  .catch((error: unknown) => tell(asData(error)));

function asData(error: unknown): WorkerMessage {
  const message = error instanceof Error ? error.message : String(error);
  if (!(error instanceof LensError))
    return { type: 'error', message, stack: error instanceof Error ? (error.stack ?? '') : '' };
  return { type: 'error', message, code: error.code, ...(error.hint !== undefined && { hint: error.hint }) };
}
