import { sayMs } from '../base/say.js';
import type { Holder } from '../model/evidence/holders.js';
import type { FaultClass } from '../model/fault.js';
import type { CodeLocation } from '../model/location.js';
import type { Metric, NotificationDraft } from '../model/notification.js';
import type { OperatorView, Step } from '../model/skill.js';
import { declarationOf } from '../source/declarations.js';
import { takerOf } from '../source/dropped.js';
import { isGivenWork } from '../source/given-work.js';
import { packageThatMade } from '../source/made-by.js';
import { isKeptByKey } from '../source/replies.js';
import { isUserCode } from '../source/url.js';
import { isOneByOne } from '../waiting/downstream.js';
import type { Finding } from '../waiting/finding.js';
import { saysPermits } from '../waiting/pools.js';
import { runningMost } from '../waiting/running.js';
import type { Frame } from '../waiting/waits.js';
import { askedBy } from './asked-by.js';
import {
  type HeldSite,
  jobsSite,
  leakSite,
  leakSiteOf,
  MAY_THROW,
  nestedSite,
  runningSite,
  secondSite,
  taskSiteOf,
  transactionSite,
} from './leak-site.js';
import { locate } from './place.js';
import { asThreadWait, waitOfThreads } from './thread-waits.js';
import { callOfPackages, type UncalledSite, uncalledSite } from './uncalled-site.js';
import type { WaitingLook } from './waiting-look.js';
import { loopFrame, placeOfFrame, textOf } from './waiting-place.js';
import { wordsOf } from './waiting-words.js';

/** One finding as a notification: whom to name, what was measured, what to do. */
export async function* draftOf(see: OperatorView, given: Finding, seen: WaitingLook): Step<NotificationDraft> {
  const found = (yield* isReply(see, given)) ? asReply(given) : (yield* isTurn(see, given)) ? asTurn(given) : given;
  const isStill = isLocked(found) && !isFlowing(found);
  const nested = isStill ? yield* nestedSite(see, found, seen.scripts) : undefined;
  const held = isHeld(found) && !found.agent ? yield* heldSite(see, found, seen) : undefined;
  const jobs = isStill && !held ? yield* jobsSite(see, found, seen.scripts) : undefined;
  const site = nested ?? held ?? jobs ?? (isAskedByDriver(found) ? yield* transactionSite(see, found) : undefined);
  const finding: Finding = { ...found, faultClass: classOf(found, site) };
  const leak = site?.location;
  const named =
    finding.waits && finding.faultClass === 'downstream.chatty'
      ? yield* frameInLoop(see, finding)
      : culpritFrame(finding);
  const queue =
    finding.faultClass === 'queue.backlog' && finding.holder ? yield* placeOfHolder(see, finding.holder) : undefined;
  // Where nobody of the application was seen waiting, its variable that holds the pool says more than the pool's own code.
  const isOwn = leak !== undefined || queue !== undefined || named?.kind === 'user';
  const home = isOwn || !finding.holder ? undefined : yield* placeOfHolder(see, finding.holder);
  const seenAt =
    named && !home ? yield* placeOfFrame(see, named, named === finding.place ? finding.user.slice(1) : []) : undefined;
  const taker = yield* takerSite(see, finding);
  const uncalled = leak || queue || taker ? undefined : yield* uncalledSite(see, finding);
  const asked = leak || queue || taker || uncalled ? undefined : yield* askedBy(see, finding, seen);
  const isOnlyPackages = named?.kind !== 'user' && !home;
  const caller = isOnlyPackages && !uncalled && !asked ? yield* callOfPackages(see, finding.packages ?? []) : undefined;
  const culprit = leak ?? queue ?? taker ?? uncalled?.location ?? asked ?? caller ?? seenAt ?? home;
  const related: CodeLocation[] = [];
  for (const frame of relatedFrames(finding, leak || queue || taker || uncalled ? undefined : named)) {
    const other = yield* placeOfFrame(see, frame);
    if (other.line !== culprit?.line || other.file !== culprit.file) related.push(other);
  }
  const { seen: seenHere, ...words } = wordsOf(finding, nameOf(culprit), site?.why);
  const owner = finding.holder && (yield* packageOfHolder(see, finding.holder));
  // Who waits for its own limiter stands beneath whatever called the handler.
  const seenPackage = site?.why === 'nested' ? (owner ?? finding.package) : (finding.package ?? owner);
  const packageName = culprit?.package ?? seenPackage;
  const inside = site?.why === 'tasks' ? yield* waitOfThreads(see) : undefined;
  const draft: NotificationDraft = {
    ...words,
    ...(taker ? { title: `${nameOf(taker)} takes jobs out of a list and does not settle each of their promises` } : {}),
    ...(uncalled ? uncalledWords(uncalled) : {}),
    ...(home && finding.holder && !isFlowing(finding) ? { title: takenTitle(finding.holder, home) } : {}),
    anomalyType: finding.faultClass,
    faultClass: finding.faultClass,
    severity: isCritical(finding) ? 'critical' : 'warning',
    context: contextOf(finding, seen),
    observation: observationOf(finding, seenHere),
    ...(culprit ? { culprit: packageName ? { ...culprit, package: packageName } : culprit } : {}),
    related,
    metrics: metricsOf(finding),
    evidenceIds: [...see.evidenceIds],
    mechanism: true,
    // What was seen waiting, and a text that lets it wait, say the same independently.
    confidence: uncalled ? 'high' : finding.confidence,
  };
  return inside ? asThreadWait(draft, inside) : draft;
}

/** A driver with connections of its own, or its pool: what is slow there may be a lock in the database. */
const isAskedByDriver = ({ faultClass, call, lookups, agent }: Finding): boolean =>
  (faultClass === 'downstream.slow' || faultClass === 'pool.exhaustion') && !call && !lookups && !agent;

/** Callers that wait for an answer by its id stand in a list too, but nobody of them is in another's way. */
async function* isReply(see: OperatorView, { faultClass, holder, maker }: Finding): Step<boolean> {
  const isBare = faultClass === 'waiting.lock' && holder && !saysPermits(holder);
  const script = isBare && maker?.kind === 'user' ? yield* textOf(see, maker.url) : undefined;
  return (
    script !== undefined &&
    isKeptByKey(script.text, { line0: (maker?.line ?? 1) - 1, column0: (maker?.column ?? 1) - 1 })
  );
}

const asReply = ({ holder: _, ...finding }: Finding): Finding => ({
  ...finding,
  faultClass: 'waiting.unsettled',
  replies: true,
});

/** No queue was found, but the package is given work to run: what it keeps in closures and linked lists shows in no list. */
async function* isTurn(see: OperatorView, { replies, place }: Finding): Step<boolean> {
  const script = replies && place?.kind === 'user' ? yield* textOf(see, place.url) : undefined;
  return (
    script !== undefined &&
    isGivenWork(script.text, { line0: (place?.line ?? 1) - 1, column0: (place?.column ?? 1) - 1 })
  );
}

const asTurn = ({ replies: _, ...finding }: Finding): Finding => ({
  ...finding,
  faultClass: 'waiting.lock',
  confidence: 'low',
});

const isLocked = ({ faultClass, holder }: Finding): boolean =>
  holder !== undefined && (faultClass === 'waiting.lock' || faultClass === 'queue.backlog');

/** The text tells a pool from a lock, and a limiter that waits for itself from one with too much to do. */
function classOf({ faultClass }: Finding, site: HeldSite | undefined): FaultClass {
  if (site?.why === 'jobs') return 'queue.backlog';
  if (site?.why === 'nested' || site?.why === 'transaction') return 'waiting.lock';
  return site?.isThing ? 'pool.exhaustion' : faultClass;
}

/** Where it is taken: by those who were seen waiting, else by whoever names the holder in the application's text. */
async function* heldSite(see: OperatorView, finding: Finding, { scripts }: WaitingLook): Step<HeldSite | undefined> {
  const given = yield* taskSiteOf(see, finding, scripts);
  if (given) return given;
  // Connections that are at work are not lost: what they are at keeps them.
  const running = finding.holder && runningMost(finding.holder);
  if (running) return yield* runningSite(see, running.statement, scripts);
  const isStuck = finding.faultClass === 'pool.exhaustion' && !isFlowing(finding);
  const second = isStuck ? yield* secondSite(see, scripts) : undefined;
  if (second) return second;
  const seen = finding.user.length === 0 ? undefined : yield* leakSite(see, finding);
  // Those who wait may not be those who took: others take from the same holder in files where nobody waits.
  if (isFlowing(finding)) return seen;
  if (seen?.why !== 'waits-elsewhere') return seen ?? (yield* leakSiteOf(see, finding, scripts));
  // Who gives back on every way only holds it, unless somebody elsewhere returns without giving back.
  return (yield* leakSiteOf(see, finding, scripts, MAY_THROW)) ?? seen;
}

/** The end of the promise lies in a list, and the list is empty: whoever took it out of there has dropped it. */
async function* takerSite(see: OperatorView, { faultClass, maker, holder }: Finding): Step<CodeLocation | undefined> {
  if (faultClass !== 'waiting.unsettled' || maker?.kind !== 'user' || holder) return undefined;
  const script = yield* textOf(see, maker.url);
  const taker = script && takerOf(script.text, { line0: maker.line - 1, column0: maker.column - 1 });
  if (!taker) return undefined;
  return locate(script, { scriptId: '', url: maker.url, line: taker.line0, column: taker.column0 }, see.target.cwd);
}

const uncalledWords = ({ callback, location }: UncalledSite): Pick<NotificationDraft, 'title' | 'fix'> => ({
  title: `${nameOf(location)} has a way out that never calls \`${callback}\`: whoever waits for it waits for ever`,
  fix: `Call \`${callback}\` on every way out of the function, with an error where there is nothing to tell.`,
});

/** Those who wait get their turn, late: nothing is lost for good. */
const isFlowing = ({ flow, standstill }: Finding): boolean => standstill !== true && (flow?.out ?? 0) > 0;

function takenTitle({ name, path, waiting }: Holder, { file, line }: CodeLocation): string {
  const variable = path.findLast(step => step.kind === 'variable');
  const called = name === 'Object' && variable?.kind === 'variable' ? variable.name : name;
  return `All of \`${called}\` (${file}:${line}) is taken and not given back: ${waiting} callers wait for it`;
}

/** Where the variable is declared that leads to a pool or lock; undefined when it is not the application's. */
async function* placeOfHolder(see: OperatorView, { path }: Holder): Step<CodeLocation | undefined> {
  const step = path.findLast(each => each.kind === 'variable' && isUserCode(each.seenBy.url));
  if (step?.kind !== 'variable') return yield* placeOfExport(see, path);
  const script = yield* textOf(see, step.seenBy.url);
  const declared = script && declarationOf(script.text, step.name, step.seenBy.line);
  const { scriptId, url } = step.seenBy;
  return declared && locate(script, { scriptId, url, line: declared.line0, column: declared.column0 }, see.target.cwd);
}

/** The package whose function made what the application's variable holds. */
async function* packageOfHolder(see: OperatorView, { path }: Holder): Step<string | undefined> {
  const step = path.findLast(each => each.kind === 'variable' && isUserCode(each.seenBy.url));
  const script = step?.kind === 'variable' ? yield* textOf(see, step.seenBy.url) : undefined;
  return script && step?.kind === 'variable' ? packageThatMade(script.text, step.name) : undefined;
}

/** What a module gives out and keeps in no variable (`exports.db = …`) is found by the module and the property. */
async function* placeOfExport(see: OperatorView, [root, given]: Holder['path']): Step<CodeLocation | undefined> {
  const file = root?.kind === 'root' ? /^module (.+)$/.exec(root.name)?.[1] : undefined;
  const script = file !== undefined && isUserCode(file) ? yield* textOf(see, file) : undefined;
  const declared = script && given?.kind === 'property' ? declarationOf(script.text, given.name) : undefined;
  const spot = { scriptId: '', url: file ?? '', line: declared?.line0 ?? 0, column: declared?.column0 ?? 0 };
  return declared && locate(script, spot, see.target.cwd);
}

/** The loop is what asks again and again: the innermost user frame whose place stands in one, else the innermost. */
async function* frameInLoop(see: OperatorView, { user, waits }: Finding): Step<Frame | undefined> {
  const inLoop = yield* loopFrame(see, user);
  if (inLoop) return inLoop;
  // What a package calls for each item is a resolver or a hook.
  return (waits && !isOneByOne(waits) ? waits.entry : undefined) ?? user[0];
}

const isCritical = ({ flow, standstill }: Finding): boolean =>
  standstill === true || (flow !== undefined && flow.out === 0 && flow.in > 0);

const isHeld = ({ faultClass }: Finding): boolean => faultClass === 'pool.exhaustion' || faultClass === 'waiting.lock';

/** A promise that nobody settles is the fault of who made it; all else is named by who waits. */
function culpritFrame({ faultClass, agent, maker, makerUser, place, holding }: Finding): Frame | undefined {
  if ((faultClass === 'waiting.unsettled' || agent) && maker?.kind === 'user') return maker;
  if (isHeld({ faultClass } as Finding) && holding[0]?.kind === 'user') return holding[0];
  return place ?? makerUser[0];
}

function relatedFrames({ place, maker, others, holding }: Finding, named: Frame | undefined): Frame[] {
  return [place, maker, ...holding, ...others]
    .filter((frame): frame is Frame => frame !== undefined && frame !== named && frame.kind === 'user')
    .slice(0, 4);
}

function contextOf({ routes, requests, oldestMs, overlap }: Finding, { dump }: WaitingLook): string {
  if (overlap) return `Window of ${sayMs(dump?.windowMs ?? 0)}; the first run is ${sayMs(oldestMs)} old and under way.`;
  const where = routes.slice(0, 3).join(', ');
  return `Window of ${sayMs(dump?.windowMs ?? 0)}: ${requests} requests read on ${where || 'no route'}, the oldest ${sayMs(oldestMs)} old.`;
}

function observationOf({ flow }: Finding, seen: string): string {
  const flowing = flow
    ? `${flow.route}: in flight ${flow.before} → ${flow.after}, ${flow.in} in, ${flow.out} out.`
    : '';
  return [flowing, seen].filter(text => text !== '').join(' ') || 'Requests wait at one place.';
}

/** Every number that the sentences say: what was computed here is in no reading. */
function metricsOf({
  flow,
  requests,
  oldestMs,
  holder,
  call,
  waits,
  overlap,
  paced,
  lookups,
  silent,
}: Finding): Metric[] {
  const metrics: Metric[] = [
    { name: 'requests waiting there', value: requests, unit: 'requests' },
    { name: 'oldest', value: oldestMs, unit: 'ms' },
  ];
  if (flow) {
    metrics.push(
      { name: 'in flight', value: flow.after, unit: 'requests', baseline: flow.before },
      { name: 'in', value: flow.in, unit: 'requests' },
      { name: 'out', value: flow.out, unit: 'requests' },
    );
  }
  if (holder) metrics.push({ name: 'queue', value: holder.waiting, unit: 'waiters' });
  if (call)
    metrics.push(
      { name: 'calls', value: call.count, unit: 'calls' },
      { name: 'calls per request', value: call.perRequest, unit: 'calls' },
      { name: 'failed', value: call.failed, unit: 'calls' },
      { name: 'open', value: call.open, unit: 'calls' },
      { name: 'oldest open call', value: call.oldestOpenMs, unit: 'ms' },
      { name: 'answer p50', value: call.p50Ms, unit: 'ms' },
      { name: 'pause between calls', value: call.gapMs, unit: 'ms' },
    );
  if (waits)
    metrics.push(
      { name: 'waits per request', value: waits.perRequest, unit: 'waits' },
      { name: 'one wait', value: waits.meanMs, unit: 'ms' },
      { name: 'overlap', value: waits.overlap, unit: 'times' },
      { name: 'share of the request', value: waits.share * 100, unit: '%' },
      { name: 'one request', value: waits.wallMs, unit: 'ms' },
    );
  if (overlap)
    metrics.push(
      { name: 'runs begun', value: overlap.runs, unit: 'runs' },
      { name: 'one every', value: overlap.everyMs, unit: 'ms' },
    );
  if (paced)
    metrics.push(
      { name: 'one turn every', value: paced.everyMs, unit: 'ms' },
      { name: 'longest wait for a turn', value: paced.longestMs, unit: 'ms' },
    );
  if (lookups)
    metrics.push(
      { name: 'names looked up', value: lookups.count, unit: 'lookups' },
      { name: 'oldest look-up', value: lookups.oldestMs, unit: 'ms' },
    );
  if (silent) metrics.push({ name: 'silent sockets', value: silent.count, unit: 'sockets' });
  return metrics;
}

const nameOf = (culprit: CodeLocation | undefined): string =>
  culprit ? `\`${culprit.function || culprit.file}\`` : 'the process';
