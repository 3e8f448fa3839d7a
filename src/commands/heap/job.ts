import { freemem } from 'node:os';
import { displayPath } from '../../base/script-url.js';
import {
  analyse,
  answerQuestion,
  type Baseline,
  baselineOf,
  compareHeaps,
  type HeapAnswer,
  type HeapDifference,
  type HeapQuestion,
  HeapView,
} from '../../heap/index.js';
import { readHeapFile } from './read-file.js';

/** What the worker is asked: one question about a file, or the difference of two and more files of one process. */
export type HeapJob = (
  | { readonly kind: 'question'; readonly path: string; readonly question: HeapQuestion }
  | { readonly kind: 'difference'; readonly paths: readonly string[] }
) & {
  /** Bytes; default is what the machine has available. */
  readonly memoryCeiling?: number;
  /** Script names are shown relative to this folder. */
  readonly cwd: string;
};

export type HeapResult =
  | { readonly kind: 'question'; readonly answer: HeapAnswer }
  | { readonly kind: 'difference'; readonly difference: HeapDifference };

export type OnProgress = (text: string, share: number) => void;

/** Does a job in this thread. Throws LensError for files that can't be used. */
export async function doHeapJob(job: HeapJob, onProgress: OnProgress = () => {}): Promise<HeapResult> {
  const showUrl = (url: string) => displayPath(url, job.cwd);
  if (job.kind === 'question') {
    const view = await load(job.path, job, onProgress);
    return { kind: 'question', answer: answerQuestion(view, job.question, showUrl) };
  }
  const earlier: Baseline[] = [];
  for (const path of job.paths.slice(0, -1)) earlier.push(baselineOf(await load(path, job, onProgress)));
  const view = await load(job.paths.at(-1)!, job, onProgress);
  return { kind: 'difference', difference: compareHeaps(earlier, view, { showUrl }) };
}

async function load(path: string, job: HeapJob, onProgress: OnProgress): Promise<HeapView> {
  const file = await readHeapFile(path, {
    memoryCeiling: job.memoryCeiling ?? availableMemory(),
    onBytes: (read, of) => onProgress(`reading ${path}`, (read / of) * READING_SHARE),
  });
  return new HeapView(
    analyse(file, (step, done, of) =>
      onProgress(`${step} of ${path}`, READING_SHARE + (done / of) * (1 - READING_SHARE)),
    ),
  );
}

/** Reading is about this part of the work. */
const READING_SHARE = 0.5;

/** The cgroup's room where Node knows it (20.13 and later), else the machine's. */
function availableMemory(): number {
  return process.availableMemory?.() ?? freemem();
}
