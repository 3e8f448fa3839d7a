/** One call site; line and column 1-based, as V8's call sites have them. */
export interface RawFrame {
  readonly name: string;
  readonly url: string;
  readonly line: number;
  readonly column: number;
}

/** Deep enough to reach user code beneath an http client; more costs and says no more. */
const STACK_DEPTH = 24;

/** V8's own Error, whatever the program put in the global's place: V8 and Node read their settings from it. */
const NativeError = Object.getPrototypeOf(TypeError) as ErrorConstructor; // by the language, %Error%
const { captureStackTrace } = NativeError;
const { getOwnPropertyDescriptor: describe, defineProperty, deleteProperty, isExtensible } = Reflect;

/** Holds the place until somebody reads the frames; the text is made only then. */
export interface Captured {
  readonly stack?: unknown;
}

/**
 * Captures the stack above `below`, deep enough, without disturbing the program's own limit. Never throws: where the
 * limit can't be changed (a frozen Error, an accessor) the stack is as deep as the program wants it.
 */
export function capture(below: (...args: never[]) => unknown, depth = STACK_DEPTH): Captured {
  const holder: Captured = {};
  const limit: PropertyDescriptor | undefined = describe(NativeError, 'stackTraceLimit');
  const adjustable = limit?.writable === true;
  if (adjustable) NativeError.stackTraceLimit = depth;
  try {
    captureStackTrace(holder, below);
  } catch {
    // A captureStackTrace of the program's own.
  } finally {
    if (adjustable) NativeError.stackTraceLimit = limit.value;
  }
  return holder;
}

/**
 * The call sites of captured stacks, read through a prepareStackTrace of our own that stands for one synchronous
 * step: the program's own never runs. Empty lists where it can't be replaced.
 */
export function sitesOf(captured: readonly Captured[]): (readonly NodeJS.CallSite[])[] {
  const before = describe(NativeError, 'prepareStackTrace');
  const fixed = before === undefined ? !isExtensible(NativeError) : !before.configurable;
  if (fixed) return captured.map(() => []);
  try {
    defineProperty(NativeError, 'prepareStackTrace', { value: asSites, configurable: true, writable: true });
    return captured.map(({ stack }) => (Array.isArray(stack) ? stack : []));
  } finally {
    if (before === undefined) deleteProperty(NativeError, 'prepareStackTrace');
    else defineProperty(NativeError, 'prepareStackTrace', before);
  }
}

/** The stack's lines as text, for where the sites are out of reach; empty where the program has a say in the text. */
export function wordsOf(captured: Captured): readonly string[] {
  const stack = isPreparedByProgram() ? undefined : captured.stack;
  return typeof stack === 'string' ? stack.split('\n').filter(line => line.startsWith('    at ')) : [];
}

/** Node 20 and later put their default there. */
const NODES_OWN = 'ErrorPrepareStackTrace';

/** Whether the text of a stack is made by the program's own code. */
export function isPreparedByProgram(): boolean {
  const prepare = describe(NativeError, 'prepareStackTrace');
  if (prepare === undefined || ('value' in prepare && typeof prepare.value !== 'function')) return false;
  return !('value' in prepare) || describe(prepare.value, 'name')?.value !== NODES_OWN;
}

const asSites = (_: unknown, sites: readonly NodeJS.CallSite[]): readonly NodeJS.CallSite[] => sites;

export function framesOf(captured: readonly Captured[]): RawFrame[][] {
  return sitesOf(captured).map(sites => sites.map(toFrame));
}

const toFrame = (site: NodeJS.CallSite): RawFrame => ({
  name: site.getFunctionName() ?? '',
  url: site.getFileName() ?? '',
  line: site.getLineNumber() ?? 0,
  column: site.getColumnNumber() ?? 0,
});

/** Frames of the program and its packages: not Node's, not lens'. */
export function isProgram({ url }: RawFrame): boolean {
  return url !== '' && !url.startsWith('node:') && !url.startsWith('lens:') && !url.startsWith('internal/');
}

/** Goes so many calls deeper and answers with their number; throws where the stack has no room for them. */
export const descend = (levels: number): number => (levels === 0 ? 0 : 1 + descend(levels - 1));
