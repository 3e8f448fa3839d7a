import { fromLine, type Mechanism } from '../cpu/mechanism.js';
import type { Frame } from '../cpu/tree.js';
import { boundNames, isCalledOn, isNamedAfter } from '../source/bindings.js';
import { type CallSite, callsInFunction } from '../source/calls.js';
import { definitionOf } from '../source/names.js';
import type { ScriptText } from '../source/script.js';

/** What a function's time is spent on, and what is called for it. */
export interface Found {
  readonly mechanism: Mechanism;
  readonly what: string;
}

/** How deep to look into functions of the same script that V8 may have inlined. */
const INLINED_DEPTH = 3;

/**
 * Where a function calls a callee; a function inlined into it may be the one that does. Behind a package's wrapper
 * without a name the call is written by the name of what it leads to.
 */
export function siteOf(
  script: ScriptText,
  frame: Frame,
  callee: Frame,
  found: Found,
  heavy: readonly Frame[],
): CallSite | undefined {
  const isOfPackage = callOf(script, callee.package);
  let level = [callsInFunction(script.text, frame.line, frame.column)];
  const seen = new Set<string>();
  for (let depth = 0; depth <= INLINED_DEPTH && level.length > 0; depth++) {
    for (const calls of level) {
      const site = siteAmong(calls, callee, isOfPackage, found, depth === 0);
      if (site) return site;
    }
    level = level.flat().flatMap(call => {
      if (call.kind !== 'call' || seen.has(call.method)) return [];
      seen.add(call.method);
      const inner = definitionOf(script.text, call.method);
      return inner ? [callsInFunction(script.text, inner.line0, inner.column0)] : [];
    });
  }
  const own = callsInFunction(script.text, frame.line, frame.column).filter(({ kind }) => kind === 'call');
  return firstOf(heavy, ({ functionName }) => own.find(({ method }) => method === lastName(functionName)));
}

/** Tells calls of a package: by the variables that are bound to it, in a bundle by how bundlers name them. */
function callOf({ text }: ScriptText, name: string | undefined): (callee: string) => boolean {
  if (name === undefined) return () => false;
  const bound = boundNames(text, name);
  return bound.length > 0
    ? callee => bound.some(each => isCalledOn(callee, each))
    : callee => isNamedAfter(callee, name);
}

/** What V8 calls a method by: `write` of `db.write`. */
const lastName = (functionName: string): string | undefined => /[\w$]+$/.exec(functionName)?.[0];

function firstOf<T, R>(list: readonly T[], find: (item: T) => R | undefined): R | undefined {
  for (const item of list) {
    const found = find(item);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** By the package's variable and the callee's name, else by either, else by the mechanism's look. */
function siteAmong(
  calls: readonly CallSite[],
  callee: Frame,
  isOfPackage: (callee: string) => boolean,
  found: Found,
  direct: boolean,
): CallSite | undefined {
  const name = lastName(callee.functionName);
  const telling = (call: CallSite) => found.mechanism !== 'compute' && fromLine([call])?.mechanism === found.mechanism;
  if (callee.kind === 'regexp') return calls.find(telling);
  const written = calls.find(call => call.callee === found.what);
  if (written) return written;
  const ofPackage = calls.filter(call => call.kind !== 'regexp' && isOfPackage(call.callee));
  const named = calls.filter(call => call.method === name && call.kind !== 'regexp');
  return (
    ofPackage.find(call => call.method === name) ??
    named[0] ??
    // Of `strip(text).slice()` the call in front.
    ofPackage.find(call => !call.callee.includes('()')) ??
    ofPackage[0] ??
    (direct ? calls.find(telling) : undefined)
  );
}
