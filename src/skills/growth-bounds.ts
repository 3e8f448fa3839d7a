import { type Bounds, boundsOf, boundsOfStored, lifetimeNamed, limitNamed } from '../heap/growth/bounds.js';
import type { Suspect } from '../heap/growth/suspects.js';
import { type Alias, aliasesOf } from '../source/aliases.js';
import { companionCheck } from '../source/companion.js';
import { type Emptying, emptyingsOf } from '../source/emptying.js';
import { listFeeding } from '../source/list-feeding.js';
import { slotReset } from '../source/ring-slots.js';
import { offsetOf, syntaxOf, type TextPosition } from '../source/syntax.js';
import type { Home } from './growth-home.js';

/** What the text says against growth of the holder, of the name its elements hold theirs by, and by what names functions call it. */
export function boundsAt(home: Home, suspect: Suspect): Bounds {
  const { script, name, below } = home;
  const { row } = suspect;
  const inner = row.kin === undefined ? [] : below.slice(-1);
  const direct = Object.assign({}, ...[name, ...inner].map(one => boundsOfName(script.text, one)));
  const isElement = intoElement(row);
  const last = below.at(-1) ?? name;
  const stored = isElement ? boundsOfStored(script.text, last) : {};
  const timed = isElement ? boundsOfPeriod(script.text, last) : {};
  const slots = isElement ? boundsOfSlots(script.text, last) : {};
  const called = { ...timed, ...slots, ...stored, ...boundsOfAliases(script.text, last, isElement) };
  const each = isElement && row.kin !== undefined && called.sizeCheck ? eachOf(called.sizeCheck, row.kin) : {};
  return boundsOfEach({ ...direct, ...called, ...each }, home, suspect);
}

/** What a text says against growth of a collection called `name`, or of each of the lists in it. */
export const boundsOfText = (text: string, name: string): Bounds => ({
  ...boundsOfName(text, name),
  ...boundsOfElements(text, name),
});

/** … of each of the lists in it alone. */
export const boundsOfElements = (text: string, name: string): Bounds => ({
  ...boundsOfPeriod(text, name),
  ...boundsOfStored(text, name),
  ...boundsOfAliases(text, name, true),
});

/** Those that drop all of it, the surest to run first. */
export function wholesOf(emptyings: readonly Emptying[]): Emptying[] {
  const sure = ({ byTimer, byFeeder }: Emptying) => Number(byTimer) * 2 + Number(byFeeder);
  return emptyings.filter(one => one.whole).sort((a, b) => sure(b) - sure(a));
}

/** Minutes, hours or days as a key: `Math.floor(Date.now() / 60_000)`, `date.toISOString().slice(0, 13)`. */
const PERIOD =
  /Math\.(?:floor|trunc|round)\((?:(?!;)[\s\S]){0,80}?(?:now|time|Date|\bat\b)(?:(?!;)[\s\S]){0,80}?\/|toISOString\(\)\.(?:slice|substr)|\.get(?:UTC)?(?:Minutes|Hours|Date)\(\)/i;

/** One collection for each period, of which old ones are swept out: it grows until its period is over. */
function boundsOfPeriod(text: string, name: string): Bounds {
  const swept = PERIOD.test(text) ? emptyingsOf(text, name).find(one => one.sweeps) : undefined;
  return swept ? { expiry: { line0: swept.line0 } } : {};
}

/** A wheel: each of its collections begins anew when its turn comes again. */
function boundsOfSlots(text: string, name: string): Bounds {
  const reset = slotReset(text, name);
  return reset ? { emptied: { line0: reset.line0, byTimer: true, byFeeder: false } } : {};
}

/** The container is one of those that a collection holds. */
export const intoElement = ({ path }: Suspect['row']): boolean => ELEMENT.has(path.at(-1)?.kind ?? '');

const ELEMENT: ReadonlySet<string> = new Set(['map-value', 'element', 'index']);

const eachOf = (sizeCheck: NonNullable<Bounds['sizeCheck']>, each: number): Bounds => ({
  sizeCheck: { ...sizeCheck, each },
});

/** `const of = byFarm.get(id) ?? []; … if (of.length > 40) of.splice(0, 20)`: a name counts in its own function only. */
function boundsOfAliases(text: string, name: string, isElement: boolean): Bounds {
  const all = aliasesOf(text, name).filter(alias => alias.isElement === isElement && alias.name !== name);
  return Object.assign(
    {},
    ...all.map(alias => ({ ...moved(boundsOf(alias.text, alias.name), alias.line0), ...sweptBy(text, alias) })),
  );
}

/** A timer goes through all of them and takes out what is over. */
function sweptBy(text: string, { name, isEach, from, to }: Alias): Bounds {
  const syntax = syntaxOf(text);
  const isWithin = (at: TextPosition) => from <= offsetOf(syntax, at) && offsetOf(syntax, at) < to;
  const swept = isEach && emptyingsOf(text, name).find(one => one.byTimer && isWithin(one));
  return swept ? { expiry: { line0: swept.line0 } } : {};
}

/** Lines of a function as lines of its file. A timer inside is not known to run for every list. */
function moved({ removal, sizeCheck }: Bounds, line0: number): Bounds {
  return {
    ...(removal && { removal: { line0: removal.line0 + line0 } }),
    ...(sizeCheck && { sizeCheck: { ...sizeCheck, line0: sizeCheck.line0 + line0 } }),
  };
}

/** Where a row stands for many containers, the check of the name that each is held by is a check of each. */
function boundsOfEach(bounds: Bounds, home: Home, { row }: Suspect): Bounds {
  const last = row.path.at(-1);
  const name = last?.kind === 'property' || last?.kind === 'private' ? last.name : undefined;
  if (row.kin === undefined || name === undefined || !bounds.sizeCheck) return bounds;
  const { sizeCheck } = boundsOfName(home.script.text, name);
  return sizeCheck ? { ...bounds, sizeCheck: { ...sizeCheck, each: row.kin } } : bounds;
}

/** Patterns of size checks; where it loses entries, and whether a timer sees to it. */
function boundsOfName(text: string, name: string): Bounds {
  const { expiry: nearby, ...read } = { ...countedBeside(text, name), ...boundsOf(text, name) };
  const emptyings = emptyingsOf(text, name);
  const keysFrom = listFeeding(text, name);
  const removal = read.removal ?? emptyings[0];
  const timed = emptyings.filter(one => one.byTimer);
  const swept = emptyings.find(one => one.sweeps && one.byFeeder);
  const drain = timed.every(one => one.drainsEveryMs !== undefined) ? timed[0] : undefined;
  // Lines near each other are a guess: the text's structure knows better wherever it can be read.
  const expiry = drain ?? timed[0] ?? swept ?? (syntaxOf(text).parsed ? undefined : nearby);
  const [emptied] = wholesOf(emptyings);
  return {
    ...read,
    ...(removal && { removal }),
    ...(expiry && { expiry: { ...expiry, ...overAfter(text, expiry) } }),
    ...(emptied && { emptied }),
    ...(keysFrom !== undefined && { keysFrom }),
  };
}

/** A sweep that isn't known to come at least this often, in milliseconds. */
const RARE_SWEEP_MS = 60_000;

/** The time that an entry may live, and until the next sweep. */
function overAfter(text: string, { byFeeder, everyMs }: Partial<Emptying>): { overAfterMs?: number } {
  const life = lifetimeNamed(text);
  if (life === undefined) return {};
  return { overAfterMs: life + (everyMs ?? (byFeeder ? 0 : RARE_SWEEP_MS)) };
}

/** Entries leave when something that is counted beside them is too much. */
function countedBeside(text: string, name: string): Bounds {
  const check = companionCheck(text, name);
  if (!check) return {};
  const { line0, companion } = check;
  const limit = check.limit === undefined ? undefined : limitNamed(text, check.limit);
  return { sizeCheck: { line0, ...(limit !== undefined && { limit }), ...(companion !== undefined && { companion }) } };
}
