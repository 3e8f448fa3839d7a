import type { Evidence, EvidenceData, EvidenceKind, EvidenceParams } from '../model/evidence/index.js';
import type { WorkerVitals } from '../model/evidence/workers.js';
import type { NotificationDraft } from '../model/notification.js';
import type { ThreadParams } from '../model/probe.js';
import type { OperatorView, Step } from '../model/skill.js';

/** Readings of the process as a whole: of a thread they would tell something else. */
const MAIN_ONLY: ReadonlySet<EvidenceKind> = new Set<EvidenceKind>(['process', 'host', 'workers']);
/** Threads are looked for once, by all who ask for them. */
export const THREADS_WINDOW = { seconds: 6 } as const;

/**
 * The same view with every reading taken in a worker thread, so that a playbook written for the main thread looks into
 * that one. What it finds goes through `told` first; returning undefined keeps it to itself. `without`: readings that
 * this thread is spared.
 */
export function inThread(
  see: OperatorView,
  thread: WorkerVitals,
  told: (draft: NotificationDraft) => NotificationDraft | undefined,
  without: readonly EvidenceKind[] = [],
): OperatorView {
  return {
    target: see.target,
    reason: see.reason,
    urgent: true,
    get evidenceIds() {
      return see.evidenceIds;
    },
    async *ask<K extends EvidenceKind>(kind: K, params: EvidenceParams<K>, freshMs?: number) {
      if (MAIN_ONLY.has(kind) || without.includes(kind)) return absent<K>(kind, thread);
      // Every collector's params may name a thread; the probe takes the name out again.
      const inside = { ...params, thread: thread.id } satisfies ThreadParams as unknown as EvidenceParams<K>;
      return yield* see.ask(kind, inside, freshMs);
    },
    async *begin() {
      // What is asked of a thread is asked when it is needed.
    },
    snapshot: () => see.snapshot(),
    async *notify(draft: NotificationDraft): Step<string> {
      const said = told({ ...draft, context: `In worker thread ${nameOf(thread)}. ${draft.context}` });
      return said === undefined ? '' : yield* see.notify(said);
    },
    async *setState() {
      // The operator's state is the judgement of all threads, made by who asked.
    },
    think: thought => see.think(thought),
    wait: ms => see.wait(ms),
    notifications: () => see.notifications(),
  };
}

/** `worker thread 3`, with the name the program gave it: "[worker 3] resizer". */
export const nameOf = ({ id, title }: WorkerVitals): string => {
  const [, number = id, name = ''] = /^\[?worker (\d+)\]?\s*(.*)$/.exec(title) ?? [];
  return name === '' ? number : `${number} (${name})`;
};

const absent = <K extends EvidenceKind>(kind: K, thread: WorkerVitals): Evidence<EvidenceData<K>> => ({
  id: '',
  kind,
  takenAt: 0,
  pausedMs: 0,
  costMs: 0,
  status: 'unavailable',
  reason: `Worker thread ${nameOf(thread)} has no such reading.`,
  data: undefined as unknown as EvidenceData<K>, // meaningful only while the status is ok
});
