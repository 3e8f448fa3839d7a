import { isUserCode, packageOf } from '../../base/script-url.js';
import type { SaidOrigin, SaidSuspect, ScriptPlace } from '../../heap/index.js';
import { boundNames, callsOfPackage } from '../../source/bindings.js';
import { subscriptionsOf } from '../../source/feeders.js';
import { givingsOf } from '../../source/given.js';
import { importedAs } from '../../source/imported.js';
import type { TextPosition } from '../../source/syntax.js';
import { type Kept, type Use, usesOver } from '../../source/uses.js';
import { inText, type Program, placeIn, readable } from './origin.js';

const TIMERS = /^set(?:Timeout|Interval|Immediate)$/;
const SUBSCRIBING = /^(?:on|once|add\w*Listener|prepend\w*Listener|addEventListener|subscribe|tap\w*)$/;
const REGISTRY = 'FinalizationRegistry';

/**
 * What Node or a package keeps for the program is told by the call that hands it over: the registration of a listener,
 * the start of a timer, `registry.register(…)`, the function that is given to a package.
 */
export function handedOver(suspect: SaidSuspect, program: Program): ScriptPlace | undefined {
  const { kind, path, origin, children } = suspect;
  if (origin?.listener) return listeningPlace(origin.listener, program, path.module);
  const handed = [origin?.called, origin?.made, children[0]?.callsPlace].filter(one => one && isUserCode(one.url));
  const given = (fits?: (how: string) => boolean) => firstOf(handed, one => one && givenAt(one, program, fits));
  if (kind === 'timers') return given(how => TIMERS.test(how));
  const isRegistry = suspect.class === REGISTRY || path.text.includes(REGISTRY);
  if (isRegistry) return given(how => how === 'register');
  return path.keeper === undefined ? undefined : (given() ?? handed[0]);
}

function firstOf<T, R>(all: readonly T[], of: (one: T) => R | undefined): R | undefined {
  for (const one of all) {
    const found = of(one);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** The first such call that gets the function written at a place; those in its own file only. */
function givenAt(made: ScriptPlace, program: Program, fits = (_: string) => true): ScriptPlace | undefined {
  const all = inText(program, made.url, text => givingsOf(text, positionOf(made)));
  const first = all.find(({ how }) => fits(how));
  return first && placeIn(made.url, first);
}

const positionOf = ({ line, column }: ScriptPlace): TextPosition => ({ line0: line - 1, column0: column - 1 });

/** The registration nearest to the listener in its own file, else the call that gets it, else the listener itself. */
function listeningPlace(
  { event, near }: NonNullable<SaidOrigin['listener']>,
  program: Program,
  module: string | undefined,
): ScriptPlace | undefined {
  if (!near) return event === undefined ? undefined : subscribedByNode(event, program, module);
  const own = event === undefined ? [] : inText(program, near.url, text => subscriptionsOf(text, event));
  const away = ({ line0 }: TextPosition) => Math.abs(line0 + 1 - near.line);
  const [nearest] = own.toSorted((a, b) => away(a) - away(b));
  return nearest ? placeIn(near.url, nearest) : (givenAt(near, program, how => SUBSCRIBING.test(how)) ?? near);
}

/** `on(bus, 'tick')` and `once(bus, 'tick')` of node:events, whose listeners are Node's own. */
function subscribedByNode(event: string, program: Program, module: string | undefined): ScriptPlace | undefined {
  const scripts = [...(module === undefined ? [] : [module]), ...readable(program)];
  const [first] = scripts.flatMap(script =>
    inText(program, script, text =>
      subscriptionsOf(text, event).filter(({ line0, column0 }) => text.split('\n')[line0]?.[column0 - 1] !== '.'),
    ).map(at => placeIn(script, at)),
  );
  return first;
}

/** What a package's variable leads to is told by the line of the program that uses the package so that it grows. */
export function usedOfPackage({ path, children }: SaidSuspect, program: Program): ScriptPlace | undefined {
  const { variable, module, steps } = path;
  if (variable === undefined || module === undefined) return undefined;
  const from = packageOf(module) ?? importedFrom(module, variable, program);
  if (from === undefined) return undefined;
  const below = steps.flatMap(({ via }) => /^\.(#?[\w$]+)$/.exec(via)?.[1] ?? []);
  const scripts = [module, ...readable(program).filter(url => url !== module)].filter(isUserCode);
  const found = scripts.flatMap(script =>
    inText(program, script, text => usesAt(text, from, { below, entryClass: className(children[0]?.what) })).map(
      use => ({
        fit: use.fit,
        place: placeIn(script, use),
      }),
    ),
  );
  return found.sort((a, b) => b.fit - a.fit)[0]?.place;
}

/** The package that a variable of the program comes from; its own modules and Node's are none. */
function importedFrom(module: string, variable: string, program: Program): string | undefined {
  const [from] = inText(program, module, text => [importedAs(text, variable)?.from]);
  return from === undefined || /^(?:[./]|node:)/.test(from) ? undefined : from;
}

const className = (what = ''): string => /^\w+/.exec(what)?.[0] ?? '';

type Fitting = TextPosition & Pick<Use, 'fit'>;

/** The calls of a package that fit what grows; else those over the first field on the way to it, else any in a function. */
function usesAt(text: string, from: string, kept: Kept): Fitting[] {
  const names = boundNames(text, from);
  const fitting = names.flatMap(name => usesOver(text, name, kept));
  if (fitting.length > 0) return fitting;
  const calls = callsOfPackage(text, from).filter(({ within }) => within >= 0);
  const field = kept.below[0] ?? '';
  const over = calls.filter(({ callee }) => names.some(name => callee.startsWith(`${name}.${field}.`)));
  return [...over.map(site => ({ ...site, fit: 1 })), ...calls.map(site => ({ ...site, fit: 0 }))];
}
