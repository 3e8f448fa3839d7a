import type { AllocationSite } from '../heap/growth/allocation-sites.js';
import { isModuleCache } from '../heap/growth/fault.js';
import type { Suspect } from '../heap/growth/suspects.js';
import { isUsable } from '../model/evidence/index.js';
import type { OperatorView, Step } from '../model/skill.js';
import { type Feeder, feedersOf, timingsOf } from '../source/feeders.js';
import { linksOf } from '../source/links.js';
import { loadingsOf } from '../source/loading.js';
import { displayPath, isFile, isUserCode } from '../source/url.js';
import { type Fed, type Files, MOST_SCRIPTS } from './growth-home.js';
import { locate, sourceOf } from './place.js';
import { placeOfSite, SAMPLING, SAMPLING_STAYS_MS, sitesOf } from './survivors.js';

/** An application function with less of the survivors is a bystander. */
const FEEDING_SHARE = 0.2;
/** How a function feeds a holder when only its allocations tell. */
export const ALLOCATES = 'allocates';

interface Sampled {
  readonly feeders: readonly Fed[];
  /** The first of them allocates by way of the holder's package. */
  readonly isThrough: boolean;
  /** Scripts of the application that allocate what survives, most bytes first. */
  readonly scriptIds: readonly string[];
  readonly id?: string;
}

export async function* sampledSites(see: OperatorView): Step<{ sites: readonly AllocationSite[]; id?: string }> {
  const sampling = yield* see.ask('heap-sampling', SAMPLING, SAMPLING_STAYS_MS);
  return isUsable(sampling) ? { sites: yield* sitesOf(see, sampling.data), id: sampling.id } : { sites: [] };
}

export const isThrough =
  (name: string) =>
  ({ through, share }: AllocationSite): boolean =>
    share >= FEEDING_SHARE && through.includes(name);

/** … and calls the package itself, instead of what comes by it: whatever answers a request goes through its middlewares. */
const isInto =
  (name: string) =>
  ({ into, share }: AllocationSite): boolean =>
    share >= FEEDING_SHARE && into.includes(name);

/**
 * Application functions whose allocations survived, when the text doesn't say who feeds the holder: first the one that
 * allocates by way of the holder's package; where the application brings that in itself, only the one that calls it.
 */
export async function* sampledFeeders(
  see: OperatorView,
  holder: string | undefined,
  isImported: boolean,
): Step<Sampled> {
  const { sites, id } = yield* sampledSites(see);
  const enough = sites.filter(({ share }) => share >= FEEDING_SHARE);
  const meant = holder === undefined ? undefined : enough.find((isImported ? isInto : isThrough)(holder));
  const feeders: Fed[] = [];
  for (const site of [...(meant ? [meant] : []), ...enough.filter(one => one !== meant)].slice(0, 2))
    feeders.push({ place: yield* placeOfSite(see, site), how: ALLOCATES });
  const scriptIds = [...new Set(sites.map(({ frame }) => frame.scriptId))].slice(0, MOST_SCRIPTS);
  return { feeders, isThrough: meant !== undefined, scriptIds, ...(id !== undefined && { id }) };
}

/** No variable leads to the holder (a context of AsyncLocalStorage, a handle): the property's name may still be written where it is fed. */
export async function* feedersByName(
  see: OperatorView,
  { holder }: Suspect,
  scriptIds: readonly string[],
): Step<Fed[]> {
  const name = holder.below.findLast(one => !one.startsWith('['));
  const isTiming = holder.text.startsWith('performance m');
  if (name === undefined && !isTiming) return [];
  for (const scriptId of scriptIds) {
    const script = yield* sourceOf(see, scriptId);
    const [feeder] = script ? (isTiming ? timingsOf(script.text) : feedersOf(script.text, name ?? '')) : [];
    if (!script || !feeder) continue;
    const at = { scriptId, url: script.url, line: feeder.line0, column: feeder.column0 };
    const spot = feeder.function === undefined ? at : { ...at, functionName: feeder.function };
    return [{ place: locate(script, spot, see.target.cwd), how: feeder.how, code: feeder.code }];
  }
  return [];
}

/** `receipts.set(batch, …)`: a package's container is fed over the application's variable that leads to it. */
export async function* fedThrough(see: OperatorView, { holder: { through } }: Suspect): Step<Fed[]> {
  const script = through && (yield* sourceOf(see, through.seenBy.scriptId));
  const feeder = script && feedersOf(script.text, through.name).find(one => one.function !== undefined);
  if (!script || !feeder || feeder.function === undefined) return [];
  const at = { ...through.seenBy, line: feeder.line0, column: feeder.column0, functionName: feeder.function };
  return [{ place: locate(script, at, see.target.cwd), how: feeder.how, code: feeder.code }];
}

/** Whatever leads to the newest of a chain of objects: the line that makes each refer to the one before is what feeds it. */
export async function* linkedBy(see: OperatorView, { row }: Suspect, scriptIds: readonly string[]): Step<Fed[]> {
  const last = row.path.at(-1);
  const owner = /^\w+/.exec(row.entry.text)?.[0];
  if (row.kind !== 'chain' || last?.kind !== 'property' || owner === undefined) return [];
  for (const scriptId of scriptIds) {
    const script = yield* sourceOf(see, scriptId, scriptIds);
    const [link] = script && isUserCode(script.url) ? linksOf(script.text, last.name, owner) : [];
    if (!script || !link) continue;
    const at = { scriptId, url: script.url, line: link.line0, column: link.column0 };
    const spot = link.function === undefined ? at : { ...at, functionName: link.function };
    return [{ place: locate(script, spot, see.target.cwd), how: 'link', code: link.code, isCause: true }];
  }
  return [];
}

/** A module that is loaded again and again is named itself: its newest url is a key of Node's cache. */
export function importedAgain({ row, fault }: Suspect, cwd: string): Fed[] {
  const { key } = row.entry;
  if (fault !== 'code.growth' || key === undefined || !isFile(key)) return [];
  return [{ place: { file: displayPath(key, cwd), line: 1 }, how: 'repeated loading' }];
}

/** The line that loads modules again and again: the one of the application's whose words are in the newest url. */
export async function* loadedBy(see: OperatorView, { row, fault }: Suspect, files: Files): Step<Fed[]> {
  if (fault !== 'code.growth' || !isModuleCache(row.path, row.ownerClass)) return [];
  let best: { readonly likeness: number; readonly fed: Fed } | undefined;
  for (const { scriptId, url } of files.slice(0, MOST_SCRIPTS)) {
    if (/[?#]/.test(url)) continue;
    const script = yield* sourceOf(see, scriptId);
    const [loading] = script ? loadingsOf(script.text, row.entry.key ?? '') : [];
    if (!script || !loading || loading.likeness <= (best?.likeness ?? 0)) continue;
    const at = { scriptId, url, line: loading.line0, column: loading.column0 };
    const spot = loading.function === undefined ? at : { ...at, functionName: loading.function };
    best = {
      likeness: loading.likeness,
      fed: { place: locate(script, spot, see.target.cwd), how: loading.how, code: loading.code },
    };
  }
  return best ? [best.fed] : [];
}

/** `bus.once(`done:${id}`, …)`: an event for each piece of work, which the source doesn't have as a text. */
export async function* subscribedToMany(
  see: OperatorView,
  { holder: { below, variable } }: Suspect,
  scriptIds: readonly string[],
): Step<Fed | undefined> {
  const name = below[below.indexOf('_events') - 1] ?? variable?.name;
  for (const scriptId of name === undefined ? [] : scriptIds) {
    const script = yield* sourceOf(see, scriptId, scriptIds);
    const call = script && feedersOf(script.text, name ?? '').find(isComputedSubscription);
    if (!script || !call || !isUserCode(script.url)) continue;
    const at = { scriptId, url: script.url, line: call.line0, column: call.column0, functionName: call.function ?? '' };
    return { place: locate(script, at, see.target.cwd), how: call.how, code: call.code };
  }
  return undefined;
}

/** Within a function, and its event is no literal. */
const isComputedSubscription = ({ how, code, function: around }: Feeder): boolean =>
  around !== undefined && isSubscription({ how }) && !new RegExp(`\\b${how}\\(\\s*${LITERAL}\\s*[,)]`).test(code);

const LITERAL = '(?:\'[^\']*\'|"[^"]*"|`[^$`]*`)';

/** The call registers a listener. */
export const isSubscription = ({ how }: Pick<Feeder, 'how'>): boolean =>
  /^(on|once|subscribe|.*[lL]istener)$/.test(how);
