/** One call site; line and column 1-based, as V8's call sites have them. */
export interface RawFrame {
  readonly name: string;
  readonly url: string;
  readonly line: number;
  readonly column: number;
}

/** Deep enough to reach user code beneath an http client; more costs and says no more. */
const STACK_DEPTH = 24;

const captureStackTrace = Error.captureStackTrace;

/** Holds the place until somebody reads the frames; the text is made only then. */
export interface Captured {
  readonly stack?: unknown;
}

/** Captures the stack above `below`, deep enough, without disturbing the program's own limit. */
export function capture(below: (...args: never[]) => unknown, depth = STACK_DEPTH): Captured {
  const holder: Captured = {};
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = depth;
  captureStackTrace(holder, below);
  Error.stackTraceLimit = limit;
  return holder;
}

/**
 * The call sites of captured stacks, read through a prepareStackTrace of our own that stands for one synchronous
 * step. Must run in the same turn as no other code of the program.
 */
export function framesOf(captured: readonly Captured[]): RawFrame[][] {
  const before = Object.getOwnPropertyDescriptor(Error, 'prepareStackTrace');
  const collected: RawFrame[][] = [];
  try {
    Object.defineProperty(Error, 'prepareStackTrace', { value: toFrames, configurable: true, writable: true });
    for (const holder of captured) collected.push(Array.isArray(holder.stack) ? holder.stack : []);
  } finally {
    if (before === undefined) Reflect.deleteProperty(Error, 'prepareStackTrace');
    else Object.defineProperty(Error, 'prepareStackTrace', before);
  }
  return collected;
}

const toFrames = (_: unknown, sites: readonly NodeJS.CallSite[]): RawFrame[] =>
  sites.map(site => ({
    name: site.getFunctionName() ?? '',
    url: site.getFileName() ?? '',
    line: site.getLineNumber() ?? 0,
    column: site.getColumnNumber() ?? 0,
  }));

/** Frames of the program and its packages: not Node's, not lens'. */
export function isProgram({ url }: RawFrame): boolean {
  return url !== '' && !url.startsWith('node:') && !url.startsWith('lens:') && !url.startsWith('internal/');
}
