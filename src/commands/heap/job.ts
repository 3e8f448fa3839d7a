import { displayPath } from '../../base/script-url.js';
import {
  analyse,
  answerQuestion,
  type Baseline,
  baselineBefore,
  baselineOf,
  compareHeaps,
  type HeapAnswer,
  type HeapDifference,
  type HeapQuestion,
  HeapView,
  hasRoomForTwo,
  type OnStep,
  programScripts,
  type SaidSuspect,
  summarise,
  suspendedChains,
  type Telling,
} from '../../heap/index.js';
import type { HeapDating, HeapReading } from '../../model/evidence/heap-snapshot.js';
import type { SuspendedChain } from '../../model/evidence/suspended.js';
import { type JudgedHolder, judged } from './bound.js';
import { availableMemory, newArena } from './memory.js';
import { placed } from './place.js';
import { readHeapFile } from './read-file.js';
import { readingOf } from './reading.js';
import { ScriptFiles } from './script-files.js';
import { SecondCore } from './second-thread.js';

/**
 * What the worker is asked: one question about a file, the difference of two and more files of one process, or what a
 * run needs to know of the file it has just taken: who holds the memory, or who waits.
 */
export type HeapJob = (
  | { readonly kind: 'question'; readonly path: string; readonly question: HeapQuestion }
  | { readonly kind: 'difference'; readonly paths: readonly string[] }
  | { readonly kind: 'reading'; readonly path: string; readonly dated?: HeapDating }
  | { readonly kind: 'suspended'; readonly path: string }
) & {
  /** Bytes; default is what the machine has available. */
  readonly memoryCeiling?: number;
  /** Script names are shown relative to this folder. */
  readonly cwd: string;
  /** Where the scripts of the file are looked for, in this order: `/proc/PID/root`, then ''. */
  readonly roots?: readonly string[];
};

/** What grew, with where its code bounds it. */
export type JudgedDifference = Omit<HeapDifference, 'grown' | 'waiting'> & { readonly grown: readonly JudgedHolder[] };

export type HeapResult =
  | { readonly kind: 'question'; readonly answer: HeapAnswer }
  | { readonly kind: 'difference'; readonly difference: JudgedDifference }
  | { readonly kind: 'reading'; readonly reading: HeapReading }
  | { readonly kind: 'suspended'; readonly chains: readonly SuspendedChain[] };

export type OnProgress = (text: string, share: number) => void;

/**
 * Does a job in this thread, and a part of it in another (`early`: one that waits for the first file already). Throws
 * LensError for files that can't be used.
 */
export async function doHeapJob(
  job: HeapJob,
  onProgress: OnProgress = () => {},
  early?: SecondCore,
): Promise<HeapResult> {
  const threads = early ? [early] : [];
  try {
    return await answered({ job, onProgress, threads });
  } finally {
    for (const thread of threads) thread.close();
  }
}

/** A job at work. The threads are needed until the answer is there, and closed then. */
interface Work {
  readonly job: HeapJob;
  readonly onProgress: OnProgress;
  readonly threads: SecondCore[];
}

async function answered(work: Work): Promise<HeapResult> {
  const { job } = work;
  const files = new ScriptFiles(job.roots);
  const telling: Telling = { showUrl: url => displayPath(url, job.cwd), original: place => files.original(place) };
  const place = (view: HeapView) => {
    let urls: readonly string[] | undefined;
    const program = { files, urls: () => (urls ??= programScripts(view)) };
    return <S extends SaidSuspect>(suspect: S) => placed(suspect, program, job.cwd);
  };
  switch (job.kind) {
    case 'question': {
      const view = await load(job.path, work);
      const answer = answerQuestion(view, job.question, telling);
      if (answer.ask !== 'summary') return { kind: 'question', answer };
      const suspects = answer.summary.suspects.map(place(view));
      return { kind: 'question', answer: { ...answer, summary: { ...answer.summary, suspects } } };
    }
    case 'difference': {
      const { view, earlier } = await loadAll(job.paths, work);
      const { waiting, ...compared } = compareHeaps(earlier, view, telling);
      const grown = judged(compared.grown.map(place(view)), { files, cwd: job.cwd, paths: job.paths, waiting });
      return { kind: 'difference', difference: { ...compared, grown } };
    }
    case 'suspended':
      return { kind: 'suspended', chains: suspendedChains(await load(job.path, work)) };
    default: {
      const before = job.dated?.by === 'two heapSnapshots' ? [job.dated.earlier.path] : [];
      const { view, earlier } = await loadAll([...before, job.path], work);
      if (job.dated?.by === 'tracking') earlier.push(baselineBefore(view, job.dated.lastOldId));
      const summary = summarise(view, { ...telling, limit: READING_SUSPECTS });
      const difference = earlier.length === 0 ? undefined : compareHeaps(earlier, view, telling);
      return { kind: 'reading', reading: readingOf({ summary, difference, dated: job.dated, place: place(view) }) };
    }
  }
}

/** What a model reads without losing the thread. */
const READING_SUSPECTS = 6;

interface Loaded {
  readonly view: HeapView;
  readonly earlier: Baseline[];
}

/** The last file whole, of the others what a comparison needs. */
async function loadAll(paths: readonly string[], work: Work): Promise<Loaded> {
  const earlier: Baseline[] = [];
  const arena = newArena(); // one after the other: what V8 would give back of each is not known
  for (const path of paths.slice(0, -1)) {
    earlier.push(baselineOf(await load(path, work, arena)));
    work.threads.pop()?.finish();
  }
  return { earlier, view: await load(paths.at(-1)!, work, arena) };
}

async function load(path: string, { job, onProgress, threads }: Work, arena = newArena()): Promise<HeapView> {
  // What a run asks is read in one thread: the second core may be the target's.
  const isOfRun = job.kind === 'reading' || job.kind === 'suspended';
  const second = isOfRun ? undefined : (threads[0] ?? SecondCore.start(path));
  if (second && threads.length === 0) threads.push(second);
  const memoryCeiling = job.memoryCeiling ?? availableMemory();
  const file = await readHeapFile(path, {
    memoryCeiling,
    onBytes: (read, of) => onProgress(`reading ${path}`, (read / of) * READING_SHARE),
    second,
    arena,
  });
  const onStep: OnStep = (step, done, of) =>
    onProgress(`${step} of ${path}`, READING_SHARE + (done / of) * (1 - READING_SHARE));
  const hasRoom = hasRoomForTwo(file.layout, file.strings.byteLength, memoryCeiling);
  return new HeapView(analyse(file, { onStep, second: hasRoom ? second : undefined }));
}

/** Reading is about this part of the work. */
const READING_SHARE = 0.5;
