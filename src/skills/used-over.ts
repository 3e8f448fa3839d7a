import type { AllocationSite } from '../heap/growth/allocation-sites.js';
import type { Suspect } from '../heap/growth/suspects.js';
import type { OperatorView, Step } from '../model/skill.js';
import { packageThatMade } from '../source/made-by.js';
import { functionsAround } from '../source/names.js';
import type { ScriptText } from '../source/script.js';
import { isUserCode } from '../source/url.js';
import { ANY_FIT, type Kept, LEAST_FIT, SURE_FIT, type Use, usesOver } from '../source/uses.js';
import { sampledSites } from './growth-feeders.js';
import { type Fed, type Files, type Home, isRegistration, MOST_SCRIPTS } from './growth-home.js';
import { importersOf, isForeign, isImport } from './package-users.js';
import { locate, sourceOf } from './place.js';

/** Who fills a package's container, and the package that the application knows it by. */
export interface UsedOver extends Fed {
  readonly package?: string;
}

interface Source {
  readonly scriptId: string;
  readonly script: ScriptText;
}

interface Used extends Source {
  readonly use: Use;
}

/**
 * A package's container has no line of the application that adds to it: the calls over what leads there do. That is the
 * field nearest to it that a package made (`this.latency.observe(…)`), else the variable, else what lies further out.
 */
export async function* usedOver(
  see: OperatorView,
  home: Home | undefined,
  suspect: Suspect,
  files: Files,
): Step<UsedOver | undefined> {
  const { holder, fault, row } = suspect;
  const isOfPackage =
    fault === 'backpressure' ||
    holder.package !== undefined ||
    (home !== undefined && (isImport(home) || isForeign(home)));
  if (!isOfPackage || isRegistration(fault) || row.kind === 'timers') return undefined;
  const sources = yield* sourcesOf(see, home, files);
  // Once a module without functions has run, V8 forgets its script: its export's name is left.
  const name = home?.name ?? (holder.moduleFile === undefined ? undefined : holder.below[0]);
  const near = fault === 'backpressure' ? undefined : yield* overField(see, sources, suspect);
  const direct = near ?? (name === undefined ? undefined : yield* overName(see, sources, name, suspect));
  return direct ?? (yield* overMadeThing(see, sources, suspect, files));
}

/** `this.latency` of `metrics.latency.hashMap`: a field that the application had a package make. */
async function* overField(see: OperatorView, sources: readonly Source[], suspect: Suspect): Step<UsedOver | undefined> {
  const { below } = suspect.holder;
  for (let at = below.length - 2; at >= 0; at--) {
    const name = below[at] ?? '';
    for (const source of sources) {
      const made = packageThatMade(source.script.text, name);
      if (made === undefined) continue;
      const kept = keptOf(suspect, below.slice(at + 1));
      const best = yield* bestOf(see, [source], name, kept, ANY_FIT);
      if (best) return { ...usedAs(see, best), isCause: true, package: made };
    }
  }
  return undefined;
}

async function* overName(
  see: OperatorView,
  sources: readonly Source[],
  name: string,
  suspect: Suspect,
): Step<UsedOver | undefined> {
  const { below } = suspect.holder;
  const best = yield* bestOf(see, sources, name, keptOf(suspect, below), LEAST_FIT);
  return best && { ...usedAs(see, best), isCause: best.use.fit >= SURE_FIT || below.length > 1 };
}

/**
 * What a package of a package keeps: `client.cache.data.group.d` of a client that the application had made. Where it brings
 * the inner package in itself, what it does with that says more.
 */
async function* overMadeThing(
  see: OperatorView,
  sources: readonly Source[],
  suspect: Suspect,
  files: Files,
): Step<UsedOver | undefined> {
  const { holder, row } = suspect;
  if (holder.package === undefined || (yield* importersOf(see, holder, files)).length > 0) return undefined;
  const [root, first] = row.path;
  const exported = root?.kind === 'root' && root.name.startsWith('module ') && first?.kind === 'property';
  const name = holder.through?.name ?? (exported ? first.name : undefined);
  const made = name === undefined ? undefined : makerAmong(sources, name);
  if (name === undefined || made === undefined) return undefined;
  const best = yield* bestOf(see, sources, name, keptOf(suspect, holder.below), ANY_FIT);
  return best && { ...usedAs(see, best), isCause: true, package: made };
}

function makerAmong(sources: readonly Source[], name: string): string | undefined {
  for (const { script } of sources) {
    const made = packageThatMade(script.text, name);
    if (made !== undefined) return made;
  }
  return undefined;
}

const keptOf = ({ row, inStep }: Suspect, below: readonly string[]): Kept => ({
  below,
  beside: inStep.flatMap(one => one.holder.below),
  entryClass: /^\w+/.exec(row.entry.text)?.[0] ?? '',
});

async function* sourcesOf(see: OperatorView, home: Home | undefined, files: Files): Step<Source[]> {
  const ids = [...new Set([...(home ? [home.spot.scriptId] : []), ...files.map(one => one.scriptId)])];
  const sources: Source[] = [];
  for (const scriptId of ids.slice(0, MOST_SCRIPTS)) {
    const script = scriptId === home?.spot.scriptId ? home.script : yield* sourceOf(see, scriptId, ids);
    if (script && isUserCode(script.url)) sources.push({ scriptId, script });
  }
  return sources;
}

/** The call over `name` that fits best. Calls that a bundle's source map says to be a package's own are not the application's. */
async function* bestOf(
  see: OperatorView,
  sources: readonly Source[],
  name: string,
  kept: Kept,
  least: number,
): Step<Used | undefined> {
  const found = sources.flatMap(source =>
    usesOver(source.script.text, name, kept, least)
      .filter(({ line0, column0 }) => source.script.ownerAt(line0, column0) === undefined)
      .map(use => ({ ...source, use })),
  );
  const most = Math.max(...found.map(({ use }) => use.fit));
  return yield* busiest(
    see,
    found.filter(({ use }) => use.fit === most),
  );
}

/** Of calls that fit alike the one in whose function most is made that survives; the first where nothing tells. */
async function* busiest(see: OperatorView, alike: readonly Used[]): Step<Used | undefined> {
  if (alike.length < 2) return alike[0];
  const { sites } = yield* sampledSites(see);
  for (const { frame, callee } of sites) {
    const here = alike.filter(one => one.scriptId === frame.scriptId && isWithin(one, frame));
    const found = here.find(({ use }) => use.callee.split('.').at(-1) === callee) ?? here[0];
    if (found) return found;
  }
  return alike[0];
}

function isWithin({ script: { text }, use }: Used, { lineNumber, columnNumber }: AllocationSite['frame']): boolean {
  const [made] = functionsAround(text, { line0: lineNumber, column0: columnNumber });
  return functionsAround(text, use).some(f => f.line0 === made?.line0 && f.column0 === made.column0);
}

function usedAs(see: OperatorView, { scriptId, script, use }: Used): Fed {
  const spot = { scriptId, url: script.url, line: use.line0, column: use.column0, functionName: use.function };
  return { place: locate(script, spot, see.target.cwd), how: 'uses', code: use.code };
}
