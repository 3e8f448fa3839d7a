import type { InstallPart, Part } from '../host.js';
import { type ErrorTeller, errorTeller, joinRejections, takesListener } from '../thrown.js';
import type { RawError, RawExceptions } from './raw.js';

const MAX_DISTINCT = 100;
/** Making a stack's text costs up to 0.1 ms: enough of them to name the places, however many come. */
const MAX_STACKS = 300;

/** Methods of the part `exceptions`. */
export interface ExceptionsPart extends Part {
  start(): void;
  stop(): RawExceptions;
}

type Listener = (reason: unknown) => void;

const install: InstallPart = (host): ExceptionsPart => {
  const proc = host.require('node:process') as NodeJS.Process;
  let uncaught = new Errors();
  let rejections = new Errors();
  let listening = false;
  let began = 0;
  const onUncaught: Listener = host.guard(error => uncaught.add(tell, error), undefined);
  const onRejection: Listener = host.guard(reason => rejections.add(tell, reason), undefined);
  const tell = errorTeller(host);
  let leaveRejections = () => {};

  const stopListening = (): void => {
    proc.removeListener('uncaughtExceptionMonitor', onUncaught);
    leaveRejections();
  };

  return {
    start() {
      stopListening();
      uncaught = new Errors();
      rejections = new Errors();
      began = host.now();
      if (takesListener(proc, 'uncaughtExceptionMonitor')) proc.on('uncaughtExceptionMonitor', onUncaught);
      const left = joinRejections(proc, onRejection);
      listening = left !== undefined;
      leaveRejections = left ?? (() => {});
    },
    stop() {
      stopListening();
      return {
        windowMs: host.now() - began,
        uncaught: uncaught.tell(),
        rejections: { listening, ...rejections.tell() },
      };
    },
    dispose: stopListening,
  };
};

class Errors {
  private readonly errors = new Map<string, { -readonly [K in keyof RawError]: RawError[K] }>();
  private count = 0;

  add(tell: ErrorTeller, error: unknown): void {
    this.count += 1;
    if (this.count > MAX_STACKS) return;
    const told = { ...tell(error), count: 1 };
    const key = `${told.type} ${told.stack}`;
    const known = this.errors.get(key);
    if (known !== undefined) known.count += 1;
    else if (this.errors.size < MAX_DISTINCT) this.errors.set(key, told);
  }

  tell(): { count: number; errors: RawError[] } {
    return { count: this.count, errors: [...this.errors.values()].sort((a, b) => b.count - a.count) };
  }
}

export default install;
