import type { Bounds } from '../heap/growth/bounds.js';
import { isInAsyncStore, isWaitingSignals, listenedEvent, MANY_EVENTS, viaOf } from '../heap/growth/holder.js';
import type { Suspect } from '../heap/growth/suspects.js';
import type { PathStep } from '../model/evidence/collection-growth.js';
import type { CodeLocation, ScriptPosition } from '../model/location.js';
import type { OperatorView, Step } from '../model/skill.js';
import { elementFeedersOf } from '../source/aliases.js';
import { declarationOf } from '../source/declarations.js';
import { type Feeder, feedersOf, subscriptionsOf } from '../source/feeders.js';
import { handingsOf } from '../source/handed.js';
import { isWrapping, packageThatMade } from '../source/made-by.js';
import { isFile, isUserCode, packageOf } from '../source/url.js';
import { cutFor } from './cut-texts.js';
import { boundsAt, intoElement } from './growth-bounds.js';
import {
  ALLOCATES,
  fedThrough,
  feedersByName,
  importedAgain,
  isSubscription,
  isThrough,
  linkedBy,
  loadedBy,
  sampledFeeders,
  sampledSites,
  subscribedToMany,
} from './growth-feeders.js';
import {
  type Fed,
  type Files,
  type GrowthPlace,
  type Home,
  isNamedByFeeder,
  isRegistration,
  MOST_SCRIPTS,
  writtenName,
} from './growth-home.js';
import { boundsOfClass, cutSomewhere, replacedWith, trimmedElsewhere } from './growth-trimming.js';
import { calledAlike, importersOf, isForeign, isImport, madeFor, usersOfPackage } from './package-users.js';
import { locate, place, sourceOf } from './place.js';
import { placeOfSite } from './survivors.js';
import { usedOver } from './used-over.js';

const MOST_RELATED = 3;
const CALLBACK = 'callback';

/** Finds the declaration, the lines that feed it, and what the source does against growth. */
export async function* placeGrowth(see: OperatorView, given: Suspect, files: Files = []): Step<GrowthPlace> {
  const found = yield* homeOf(see, given);
  const written = found && found.name === given.holder.variable?.name ? writtenName(found) : undefined;
  const where = yield* placeFrom(see, given, found, files);
  return written === undefined ? where : { ...where, writtenName: written };
}

async function* placeFrom(see: OperatorView, given: Suspect, found: Home | undefined, files: Files): Step<GrowthPlace> {
  const home = found && (given.row.alone === true ? sharedHome(found, given) : innermostFed(found, given));
  const declared = home && declaredAt(home, see.target.cwd, viaOf(given.row.path));
  const isPackages = home !== undefined && (given.holder.package !== undefined || isForeign(home));
  const maker = isPackages ? packageThatMade(home.script.text, home.name) : undefined;
  const suspect = withOwner(given, maker ?? given.holder.package ?? (declared && packageOf(declared.file)));
  const scriptIds = [...new Set([...(home ? [home.spot.scriptId] : []), ...files.map(one => one.scriptId)])];
  const written =
    (yield* registeredAt(see, suspect, scriptIds)) ??
    (yield* writtenAt(see, suspect)) ??
    (yield* registeredFor(see, suspect, files)) ??
    handedOver(see, home, suspect);
  const filled = home && isUserCode(home.spot.url) ? fedIn(home, suspect, see.target.cwd) : [];
  const made = written ? undefined : yield* madeFor(see, suspect, files);
  const [linked] = written || made ? [] : yield* linkedBy(see, suspect, scriptIds.slice(0, MOST_SCRIPTS));
  const used =
    filled.length === 0 && !written && !made && !linked ? yield* usedOver(see, home, suspect, files) : undefined;
  const sure = made ?? linked ?? used;
  const fed = sure ? [sure] : filled;
  const seen = home ? boundsAt(home, suspect) : {};
  const isOpen = home !== undefined && isUserCode(home.spot.url) && !seen.sizeCheck && !isRegistration(suspect.fault);
  const bounds = isOpen
    ? {
        ...(suspect.row.alone === true ? {} : yield* replacedWith(see, suspect, home)),
        ...seen,
        ...(yield* trimmedElsewhere(see, home, files)),
        ...(yield* boundsOfClass(see, suspect)),
        ...(yield* cutSomewhere(see, suspect, files)),
      }
    : seen;
  const loading = yield* loadedBy(see, suspect, files);
  const imported = home !== undefined && (isImport(home) || maker !== undefined);
  if (loading.length > 0) return assembled(suspect, { declared: undefined, imported, feeders: loading, bounds });
  const feeders = [...(written ? [written] : []), ...fed];
  const isOwn = declared !== undefined && packageOf(declared.file) === undefined && maker === undefined;
  const known = used?.package === undefined ? suspect : withOwner(suspect, used.package);
  const told = isOwn && feeders.length === 0 ? yield* usersOfPackage(see, suspect) : feeders;
  if (isOwn || told.length > 0 || suspect.row.kind === 'timers') {
    const cut = home && feeders[0] === fed[0] ? yield* cutFor(see, home, suspect, files) : undefined;
    return { ...assembled(known, { declared, imported, feeders: told, bounds }), ...(cut && { cut }) };
  }
  const importing = yield* importersOf(see, suspect.holder, files);
  const sampled = yield* sampledFeeders(see, suspect.holder.package, importing.length > 0);
  const searched = [...new Set([...sampled.scriptIds, ...files.map(one => one.scriptId)])];
  const byName = home ? [] : yield* feedersByName(see, suspect, searched.slice(0, MOST_SCRIPTS));
  const there = importing.find(one => sampled.feeders[0]?.place.file === one.place.file);
  const isTold = byName.length > 0 || sampled.isThrough || importing.length === 1;
  const alike = isTold ? undefined : yield* calledAlike(see, suspect, files);
  const bringing = there ?? (importing.length === 1 ? importing[0] : undefined);
  const single = sampled.isThrough || !bringing ? sampled.feeders : [bringing, ...sampled.feeders];
  const through = sampled.isThrough ? [] : yield* fedThrough(see, suspect);
  const byUse = alike ? [alike] : through.length > 0 ? through : single;
  const allocating = byName.length > 0 ? byName : byUse;
  const named = allocating.length > 0 ? allocating : yield* usersOfPackage(see, suspect);
  const user = named.length > 0 ? named : importedAgain(suspect, see.target.cwd);
  return {
    ...assembled(suspect, { declared, imported: imported && !(home && isMemo(home, user[0])), feeders: user, bounds }),
    ...(sampled.id !== undefined && { samplingId: sampled.id }),
  };
}

/** `priceOf(line)` of `priceOf = memoize(compute)`: whoever calls it does nothing wrong, what is made of the function does. */
const isMemo = ({ script, name }: Home, user: Fed | undefined): boolean =>
  isWrapping(script.text, name) &&
  new RegExp(`(?<![\\w$])${name.replaceAll('$', '\\$')}\\(`).test(user?.place.frame ?? '');

/** A package made what the variable holds, or a bundle's source map says that it is a package's: no line of the application. */
function withOwner(suspect: Suspect, owner: string | undefined): Suspect {
  if (owner === undefined) return suspect;
  return { ...suspect, holder: { ...suspect.holder, package: owner } };
}

interface Parts {
  readonly declared: CodeLocation | undefined;
  /** The declaration only brings a package in: it holds nothing by itself. */
  readonly imported: boolean;
  readonly feeders: readonly Fed[];
  readonly bounds: Bounds;
}

/** Who is to be named: for listeners and timers who registers them, for what lies in a package who feeds it, else the holder. */
function assembled(suspect: Suspect, { declared, imported, feeders, bounds }: Parts): GrowthPlace {
  const { holder, fault, row } = suspect;
  const [fedBy] = feeders;
  // A package's list of the application's callbacks is a list of listeners, whatever its name.
  const subscribes = imported || (holder.package !== undefined && fedBy?.how === CALLBACK);
  const isElsewhere = declared === undefined || packageOf(declared.file) !== undefined;
  const byFeeder =
    isElsewhere || subscribes || fedBy?.isCause === true || isNamedByFeeder(fault) || row.kind === 'timers';
  const chosen = byFeeder ? (fedBy?.place ?? declared) : (declared ?? fedBy?.place);
  const via = viaOf(row.path);
  const culprit = chosen && {
    ...chosen,
    ...(holder.package !== undefined && { package: holder.package }),
    ...(via.length > 0 && { via }),
  };
  const others = [declared, ...feeders.map(one => one.place)].filter(one => one !== undefined && one !== chosen);
  return {
    ...(culprit && { culprit }),
    // The filter above leaves places only.
    related: distinct(others as CodeLocation[]).slice(0, MOST_RELATED),
    ...(declared && { declared }),
    ...(fedBy && { fedBy }),
    bounds,
  };
}

/** The script that declares the container: its owner's class when that is the application's, else the nearest variable's. */
async function* homeOf(see: OperatorView, { row, holder }: Suspect): Step<Home | undefined> {
  const { ownerCode } = row;
  const field = holder.below.at(-1);
  if (ownerCode && field !== undefined && isUserCode(ownerCode.url)) {
    const script = yield* sourceOf(see, ownerCode.scriptId);
    if (script) return { script, spot: ownerCode, name: field, below: [] };
  }
  const root = isInAsyncStore(row.path) ? undefined : row.path[0];
  const spot = holder.variable?.seenBy ?? (root?.kind === 'root' ? root.script : undefined);
  const names = withoutEvents(holder.below);
  const name = holder.variable?.name ?? names[0];
  if (!spot || name === undefined || !isFile(spot.url)) return undefined;
  const script = yield* sourceOf(see, spot.scriptId);
  return script && { script, spot, name, below: holder.variable ? names : names.slice(1) };
}

/**
 * `matches.get(*).space.server.rooms`: a match that comes or goes neither adds a room to the server that all of them share
 * nor takes one out, and a package's server says nothing in the file that has the matches.
 */
const sharedHome = (found: Home, { holder }: Suspect): Home | undefined =>
  holder.package === undefined ? { ...found, name: found.below.at(-1) ?? found.name, below: [] } : undefined;

/** `stats.#outbox.#tail.next` is fed by `this.#outbox.push(…)`: the name nearest to the container that anything feeds. */
function innermostFed(home: Home, { fault }: Suspect): Home {
  if (!isUserCode(home.spot.url) || isRegistration(fault)) return home;
  if (feedersOf(home.script.text, home.name, home.below).length > 0) return home;
  for (let i = home.below.length - 1; i >= 0; i--) {
    const name = home.below[i] ?? '';
    const inner = { ...home, name, below: home.below.slice(i + 1) };
    if (isField(home.script.text, name) && feedersOf(home.script.text, name).length > 0) return inner;
  }
  return home;
}

function isField(text: string, name: string): boolean {
  const kind = declarationOf(text, name)?.kind;
  return kind === 'field' || kind === 'assigned';
}

/** `bus._events.tick` is what `bus.on('tick', …)` fills. */
function withoutEvents(below: readonly string[]): readonly string[] {
  const at = below.findIndex(name => name === '_events' || name.startsWith('['));
  return at < 0 ? below : below.slice(0, at);
}

/** Compilers for older engines write `#journal = []` as `_Books_journal.set(this, [])`, where the source map leads to the field. */
function compiledField(text: string, name: string): { line0: number; column0: number; within?: string } | undefined {
  const at = text.indexOf(`${name}.set(this, `);
  if (at < 0) return undefined;
  const before = text.slice(0, at);
  return { line0: before.split('\n').length - 1, column0: at - before.lastIndexOf('\n') - 1 };
}

/** Where a variable is declared, else where the function begins whose scope showed it. */
export async function* declaredPlace(
  see: OperatorView,
  { name, seenBy }: Extract<PathStep, { kind: 'variable' }>,
): Step<CodeLocation> {
  const script = isFile(seenBy.url) ? yield* sourceOf(see, seenBy.scriptId) : undefined;
  const declared = script && declaredAt({ script, spot: seenBy, name, below: [] }, see.target.cwd, []);
  return declared ?? (yield* place(see, seenBy));
}

function declaredAt({ script, spot, name }: Home, cwd: string, via: readonly string[]): CodeLocation | undefined {
  // The module wrapper declares these: no line of the file does.
  if (name === 'require' || name === 'module' || name === 'exports') return undefined;
  const found = compiledField(script.text, name) ?? declarationOf(script.text, name, spot.line);
  const at = { ...spot, line: found?.line0 ?? spot.line, column: found?.column0 ?? spot.column };
  return locate(script, found?.within === undefined ? at : { ...at, functionName: found.within }, cwd, via);
}

/** The call that registered a listener: around an inline function, else where its script (or, for Node's own function, any) subscribes to the event. */
async function* registeredAt(see: OperatorView, suspect: Suspect, scriptIds: readonly string[]): Step<Fed | undefined> {
  const { row, fault } = suspect;
  const event = fault === 'memory.leak.listener' ? listenedEvent(row.path) : undefined;
  if (event === undefined) return undefined;
  if (event === MANY_EVENTS) return yield* subscribedToMany(see, suspect, scriptIds.slice(0, MOST_SCRIPTS));
  const { code } = row.entry;
  const own = code && isUserCode(code.url) ? code : undefined;
  // `on(emitter, event)` of node:events registers a function of Node.
  const ids = own ? [own.scriptId] : scriptIds.slice(0, MOST_SCRIPTS);
  for (const scriptId of ids) {
    const script = yield* sourceOf(see, scriptId, ids);
    const calls = script ? subscriptionsOf(script.text, event) : [];
    const around = own && calls.find(call => call.line0 <= own.line && own.line <= call.endLine0);
    // A statement of the top level runs once: nothing piles up there.
    const call = around ?? calls.find(one => own !== undefined || one.function !== undefined);
    if (script && isWaitingSignals(row.path) && !MAKES_SIGNALS.test(script.text)) continue;
    if (!script || !call) continue;
    const at = { scriptId, url: script.url, line: call.line0, column: call.column0 };
    const spot = call.function === undefined ? at : { ...at, functionName: call.function };
    return { place: locate(script, spot, see.target.cwd), how: call.how, code: call.code };
  }
  return undefined;
}

const MAKES_SIGNALS = /\bAbortSignal\s*\.\s*(?:any|timeout)\b/;

/** A package listens to what the application gave it: where the application does so is to be changed. */
async function* registeredFor(see: OperatorView, { row, holder, fault }: Suspect, files: Files): Step<Fed | undefined> {
  const name = fault === 'memory.leak.listener' ? packageOf(row.entry.code?.url ?? '') : undefined;
  if (name === undefined || holder.package !== undefined) return undefined;
  const users = yield* importersOf(see, { package: name, below: [] }, files);
  const variable = holder.variable?.name;
  const naming = users.find(one => variable !== undefined && one.code?.includes(variable));
  // Several files use the package: what survives was made through the one that is meant.
  const site = naming || users.length < 2 ? undefined : (yield* sampledSites(see)).sites.find(isThrough(name));
  const user = site ? { place: yield* placeOfSite(see, site), how: ALLOCATES } : (naming ?? users[0]);
  return user && { ...user, place: { ...user.place, package: name } };
}

/** An emitter of a package's making gets its listeners where the application hands it on, once for each piece of work. */
function handedOver(see: OperatorView, home: Home | undefined, { fault, holder }: Suspect): Fed | undefined {
  if (fault !== 'memory.leak.listener' || holder.package === undefined || !home) return undefined;
  const { script, spot, name } = home;
  const [handing, ...others] = isUserCode(spot.url) ? handingsOf(script.text, name) : [];
  if (!handing || others.length > 0) return undefined;
  const at = { ...spot, line: handing.line0, column: handing.column0, functionName: handing.function };
  return { place: locate(script, at, see.target.cwd), how: 'hands over', code: handing.code };
}

/** The newest entry's own code: the very function that was registered. A package may keep it in a list beside. */
async function* writtenAt(see: OperatorView, { row, inStep, holder }: Suspect): Step<Fed | undefined> {
  const beside = inStep.filter(one => holder.package !== undefined && one.holder.package === holder.package);
  const spots = [row, ...beside.map(one => one.row)].map(one => ({ row: one, code: writtenSpot(one) }));
  const found = spots.find(({ code }) => code !== undefined);
  return found?.code && (yield* writtenIn(see, found.row, found.code));
}

const writtenSpot = ({ timer, entry }: Suspect['row']): ScriptPosition | undefined =>
  [timer?.callback ?? entry.code, entry.within].find(spot => spot && isUserCode(spot.url));

async function* writtenIn(see: OperatorView, { entry }: Suspect['row'], code: ScriptPosition): Step<Fed | undefined> {
  const script = yield* sourceOf(see, code.scriptId);
  const name = code === entry.code ? entry.codeName : undefined;
  const where = locate(script, name === undefined ? code : { ...code, functionName: name }, see.target.cwd);
  const line = script?.line(code.line).trim().slice(0, 120);
  return { place: where, how: CALLBACK, ...(line && { code: line }) };
}

function fedIn(home: Home, { fault, holder, row }: Suspect, cwd: string): Fed[] {
  // What is written to a stream is no entry of the variable that holds it.
  if (fault === 'backpressure') return [];
  const named = feedersOf(home.script.text, home.name, home.below);
  const inElement = intoElement(row) ? elementFeedersOf(home.script.text, home.below.at(-1) ?? home.name) : [];
  const feeders = [...inElement, ...named];
  // What subscribes to a package's object fills its listeners, and a statement of the top level runs once.
  const isFilling = (one: Feeder) =>
    holder.package === undefined || (!isSubscription(one) && one.function !== undefined);
  const fitting = feeders.filter(fault === 'memory.leak.listener' ? isSubscription : isFilling);
  const own = fitting.filter(({ line0, column0 }) => home.script.ownerAt(line0, column0) === undefined);
  return own.slice(0, MOST_RELATED).map(feeder => ({
    place: locate(home.script, spotOf(home, feeder), cwd),
    how: feeder.how,
    code: feeder.code,
  }));
}

function spotOf({ spot }: Home, feeder: Feeder): ScriptPosition & { functionName?: string } {
  const at = { ...spot, line: feeder.line0, column: feeder.column0 };
  return feeder.function === undefined ? at : { ...at, functionName: feeder.function };
}

function distinct(places: readonly CodeLocation[]): CodeLocation[] {
  const seen = new Set<string>();
  return places.filter(({ file, line }) => {
    const key = `${file}:${line}`;
    return !seen.has(key) && seen.add(key);
  });
}
