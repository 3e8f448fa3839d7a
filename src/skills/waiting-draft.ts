import { sayBytes, sayMs, sayShare } from '../base/say.js';
import type { Holder } from '../model/evidence/holders.js';
import type { FaultClass } from '../model/fault.js';
import type { CodeLocation } from '../model/location.js';
import type { Metric, NotificationDraft } from '../model/notification.js';
import type { OperatorView, Step } from '../model/skill.js';
import { declarationOf } from '../source/declarations.js';
import { takerOf } from '../source/dropped.js';
import { isInLoop } from '../source/loops.js';
import { isUserCode } from '../source/url.js';
import { isOneByOne } from '../waiting/downstream.js';
import type { Finding } from '../waiting/finding.js';
import { poolState } from '../waiting/pools.js';
import type { Frame } from '../waiting/waits.js';
import { type HeldSite, leakSite, leakSiteOf, nestedSite, taskSiteOf } from './leak-site.js';
import { locate } from './place.js';
import type { WaitingLook } from './waiting-look.js';
import { placeOfFrame, textOf } from './waiting-place.js';

/** One finding as a notification: whom to name, what was measured, what to do. */
export async function* draftOf(see: OperatorView, found: Finding, seen: WaitingLook): Step<NotificationDraft> {
  const nested = isLocked(found) && !isFlowing(found) ? yield* nestedSite(see, found, seen.scripts) : undefined;
  const site = nested ?? (isHeld(found) && !found.agent ? yield* heldSite(see, found, seen) : undefined);
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
  const held = isOwn || !finding.holder ? undefined : yield* placeOfHolder(see, finding.holder);
  const seenAt =
    named && !held ? yield* placeOfFrame(see, named, named === finding.place ? finding.user.slice(1) : []) : undefined;
  const taker = yield* takerSite(see, finding);
  const culprit = leak ?? queue ?? taker ?? seenAt ?? held;
  const related: CodeLocation[] = [];
  for (const frame of relatedFrames(finding, leak || queue || taker ? undefined : named)) {
    const other = yield* placeOfFrame(see, frame);
    if (other.line !== culprit?.line || other.file !== culprit.file) related.push(other);
  }
  const { seen: seenHere, ...words } = (WORDS[finding.faultClass] ?? plainWords)(finding, nameOf(culprit), site?.why);
  const packageName = culprit?.package ?? finding.package;
  return {
    ...words,
    ...(taker ? { title: `${nameOf(taker)} takes jobs out of a list and does not settle each of their promises` } : {}),
    ...(held && finding.holder && !isFlowing(finding) ? { title: takenTitle(finding.holder, held) } : {}),
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
    confidence: finding.confidence,
  };
}

const isLocked = ({ faultClass, holder }: Finding): boolean =>
  holder !== undefined && (faultClass === 'waiting.lock' || faultClass === 'queue.backlog');

/** The text tells a pool from a lock, and a limiter that waits for itself from one with too much to do. */
function classOf({ faultClass }: Finding, site: HeldSite | undefined): FaultClass {
  if (site?.why === 'nested') return 'waiting.lock';
  return site?.isThing ? 'pool.exhaustion' : faultClass;
}

/** Where it is taken: by those who were seen waiting, else by whoever names the holder in the application's text. */
async function* heldSite(see: OperatorView, finding: Finding, { scripts }: WaitingLook): Step<HeldSite | undefined> {
  const given = yield* taskSiteOf(see, finding, scripts);
  if (given) return given;
  const seen = finding.standstill ? undefined : yield* leakSite(see, finding);
  // Those who wait may not be those who took: others take from the same holder in files where nobody waits.
  return seen ?? (isFlowing(finding) ? undefined : yield* leakSiteOf(see, finding, scripts));
}

/** The end of the promise lies in a list, and the list is empty: whoever took it out of there has dropped it. */
async function* takerSite(see: OperatorView, { faultClass, maker, holder }: Finding): Step<CodeLocation | undefined> {
  if (faultClass !== 'waiting.unsettled' || maker?.kind !== 'user' || holder) return undefined;
  const script = yield* textOf(see, maker.url);
  const taker = script && takerOf(script.text, { line0: maker.line - 1, column0: maker.column - 1 });
  if (!taker) return undefined;
  return locate(script, { scriptId: '', url: maker.url, line: taker.line0, column: taker.column0 }, see.target.cwd);
}

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
  for (const frame of user.slice(0, MOST_LOOPS)) {
    const script = yield* textOf(see, frame.url);
    if (script && isInLoop(script.text, frame.line - 1, frame.column - 1)) return frame;
  }
  // What a package calls for each item is a resolver or a hook.
  return (waits && !isOneByOne(waits) ? waits.entry : undefined) ?? user[0];
}

const MOST_LOOPS = 4;

const isCritical = ({ flow, standstill }: Finding): boolean =>
  standstill === true || (flow !== undefined && flow.out === 0 && flow.in > 0);

interface Words {
  readonly title: string;
  /** The class' own fact, beside the flow of the route. */
  readonly seen: string;
  readonly hypothesis: string;
  readonly fix: string;
}

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

type Why = HeldSite['why'] | undefined;

const nestedWords = (finding: Finding, name: string): Words => ({
  title: `A job in ${name} waits for another job of the same limiter or lock: once all places are taken by such, none ever ends`,
  seen: finding.holder ? `${finding.holder.waiting} wait in \`${finding.holder.name}.${finding.holder.queue}\`.` : '',
  hypothesis: 'The inner job can only begin when an outer one ends, and the outer one ends only after the inner one.',
  fix: 'Do not ask for the same limiter or lock while under it: call the unlimited function inside, or give the inner work a limiter of its own.',
});

const WORDS: { readonly [faultClass: string]: (finding: Finding, name: string, why: Why) => Words } = {
  'waiting.lock': (finding, name, why) =>
    why === 'nested'
      ? nestedWords(finding, name)
      : {
          title:
            why === 'waits-elsewhere'
              ? `${name} holds a lock while it waits for something else`
              : why === 'leaks'
                ? `${name} takes a lock and does not always give it back`
                : (finding.flow?.out ?? 0) > 0
                  ? `Requests queue for a lock in ${name}: what happens under it takes too long for one at a time`
                  : `Requests wait for a lock in ${name} that is not given back`,
          seen: finding.holder
            ? `${finding.holder.waiting} wait in \`${finding.holder.name}.${finding.holder.queue}\`.`
            : '',
          hypothesis:
            (finding.flow?.out ?? 0) > 0
              ? 'The lock goes round, but slower than requests come.'
              : 'Somebody returned or threw without releasing, or holds the lock while waiting for something that does not come.',
          fix: 'Release in a finally block that covers every way out, and do not wait for slow things while holding it.',
        },
  'waiting.unsettled': ({ place, maker }, name) => ({
    title:
      place || maker ? `A promise made in ${name} is never settled` : 'Requests are held that nothing will ever answer',
    seen: '',
    hypothesis:
      'A path calls neither resolve nor reject: a callback that is forgotten, an event that does not come, or an early return.',
    fix: 'Settle the promise on every path (also on error, close and timeout), or race it with a time limit.',
  }),
  'pool.exhaustion': poolWords,
  'downstream.slow': ({ call, waits }, name) => ({
    title: `${name} waits for slow answers${call ? ` from ${call.host}` : ''}`,
    seen: call
      ? `${call.count} calls of ${call.target}: ${call.answered > 0 ? `answered after ${sayMs(call.p50Ms)} (median)` : 'none answered'}, ${call.open} still open, the oldest for ${sayMs(call.oldestOpenMs)}.`
      : `One wait takes ${sayMs(waits?.meanMs ?? 0)} on average.`,
    hypothesis: 'The other side is slow or does not answer; the process itself only waits.',
    fix: 'Give the call a time limit and a fallback, and look at the other side.',
  }),
  'downstream.retries': ({ call }, name) => ({
    title: `${name} repeats failing calls${call ? ` to ${call.host}` : ''}`,
    seen: call
      ? `${call.failed} of ${call.count} calls of ${call.target} failed, ${call.perRequest} calls per request, ${sayMs(call.gapMs)} between them.`
      : '',
    hypothesis:
      'Every failure is tried again at once or after a fixed pause, so that an ailing peer gets a multiple of the load.',
    fix: 'Limit the attempts, back off with jitter, and stop calling for a while after repeated failures (circuit breaker).',
  }),
  'downstream.chatty': ({ waits }, name) => ({
    title: `${name} asks ${waits && isOneByOne(waits) ? 'one after the other' : 'for each item by itself, all at once'}: ${waits?.perRequest ?? 0} round trips per request`,
    seen: waits
      ? `${waits.perRequest} waits per request at one place, ${sayMs(waits.meanMs)} each, overlap ${waits.overlap}: ${sayShare(waits.share)} of the request's ${sayMs(waits.wallMs)}.`
      : '',
    hypothesis: 'One call is made per item (N+1).',
    fix: 'Ask for all items in one call (a batch endpoint, IN (…), a DataLoader), or ask for each item once and with a limit.',
  }),
  'exceptions.swallowed': (_, name) => ({
    title: `Requests are left without an answer after an error past ${name}`,
    seen: 'Nothing pending belongs to them any more.',
    hypothesis: 'An error was thrown after this line and no handler answers the request.',
    fix: 'Pass the error on to the framework (next(error), reject) or answer in a catch block.',
  }),
  'queue.backlog': ({ flow, holder, overlap }, name) => {
    if (overlap)
      return {
        title: `Runs of ${name} lie over each other: a timer begins one every ${sayMs(overlap.everyMs)} and none of the last ${overlap.runs} has ended`,
        seen: `${overlap.runs} runs began in the window, one every ${sayMs(overlap.everyMs)}; none of them ended in it.`,
        hypothesis: 'The timer does not wait for the run before, and a run takes longer than the pause between two.',
        fix: "Begin the next run when the last one has ended (setTimeout at its end, or the scheduler's own protection against overlaps).",
      };
    const seen = holder ? `${holder.waiting} wait in \`${holder.name}.${holder.queue}\`.` : '';
    if (flow && flow.out > 0)
      return {
        title: `Work queues up faster in ${name} than it is done`,
        seen,
        hypothesis: 'More is put in than the consumers take out.',
        fix: 'Bound the queue, refuse or slow down the producers, or add consumers.',
      };
    return {
      title: `What the queue of ${name} works on does not come back, and all others wait behind it`,
      seen,
      hypothesis: 'A path through the worker neither calls its callback nor settles its promise.',
      fix: 'Make the worker end on every path (also on early returns and errors), and give each job a time limit.',
    };
  },
};

function poolWords({ agent, holder, silent }: Finding, name: string, why: Why): Words {
  if (agent) {
    const unread = agent.unread > 0;
    return {
      title: unread
        ? `${name} never reads the answers of ${agent.host}, so its sockets are not given back`
        : `${name} waits for a socket: the agent's ${agent.maxSockets} are in use`,
      seen: `${agent.used} of ${agent.maxSockets || 'unlimited'} sockets to ${agent.host} are in use, ${agent.queued} requests are queued, ${agent.unread} answers are unread.`,
      hypothesis: unread
        ? 'A socket goes back to its agent only when the body has been read or destroyed.'
        : 'The agent allows fewer sockets than are needed at once, or those in use wait for answers that do not come.',
      fix: unread
        ? 'Read or destroy every body, also on an error status (response.resume(), body.cancel()).'
        : 'Give every call a time limit, so that a silent peer gives its socket back; raise maxSockets to what the peer can bear.',
    };
  }
  const unreadBytes = holder?.numbers.unreadBytes ?? 0;
  if (unreadBytes > 0) {
    return {
      title: `${name} does not read all answers it gets, so its connections are not given back`,
      seen: `${holder?.waiting ?? 0} calls wait in \`${holder?.name ?? ''}.${holder?.queue ?? ''}\`, whose connection has received ${sayBytes(unreadBytes)} that nobody reads.`,
      hypothesis: 'A connection is free again only when the body of its answer has been read or destroyed.',
      fix: 'Read or destroy every body, also on an error status (body.dump(), body.cancel(), response.resume()).',
    };
  }
  const state = holder && poolState(holder);
  if (why === 'tasks')
    return {
      title: `All ${state?.max ?? ''} workers of the pool that ${name} gives its tasks to are taken`,
      seen: `${state?.waiting ?? 0} tasks wait in \`${state?.name ?? ''}\`.`,
      hypothesis:
        'Tasks begin faster than the workers end them, or some tasks never end: an event that does not come, a promise nobody settles.',
      fix: 'Give each task a time limit, make the task settle on every path, and bound the queue of the pool.',
    };
  return {
    title:
      why === 'waits-elsewhere'
        ? `${name} keeps a pool's connection while it waits for something else`
        : why === 'leaks' || silent
          ? `${name} takes connections from a pool and does not always give them back`
          : `The pool that ${name} waits for is exhausted`,
    seen: state
      ? `\`${state.name}\`: ${state.max === undefined ? 'nothing is free' : `${state.used ?? 'all'} of ${state.max} in use, ${state.idle ?? 0} idle`}, ${state.waiting} waiting.`
      : '',
    hypothesis: silent
      ? `Its ${silent.count} sockets to ${silent.peer} moved no byte in the window: they are held, not used.`
      : 'Connections are held longer than the demand allows.',
    fix: 'Release in a finally block on every way out; do not hold a connection while waiting for other things; then size the pool.',
  };
}

const plainWords = ({ faultClass }: Finding, name: string): Words => ({
  title: `${faultClass} in ${name}`,
  seen: '',
  hypothesis: '',
  fix: '',
});

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
function metricsOf({ flow, requests, oldestMs, holder, call, waits, overlap, silent }: Finding): Metric[] {
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
  if (silent) metrics.push({ name: 'silent sockets', value: silent.count, unit: 'sockets' });
  return metrics;
}

const nameOf = (culprit: CodeLocation | undefined): string =>
  culprit ? `\`${culprit.function || culprit.file}\`` : 'the process';
