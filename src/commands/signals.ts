/** What ended a run early: a signal's exit word, or the deadline. */
export type Cause = 'interrupted' | 'terminated' | 'hungUp' | 'deadline';

export interface Interruption {
  readonly signal: AbortSignal;
  readonly cause: Cause | undefined;
  release(): void;
}

const SIGNALS = { SIGINT: 'interrupted', SIGTERM: 'terminated', SIGHUP: 'hungUp' } as const;

/**
 * The first signal interrupts the operators, so that the run concludes with what there is; the second leaves at once.
 * Even then the target is released: its lease ends by itself.
 */
export function watchSignals(deadlineMs: number): Interruption {
  const controller = new AbortController();
  let cause: Cause | undefined;
  const stop = (why: Cause) => {
    if (cause !== undefined && why !== 'deadline') process.exit(130);
    cause ??= why;
    controller.abort(new Error(why === 'deadline' ? 'the deadline has passed' : 'interrupted'));
  };
  const handlers = Object.entries(SIGNALS).map(([name, why]) => [name, () => stop(why)] as const);
  for (const [name, handler] of handlers) process.on(name, handler);
  const timer = setTimeout(() => stop('deadline'), deadlineMs);
  return {
    signal: controller.signal,
    get cause() {
      return cause;
    },
    release() {
      clearTimeout(timer);
      for (const [name, handler] of handlers) process.off(name, handler);
    },
  };
}
