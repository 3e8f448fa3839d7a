import { Command, InvalidArgumentError } from 'commander';
import type { HeapQuestion } from '../heap/index.js';
import { LensError } from '../model/error.js';
import type { HeapJob, HeapResult } from './heap/job.js';
import { doHeapJobHere } from './heap/run-job.js';
import { answerText, differenceText } from './heap/text.js';

interface Options {
  readonly json?: boolean;
  readonly limit: number;
  readonly offset: number;
  readonly maxMemory?: number;
}

const MIB = 2 ** 20;
/** Narrower terminals wrap by themselves. */
const MIN_COLUMNS = 80;
const QUESTIONS = ['classes', 'retainers', 'dominators', 'strings', 'paths', 'waiting'] as const;
type Question = (typeof QUESTIONS)[number];

/** Reads heapSnapshot files: who holds the memory, since when, from which line. */
export function heapCommand(): Command {
  return new Command('heap')
    .description('who holds the memory in a heapSnapshot file (.heapsnapshot or .heapsnapshot.gz)')
    .usage('FILE [classes|strings|waiting|dominators [ID]|retainers ID|paths ID]  |  diff A B [C]')
    .argument('<file>', 'a heapSnapshot file, or `diff`')
    .argument('[question...]', `${QUESTIONS.join(', ')}; with diff: two or three files of one process, oldest first`)
    .option('--json', 'as JSON')
    .option('--limit <n>', 'rows of a page', integer, 20)
    .option('--offset <n>', 'first row of the page', integer, 0)
    .option('--max-memory <MiB>', 'refuse files that need more (default: what is available)', integer)
    .action(async (file: string, words: string[], options: Options) => {
      const job = jobOf(file, words, options);
      const result = await withProgress(job);
      process.stdout.write(`${options.json ? asJson(result) : asText(result, job)}\n`);
      if (result.kind === 'question' && result.answer.ask === 'unknown-id') process.exitCode = 2;
    });
}

function integer(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 0) throw new InvalidArgumentError('It must be a whole number.');
  return value;
}

function jobOf(file: string, words: readonly string[], options: Options): HeapJob {
  const common = {
    cwd: process.cwd(),
    ...(options.maxMemory !== undefined && { memoryCeiling: options.maxMemory * MIB }),
  };
  if (file !== 'diff') return { ...common, kind: 'question', path: file, question: questionOf(words, options) };
  if (words.length >= 2 && words.length <= 3) return { ...common, kind: 'difference', paths: words };
  throw new LensError('usage', 'A difference needs two or three files.', 'lens heap diff BEFORE AFTER [LATER]');
}

function questionOf([word, id]: readonly string[], { limit, offset }: Options): HeapQuestion {
  if (word === undefined) return { ask: 'summary' };
  if (!isQuestion(word))
    throw new LensError('usage', `There is no question ${word}.`, `There are: ${QUESTIONS.join(', ')}.`);
  if (word === 'classes' || word === 'strings' || word === 'waiting') return { ask: word, limit, offset };
  const number = id === undefined ? undefined : Number(id.replace(/^@/, ''));
  if (number !== undefined && !Number.isInteger(number)) throw new LensError('usage', `${id} is no object id.`);
  if (word === 'dominators') return { ask: word, limit, offset, ...(number !== undefined && { id: number }) };
  if (number === undefined) throw new LensError('usage', `${word} needs an object id.`, `lens heap FILE ${word} 12345`);
  return { ask: word, id: number, limit, offset };
}

function isQuestion(word: string): word is Question {
  return QUESTIONS.some(question => question === word);
}

async function withProgress(job: HeapJob): Promise<HeapResult> {
  if (!process.stderr.isTTY) return doHeapJobHere(job);
  const clear = () => process.stderr.write('\r\x1b[K');
  try {
    return await doHeapJobHere(job, (text, share) => {
      clear();
      process.stderr.write(`${Math.round(share * 100)} % ${text}`);
    });
  } finally {
    clear();
  }
}

function asText(result: HeapResult, job: HeapJob): string {
  const shown = { cwd: job.cwd, ...(process.stdout.columns > MIN_COLUMNS && { columns: process.stdout.columns }) };
  if (result.kind === 'difference') return differenceText(result.difference, shown);
  if (result.kind !== 'question') return asJson(result);
  return answerText(result.answer, { path: job.kind === 'question' ? job.path : '', ...shown });
}

function asJson(result: HeapResult): string {
  return JSON.stringify(contentOf(result), null, 2);
}

function contentOf(result: HeapResult): object {
  if (result.kind === 'difference') return result.difference;
  if (result.kind === 'reading') return result.reading;
  if (result.kind === 'suspended') return result.chains;
  const { answer } = result;
  return answer.ask === 'summary' ? { ask: answer.ask, ...answer.summary } : answer;
}
