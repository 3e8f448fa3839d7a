import { filePath } from '../base/script-url.js';
import type { Session } from '../inspector/session.js';
import type { Trace, TracedPoint, TraceHit, TraceParams } from '../model/evidence/trace.js';
import type { CollectContext, Collector, Reading } from './collector.js';
import { sourceCollector } from './source.js';
import { ThreadTrace } from './trace-thread.js';

/** How often new worker threads are looked for. */
const THREADS_EVERY_MS = 1_000;
/** A pool of many threads runs the same code: what some of them do, the others do too. */
const MAX_THREADS = 16;

/** What the outside learns while a trace runs. */
export interface TraceWatch {
  readonly onHits: (hits: readonly TraceHit[]) => void;
}

/** Values, durations or lines at chosen places, by logpoints that never pause; the main thread and its workers. */
export const traceCollector: Collector<'trace'> = {
  kind: 'trace',
  title: 'Trace',
  cost: 'pausing',
  estimate: (basis, _params) => sourceCollector.estimate?.(basis, { scriptId: '' }) ?? { pauseMs: 0, memoryBytes: 0 },
  collect: (session, params, context) => trace(session, params, context),
};

/** Ends by time, by hits, when every place was refused, or with the context's signal; then nothing is left behind. */
export async function trace(
  session: Session,
  params: TraceParams,
  context: CollectContext,
  watch?: TraceWatch,
): Promise<Reading<Trace>> {
  return new RunningTrace(session, params, context, watch).run();
}

class RunningTrace {
  readonly #threads = new Map<Session, ThreadTrace>();
  readonly #running: Promise<void>[] = [];
  readonly #hits: TraceHit[] = [];
  readonly #failures: string[] = [];
  readonly #startedAt: number;

  constructor(
    private readonly session: Session,
    private readonly params: TraceParams,
    private readonly context: CollectContext,
    private readonly watch: TraceWatch | undefined,
  ) {
    this.#startedAt = context.now();
  }

  async run(): Promise<Reading<Trace>> {
    let ended: Trace['ended'] = 'interrupted';
    try {
      await this.#join(this.session);
      ended = await this.#untilDone();
    } catch (error) {
      if (!this.context.signal.aborted) throw error;
    } finally {
      for (const thread of this.#threads.values()) thread.stop();
      await Promise.all(this.#running);
    }
    return this.#reading(ended);
  }

  async #untilDone(): Promise<Trace['ended']> {
    for (;;) {
      for (const worker of (await this.session.workers()).slice(0, MAX_THREADS)) await this.#join(worker, worker.title);
      const until = this.context.now() + THREADS_EVERY_MS;
      while (this.context.now() < until) {
        if (this.#hits.length >= this.params.hits) return 'hits';
        if (this.#passed() >= this.params.seconds * 1000) return 'time';
        if (this.#isOver()) return 'refused';
        if (this.context.stop?.aborted) return 'interrupted';
        await this.context.sleep(THREADS_EVERY_MS / 20);
      }
    }
  }

  readonly #passed = (): number => this.context.now() - this.#startedAt;

  /** Nothing is watched anywhere any more; a thread that is still being set up doesn't count as refused. */
  #isOver(): boolean {
    return [...this.#threads.values()].every(thread => thread.state === 'ended');
  }

  async #join(session: Session, title?: string): Promise<void> {
    if (this.#threads.has(session)) return;
    const thread = new ThreadTrace(session, this.params, this.context, {
      ...(title === undefined ? {} : { title }),
      startedAt: this.#startedAt,
      onHits: hits => this.#add(hits),
    });
    this.#threads.set(session, thread);
    const running = thread.run().catch(error => {
      thread.state = 'ended';
      if (!this.context.signal.aborted) this.#failures.push(error instanceof Error ? error.message : String(error));
    });
    this.#running.push(running);
    await Promise.race([running, thread.ready]);
  }

  #add(hits: readonly TraceHit[]): void {
    const taken = hits.slice(0, Math.max(0, this.params.hits - this.#hits.length));
    this.#hits.push(...taken);
    if (taken.length > 0) this.watch?.onHits(taken);
  }

  #reading(ended: Trace['ended']): Reading<Trace> {
    const threads = [...this.#threads.values()];
    const points = threads.flatMap(thread => thread.points());
    if (points.length === 0) throw new Error(this.#failures[0] ?? 'No thread runs these places any more.');
    const timed = threads.map(thread => thread.timed).filter(({ calls }) => calls > 0);
    const data: Trace = {
      seconds: this.#passed() / 1000,
      mode: this.params.mode,
      points: this.#named(points),
      hits: this.#hits,
      skipped: threads.reduce((sum, thread) => sum + thread.skipped, 0),
      ...(timed.length > 0 && {
        timed: {
          calls: timed.reduce((sum, { calls }) => sum + calls, 0),
          totalMs: timed.reduce((sum, { totalMs }) => sum + totalMs, 0),
          maxMs: Math.max(...timed.map(({ maxMs }) => maxMs)),
        },
      }),
      ended,
    };
    const pausedMs = threads[0]?.pausedMs ?? 0;
    return { data, pausedMs, ...(this.#failures[0] === undefined ? {} : { partial: this.#failures[0] }) };
  }

  /** A place that no thread runs stands in the answer too. */
  #named(points: readonly TracedPoint[]): TracedPoint[] {
    const absent = this.params.points.flatMap((point, at) =>
      points.some(traced => traced.point === at)
        ? []
        : [{ point: at, reached: 0, perSecond: 0, refused: `No thread has loaded ${filePath(point.url)}.` }],
    );
    return [...points, ...absent];
  }
}
