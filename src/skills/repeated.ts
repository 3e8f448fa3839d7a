import { isDeterministic } from '../source/pure.js';
import type { Cause } from './cause.js';
import type { CallLength, Study } from './study.js';

/** Calls with identical arguments among those compared: 40 of 40 where the work was avoidable. */
const REPEATED_SHARE = 0.8;
const COMPARED_AT_LEAST = 8;
/** Cheaper calls are repeated because that is what they are for … */
const DEAR_CALL_MS = 1;
/** … but nobody parses the same long text again for its own sake. */
const DEAR_TEXT_MS = 0.2;

/** Nearly all of the calls compared had arguments of an earlier one. */
export function isRepeated({ count: { compared = 0, repeated = 0 } }: CallLength): boolean {
  return compared >= COMPARED_AT_LEAST && repeated / compared >= REPEATED_SHARE;
}

/**
 * The same long text again is work done again. The same object again is proof only where a package that doesn't host the
 * application takes it, because handlers serve one dataset to everybody; and serializing it again may be the service.
 */
export function isProof(example: string, cause: Cause): boolean {
  // Options are compared by what they hold; an instance or a function is only known by its identity.
  const textAndOptions = !/\bobject(?! with)|array|function|proxy/.test(example);
  if (cause.mechanism === 'serialization') return false;
  if (isLongText(example) && textAndOptions) return true;
  const evaluated =
    cause.mechanism === 'compilation' || cause.owned.callees.some(callee => callee.frame.kind === 'evaluated');
  return cause.place.package !== undefined && (evaluated || /object with [1-9]|array of [1-9]/.test(example));
}

/** A function of the application that by its text depends on nothing but its arguments gives the same again. */
export function isCalculated({ frame, count: { example = '' } }: CallLength, { scripts }: Cause): boolean {
  const script = frame.kind === 'user' ? scripts.get(frame.scriptId) : undefined;
  if (!script || /\bobject(?! with)|function|proxy/.test(example)) return false;
  return isDeterministic(script.text, { line0: frame.line, column0: frame.column });
}

/** Shorter texts are keys and names, which repeat everywhere. */
const LONG_TEXT = 100;

const isLongText = (example: string): boolean =>
  [...example.matchAll(/string of (\d+) characters/g)].some(match => Number(match[1]) >= LONG_TEXT);

/** From this length on a call is worth doing once, in milliseconds. */
export const dearCallMs = ({ count: { example = '' } }: CallLength): number =>
  isLongText(example) ? DEAR_TEXT_MS : DEAR_CALL_MS;

/** Avoidable work is worth a word from this share of a core on, or from a smaller one where it is most of all work. */
const HOT = { ofCore: 0.15, orOfCore: 0.08, ofWork: 0.5 };

/** True when so much time, in microseconds, is worth a word once it is proven avoidable. */
export function isHot({ tree, work }: Study, us: number): boolean {
  const ofCore = us / tree.durationUs;
  return ofCore >= HOT.ofCore || (ofCore >= HOT.orOfCore && us >= HOT.ofWork * work.allUs);
}
