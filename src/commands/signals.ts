import { leaveEverything } from '../inspector/live-session.js';
import { EXIT } from './exit.js';

/** What ended a run early: a signal's exit word, the deadline, or a reader of stdout that went away. */
export type Cause = keyof typeof EXIT_CODES | 'deadline' | 'unread';

const WORDS = {
  interrupted: 'interrupted',
  terminated: 'interrupted',
  hungUp: 'interrupted',
  deadline: 'the deadline has passed',
  unread: 'nobody reads the output any more',
} as const;

export interface Interruption {
  readonly signal: AbortSignal;
  readonly cause: Cause | undefined;
  /** As Ctrl-C does: for a terminal that is taken, where the key is no signal. */
  interrupt(): void;
  release(): void;
}

/** Leaving in order takes a tenth of a second; a hung target is not waited for longer than this. */
const LEAVE_WITHIN_MS = 1_000;

/** Ends lens now, but never by dropping its connections: that can crash a Node that is about to answer. */
export async function leaveAtOnce(exitCode: number): Promise<never> {
  setTimeout(() => process.exit(exitCode), LEAVE_WITHIN_MS);
  await leaveEverything();
  process.exit(exitCode);
}

const EXIT_CODES = { interrupted: EXIT.interrupted, terminated: EXIT.terminated, hungUp: EXIT.hungUp };

const SIGNALS = { SIGINT: 'interrupted', SIGTERM: 'terminated', SIGHUP: 'hungUp' } as const;

/**
 * The first signal interrupts the operators, so that the run concludes with what there is; the second leaves at once.
 * Even then the target is released: its lease ends by itself. `onHangUp` takes SIGHUP instead: a service reloads by it.
 */
export function watchSignals(deadlineMs: number | undefined, onHangUp?: () => void): Interruption {
  const controller = new AbortController();
  let cause: Cause | undefined;
  let leaving = false;
  const stop = (why: Cause) => {
    const isSignal = why !== 'deadline' && why !== 'unread';
    if (cause !== undefined && isSignal) {
      if (leaving) process.exit(EXIT_CODES[why]);
      leaving = true;
      void leaveAtOnce(EXIT_CODES[why]);
    }
    if (cause === undefined || isSignal) cause = why;
    controller.abort(new Error(WORDS[why]));
  };
  // Whoever read the stream has what it wanted: the target is left in order all the same.
  const onUnread = () => stop('unread');
  process.stdout.on('error', onUnread);
  const handlers = Object.entries(SIGNALS).map(
    ([name, why]) => [name, why === 'hungUp' && onHangUp ? onHangUp : () => stop(why)] as const,
  );
  for (const [name, handler] of handlers) process.on(name, handler);
  // A command that failed must not stay for its deadline; while it works, its connections keep the process alive.
  const timer = deadlineMs === undefined ? undefined : setTimeout(() => stop('deadline'), deadlineMs).unref();
  return {
    signal: controller.signal,
    get cause() {
      return cause;
    },
    interrupt: () => stop('interrupted'),
    release() {
      clearTimeout(timer);
      process.stdout.off('error', onUnread);
      for (const [name, handler] of handlers) process.off(name, handler);
    },
  };
}
