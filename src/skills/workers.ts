import { z } from 'zod';
import type { Creator, CreatorFrame } from '../model/evidence/handles.js';
import { type Evidence, isUsable } from '../model/evidence/index.js';
import type { Ending, Offspring, Workers } from '../model/evidence/workers.js';
import type { Json } from '../model/json.js';
import type { CodeLocation } from '../model/location.js';
import type { Metric, NotificationDraft } from '../model/notification.js';
import type { Conclusion, OperatorView, Step } from '../model/skill.js';
import { defineQuery, defineSkill } from '../model/skill.js';
import type { SnapshotData } from '../model/snapshot.js';
import { ownFrames } from './bundle.js';
import { onlyGrows } from './handles-growth.js';
import { THREADS_WINDOW } from './in-thread.js';
import { onlyNewWorker } from './new-worker.js';
import { place } from './place.js';
import { lookIntoThreads } from './thread-findings.js';
import { besideMain, CHURN_OF_CORE, churnDraft, isChurning } from './worker-churn.js';

/** Restarts with a pause between them need longer to show. */
const SECOND_SECONDS = 12;
const CREATOR_SECONDS = 6;
/** The reading that others of the run take as well. */
const VITALS = { seconds: 5 } as const;
const VITALS_STAY_MS = 60_000;
/** The design's limit: the same child more than three times in five minutes; here within half a minute. */
const RESTARTS_AT_LEAST = 3;
const MANY_RESTARTS = 10;
/** What lives longer did its work before it failed. */
const SHORT_LIFE_MS = 10_000;
const WORKERS_AT_LEAST = 4;

const need = { kind: 'workers', params: THREADS_WINDOW } as const;

export const workers = defineSkill({
  id: 'workers',
  title: 'Workers and children',
  description: 'Worker threads and child processes: who lives, who crashes and comes back, who piles up',
  scope:
    'Worker threads (what keeps one busy, what fills its heap), cluster workers and child processes of the target. Not the main thread’s own memory or handles.',
  words: [
    'worker',
    'workers',
    'cluster',
    'child',
    'children',
    'fork',
    'spawn',
    'restart',
    'restarts',
    'crash',
    'thread',
    'threads',
    'zombie',
  ],
  needs: { workers: need },
  snapshot: ({ workers: data }) => (data === undefined ? undefined : numbersOf(data)),
  rules: [],
  playbook,
  queries: [
    defineQuery({
      name: 'workers_tree',
      doc: 'Worker threads with their heap and loop utilization, child processes with state and age, and endings in the window.',
      params: z.object({ seconds: z.number().int().min(1).max(30).default(THREADS_WINDOW.seconds) }),
      async run({ seconds }, probe) {
        const reading = await probe.ask('workers', { seconds });
        // Evidence is plain JSON by contract; its readonly interfaces only lack the index signature.
        return isUsable(reading)
          ? (reading.data as unknown as Json)
          : { status: reading.status, reason: reading.reason ?? '' };
      },
    }),
  ],
  prompt: 'Short-lived children that end with code 0 are jobs, not crashes.',
});

async function* playbook(see: OperatorView): Step<Conclusion> {
  const first = yield* see.ask('workers', need.params);
  if (!isUsable(first)) return { outcome: 'inconclusive', summary: `Workers could not be read: ${first.reason ?? ''}` };
  const snapshot = yield* see.snapshot();
  const { data } = first;
  if (isAlone(data))
    return { outcome: 'not-applicable', summary: 'The process has no worker threads and no child processes.' };
  const snapshotIds = snapshot ? { snapshotIds: [snapshot.id] } : {};
  if (!data.offspring.some(line => failures(line).length > 0) && !onlyGrows(data.workerCounts)) {
    const { drafts, sentence } = yield* lookIntoThreads(see, data.workers, first.id);
    const churn = yield* churnOf(see, first);
    return yield* tell(
      see,
      churn ? [churn, ...drafts] : drafts,
      snapshotIds,
      `${healthySentence(data)} ${sentence}`.trim(),
    );
  }
  const second = yield* see.ask('workers', { seconds: SECOND_SECONDS });
  if (!isUsable(second))
    return { outcome: 'inconclusive', summary: `Workers could not be read again: ${second.reason ?? ''}` };
  const drafts: Draft[] = [];
  for (const line of joined(data, second.data)) {
    const draft = yield* restartDraft(see, line, data.seconds + second.data.seconds);
    if (draft) drafts.push(draft);
  }
  const counts = [...data.workerCounts, ...second.data.workerCounts];
  const evidenceIds = [first.id, second.id];
  if (onlyGrows(counts) && growth(counts) >= WORKERS_AT_LEAST)
    drafts.push(yield* workerLeakDraft(see, counts, evidenceIds));
  const cited = drafts.map(draft => ({ ...draft, evidenceIds }));
  return yield* tell(see, cited, snapshotIds, healthySentence(second.data));
}

async function* tell(
  see: OperatorView,
  drafts: readonly NotificationDraft[],
  snapshotIds: Pick<NotificationDraft, 'snapshotIds'>,
  otherwise: string,
): Step<Conclusion> {
  for (const draft of drafts) {
    const state = draft.severity === 'info' ? 'observing' : draft.severity;
    yield* see.setState(state, draft.title ?? draft.observation);
    yield* see.notify({ ...draft, ...snapshotIds });
  }
  return drafts[0]
    ? { outcome: 'found', summary: drafts.map(({ observation }) => observation).join(' ') }
    : { outcome: 'healthy', summary: otherwise };
}

type Draft = Omit<NotificationDraft, 'evidenceIds'>;

const isAlone = ({ workerCounts, offspring, children = [] }: Workers): boolean =>
  workerCounts.every(count => count === 0) && offspring.length === 0 && children.length === 0;

/** A tool's exit code is its answer (grep's 1 means "not found"): only a program of somebody's own crashes by it. */
const isProgram = ({ kind, name }: Offspring): boolean => kind === 'worker' || name.includes(' ');
/** The shell's codes for "not executable" and "not found". */
const CANNOT_RUN = [126, 127];

/** Ended by themselves, with an error, soon after they began; what the program ends by a signal is its own will. */
const failures = (line: Offspring): Ending[] =>
  line.endings.filter(ending => isFailure(line, ending) && (ending.lifetimeMs ?? 0) < SHORT_LIFE_MS);

function isFailure(line: Offspring, { code, signal, terminated }: Ending): boolean {
  if (terminated) return false;
  if (code === null) return signal !== undefined && !ASKED_TO_END.has(signal);
  return isProgram(line) ? code !== 0 : CANNOT_RUN.includes(code);
}

/** What the program itself, or a timeout it set, ends children with. */
const ASKED_TO_END = new Set(['SIGTERM', 'SIGKILL', 'SIGINT', 'SIGHUP']);

function joined(first: Workers, second: Workers): Offspring[] {
  return second.offspring.map(line => {
    const before = first.offspring.find(({ kind, name }) => kind === line.kind && name === line.name);
    return {
      ...line,
      spawned: line.spawned + (before?.spawned ?? 0),
      endings: [...(before?.endings ?? []), ...line.endings],
      frames: line.frames.length > 0 ? line.frames : (before?.frames ?? []),
    };
  });
}

async function* restartDraft(see: OperatorView, line: Offspring, seconds: number): Step<Draft | undefined> {
  const failed = failures(line);
  if (failed.length < RESTARTS_AT_LEAST || line.spawned < RESTARTS_AT_LEAST) return undefined;
  const frames = line.kind === 'worker' ? yield* workerCreator(see) : line.frames;
  const culprit = yield* placeOf(see, frames);
  const lifetimes = failed
    .flatMap(({ lifetimeMs }) => (lifetimeMs === undefined ? [] : [lifetimeMs]))
    .sort((a, b) => a - b);
  const median = Math.round(lifetimes[lifetimes.length >> 1] ?? 0);
  const codes = [
    ...new Set(failed.map(({ code, signal }) => (code === null ? `signal ${signal}` : `code ${code}`))),
  ].join(', ');
  const what = line.kind === 'worker' ? 'A worker thread' : `\`${line.name}\``;
  return {
    anomalyType: 'crash-loop',
    faultClass: 'restarts.storm',
    severity: failed.length >= MANY_RESTARTS ? 'critical' : 'warning',
    title: `${what} ends with ${codes} and is started again at once, over and over${culprit ? `, at ${sayPlace(culprit)}` : ''}`,
    context: `${line.spawned} started and ${line.endings.length} ended in ${seconds} s.`,
    observation: `${failed.length} of ${line.endings.length} ended with an error (${codes}) in ${seconds} s${median > 0 ? `, half of them within ${median} ms` : ''}, and ${line.spawned} were started.`,
    hypothesis:
      'What is started fails early each time (a missing file, setting or dependency), and the program restarts it without waiting.',
    ...(culprit ? { culprit } : {}),
    fix: "Read the child's stderr for the reason it ends; restart with a growing delay and give up after a few tries.",
    metrics: [
      metric('failed', failed.length, 'endings'),
      metric('ended', line.endings.length, 'endings'),
      metric('started', line.spawned, 'starts'),
      metric('window', seconds, 's'),
      metric('median lifetime', median, 'ms'),
    ],
    mechanism: true,
    confidence: culprit ? 'high' : 'medium',
  };
}

async function* workerLeakDraft(see: OperatorView, counts: readonly number[], evidenceIds: string[]): Step<Draft> {
  const frames = yield* workerCreator(see, evidenceIds);
  const culprit = (yield* placeOf(see, frames)) ?? (yield* onlyNewWorker(see));
  return {
    anomalyType: 'worker-growth',
    faultClass: 'handles.leak.worker',
    severity: 'warning',
    title: `Worker threads are started again and again and never ended${culprit ? `, at ${sayPlace(culprit)}` : ''}`,
    context: 'Each worker has a heap and a thread of its own.',
    observation: `${counts[0] ?? 0} worker threads grew to ${counts.at(-1) ?? 0} over ${counts.length} readings.`,
    hypothesis: 'A worker is started for each piece of work instead of a pool, and not terminated when it is done.',
    ...(culprit ? { culprit } : {}),
    fix: 'Use a pool of workers, or call worker.terminate() when the work is done.',
    metrics: [
      metric('workers at first', counts[0] ?? 0, 'workers'),
      metric('workers', counts.at(-1) ?? 0, 'workers'),
      metric('readings', counts.length, 'readings'),
    ],
    mechanism: culprit !== undefined,
    confidence: culprit ? 'high' : 'medium',
  };
}

/** A thread for each piece of work, when starting them is what the cpu goes into. */
async function* churnOf(see: OperatorView, { id, data }: Evidence<Workers>): Step<NotificationDraft | undefined> {
  const reading = isChurning(data) ? yield* see.ask('vitals', VITALS, VITALS_STAY_MS) : undefined;
  if (!isUsable(reading) || besideMain(reading.data) < CHURN_OF_CORE) return undefined;
  const evidenceIds = [id, reading.id];
  const culprit = (yield* placeOf(see, yield* workerCreator(see, evidenceIds))) ?? (yield* onlyNewWorker(see));
  return { ...churnDraft(data, reading.data, culprit), evidenceIds };
}

/** Where `new Worker` stands: needs a hook of its own for a few seconds. */
async function* workerCreator(see: OperatorView, evidenceIds: string[] = []): Step<readonly CreatorFrame[]> {
  const reading = yield* see.ask('handles', { seconds: CREATOR_SECONDS, creators: ['worker'] });
  if (!isUsable(reading)) return [];
  evidenceIds.push(reading.id);
  const made: readonly Creator[] = reading.data.creators ?? [];
  return [...made].filter(({ kind }) => kind === 'worker').sort((a, b) => b.count - a.count)[0]?.frames ?? [];
}

async function* placeOf(see: OperatorView, frames: readonly CreatorFrame[]): Step<CodeLocation | undefined> {
  const users = yield* ownFrames(see, frames);
  const spot = users[0] ?? frames[0];
  if (spot === undefined) return undefined;
  const via = users.slice(1, 5).reverse().map(sayFrame);
  return yield* place(see, spot, via.length > 0 ? { via } : {});
}

function healthySentence({ workerCounts, children = [], offspring, seconds }: Workers): string {
  const ended = offspring.reduce((sum, { endings }) => sum + endings.length, 0);
  const failed = offspring.reduce((sum, line) => sum + failures(line).length, 0);
  return `${workerCounts.at(-1) ?? 0} worker threads and ${children.length} child processes; ${ended} ended in ${seconds} s, ${failed} of them with an error.`;
}

function numbersOf(data: Workers): SnapshotData {
  return {
    workers: data.workerCounts.at(-1) ?? 0,
    workersBorn: data.workersBorn,
    workersGone: data.workersGone,
    ...(data.children === undefined
      ? {}
      : { children: data.children.length, zombies: data.children.filter(({ state }) => state === 'Z').length }),
    started: data.offspring.reduce((sum, { spawned }) => sum + spawned, 0),
    ended: data.offspring.reduce((sum, { endings }) => sum + endings.length, 0),
    failed: data.offspring.reduce((sum, line) => sum + failures(line).length, 0),
    busiestWorkerElu: Math.round(Math.max(0, ...data.workers.map(({ windowElu = 0 }) => windowElu)) * 100) / 100,
  };
}

const growth = (counts: readonly number[]): number => (counts.at(-1) ?? 0) - (counts[0] ?? 0);
const sayFrame = ({ functionName, url, line }: CreatorFrame): string =>
  `${functionName || '(anonymous)'} (${url.replace(/^.*[\\/]/, '')}:${line + 1})`;
const sayPlace = ({ function: name, file, line }: CodeLocation): string =>
  name ? `\`${name}\` (${file}:${line})` : `${file}:${line}`;
const metric = (name: string, value: number, unit: string): Metric => ({ name, value, unit });
