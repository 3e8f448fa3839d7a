import { sayCount, sayShare } from '../base/say.js';
import { lastUserAbove } from '../cpu/blame.js';
import { type CallTree, type Frame, frameAt } from '../cpu/tree.js';
import { byKind, isWork, weigh } from '../cpu/weights.js';
import { isUsable } from '../model/evidence/index.js';
import type { Vitals } from '../model/evidence/vitals.js';
import type { CodeLocation } from '../model/location.js';
import type { NotificationDraft } from '../model/notification.js';
import type { OperatorView, Step } from '../model/skill.js';
import { callsInFunction } from '../source/calls.js';
import { awaitInLoop } from '../source/loops.js';
import { type Cause, explain } from './cause.js';
import { locate } from './place.js';
import { countCalls, type Study } from './study.js';

/** A spinning loop turned 1.4 million times a second, every other one measured at most 1.8 thousand. */
const SPIN_TURNS_PER_SECOND = 20_000;
/** Idle in the profile plus cpu plus waiting for a core: more than all of the time, because a spinning loop reads as idle. */
const SPIN_SUM = 1.2;
/** A spinning loop read 45 to 78 % idle, one that works in slices 0. */
const SPIN_IDLE = 0.2;
const SPIN_ELU = 0.95;
/** One that rests at times does so with far more turns than jobs make that end one by one (21 000 a second were measured). */
const SPIN_AT_TIMES = { elu: 0.5, turnsPerSecond: 80_000 } as const;
/** Share of the work that must stand under one runner of the loop. */
const RUNNER_SHARE = 0.5;
/** A timer this frequent polls; a game's or a metronome's tick is 60. */
const POLLS_PER_SECOND = 250;
/** Below this rate of requests the timers are not theirs: each sets a few at most. */
const TIMERS_A_REQUEST = 4;
/** The reading that those who look at waiting take as well. */
const TRAFFIC = { seconds: 3 } as const;
const TRAFFIC_FRESH_MS = 45_000;
const ROUNDS_SECONDS = 1.25;
/** A poll that takes less of a core harms nobody. */
const POLL_SHARE = 0.1;

/** A loop that turns without pause or polls by timer, and the callback that makes it; undefined otherwise. */
export async function* spin(see: OperatorView, study: Study, data: Vitals): Step<NotificationDraft | undefined> {
  if (isSpinning(study.tree, data, study.evidence.data.cpuPercent)) return yield* immediates(see, study, data);
  return yield* polling(see, study);
}

function isSpinning(tree: CallTree, data: Vitals, cpuPercent = 0): boolean {
  const turns = turnsPerSecond(data);
  if (data.elu < SPIN_ELU)
    return turns !== undefined && turns >= SPIN_AT_TIMES.turnsPerSecond && data.elu >= SPIN_AT_TIMES.elu;
  if (turns !== undefined) return turns >= SPIN_TURNS_PER_SECOND;
  const waited = data.runQueueShare ?? 0;
  const idle = byKind(tree).idle / Math.max(1, tree.durationUs);
  return idle >= SPIN_IDLE && idle + cpuPercent / 100 + waited >= SPIN_SUM;
}

function turnsPerSecond(data: Vitals): number | undefined {
  const counts = data.samples.flatMap(sample => sample.loopCount ?? []);
  return counts.length === 0 ? undefined : counts.reduce((sum, count) => sum + count, 0) / data.seconds;
}

/** Who spins is not always seen; that the loop does is known all the same. */
async function* immediates(see: OperatorView, study: Study, data: Vitals): Step<NotificationDraft> {
  const cause = yield* causeUnder(see, study.tree);
  const turns = turnsPerSecond(data);
  const place = cause && turningPlace(see, cause);
  const where = place ? placed({ place }) : 'A callback';
  const often = turns === undefined ? 'without ever waiting' : `${sayCount(turns)} times a second`;
  return {
    anomalyType: 'spinning-loop',
    faultClass: 'loop.starvation',
    severity: 'critical',
    title: `${where} keeps the event loop spinning: it turns ${often}`,
    context: 'The loop turns, but only to run setImmediate callbacks that schedule the next one.',
    observation: `Utilization is ${sayShare(data.elu)}, cpu ${data.cpuPercent.toFixed(0)} %; the loop turns ${often}. ${cause ? `What it runs is ${where}.` : 'No function of the application was on the stack.'}`,
    hypothesis: 'A callback schedules itself again with setImmediate to wait for something.',
    ...(place ? { culprit: place } : {}),
    ...(cause && place !== cause.place ? { related: [cause.place] } : {}),
    fix: 'Wait for the event itself (a promise, an event, a stream), or poll with a timer of some milliseconds instead of setImmediate.',
    metrics: [
      { name: 'utilization', value: data.elu * 100, unit: '%' },
      { name: 'cpu', value: data.cpuPercent, unit: '%' },
      ...(turns === undefined ? [] : [{ name: 'turns of the loop', value: turns, unit: '/s' }]),
    ],
    evidenceIds: [study.evidence.id],
    mechanism: true,
    confidence: cause ? 'high' : 'medium',
  };
}

/** Whatever is hot beneath: the function that asks for the next turn is what spins, where it says so itself. */
function turningPlace(see: OperatorView, { users, scripts, place, blame }: Cause): CodeLocation {
  const [outer] = users;
  const script = outer && scripts.get(outer.scriptId);
  if (!outer || !script || outer === blame.frame) return place;
  const turn = callsInFunction(script.text, outer.line, outer.column).find(({ method }) => method === 'setImmediate');
  if (!turn) return place;
  const functionName = script.functionName(outer.line, outer.column, outer.functionName) ?? outer.functionName;
  return locate(script, { ...outer, line: turn.line0, column: turn.column0, functionName }, see.target.cwd);
}

/** A timer that fires without pause, and its callback: whatever is hot beneath, the callback is what runs too often. */
export async function* polling(see: OperatorView, study: Study): Step<NotificationDraft | undefined> {
  const { tree, work } = study;
  const underTimers = under(tree, /^(listOnTimeout|processTimers)$/);
  const timers = weigh(tree, at => underTimers[tree.sampleNode[at]!] === 1 && isWork(tree, tree.sampleNode[at]!));
  if (timers.allUs < POLL_SHARE * tree.durationUs || timers.allUs < RUNNER_SHARE * work.allUs) return undefined;
  const holdsUser = (at: number) => lastUserAbove(tree, tree.sampleNode[at]!) >= 0;
  // Node's own part of a short callback is the larger one: who is called tells, not who works.
  const called = weigh(tree, at => underTimers[tree.sampleNode[at]!] === 1 && holdsUser(at));
  const cause = yield* explain(see, tree, called);
  const callback = cause?.users[0];
  const counted = cause && (yield* countCalls(see, study, cause));
  const calls = counted?.lengths.find(length => length.frame === callback)?.count.perSecond ?? 0;
  const rate = cause && callback && calls === 0 ? yield* roundsOf(see, cause, callback) : calls;
  if (!callback || !counted || rate < POLLS_PER_SECOND || (yield* isAnswering(see, rate))) return undefined;
  const script = cause.scripts.get(callback.scriptId);
  const own = callback === cause.blame.frame ? cause.place : locate(script, callback, see.target.cwd);
  const caller = cause.blame.path[cause.blame.path.indexOf(callback) - 1]?.package;
  const place = caller === undefined ? own : { ...own, package: caller };
  const where = placed({ place });
  const share = timers.allUs / tree.durationUs;
  return {
    anomalyType: 'polling-timer',
    faultClass: 'cpu.busy-loop',
    severity: 'warning',
    title: `${where} is run by timers ${sayCount(rate)} times a second`,
    context: 'Counted by a logpoint for a moment; the profile shows what ran under the timers.',
    observation: `Timers run ${where} at least ${sayCount(rate)} times a second and take ${sayShare(share)} of a core.`,
    hypothesis: 'It polls for something that could announce itself.',
    culprit: place,
    ...(own === cause.place ? {} : { related: [cause.place] }),
    fix: 'Wait for the event itself, or poll far less often.',
    metrics: [
      { name: 'timer callbacks', value: rate, unit: '/s' },
      { name: 'share of a core', value: share * 100, unit: '%' },
    ],
    evidenceIds: [study.evidence.id, counted.evidence.id],
    mechanism: true,
    confidence: 'medium',
  };
}

/** An async function that waits for its next round is resumed and never called: its await is counted. */
async function* roundsOf(see: OperatorView, { scripts }: Cause, { scriptId, url, line, column }: Frame): Step<number> {
  const text = scripts.get(scriptId)?.text;
  const at = text === undefined ? undefined : awaitInLoop(text, { line0: line, column0: column });
  if (!at) return 0;
  const functions = [{ scriptId, url, line: at.line0, column: at.column0 }];
  const reading = yield* see.ask('call-counts', { seconds: ROUNDS_SECONDS, functions });
  return isUsable(reading) ? (reading.data.counts[0]?.perSecond ?? 0) : 0;
}

/** Timers of requests fire as often as requests come: then they are a part of serving, and not a poll. */
async function* isAnswering(see: OperatorView, rate: number): Step<boolean> {
  const traffic = yield* see.ask('traffic', TRAFFIC, TRAFFIC_FRESH_MS);
  return isUsable(traffic) && (1000 * traffic.data.requests.length) / traffic.data.windowMs >= rate / TIMERS_A_REQUEST;
}

/** Node's own part of such a turn may be larger than the callback's: only samples that hold the application tell. */
async function* causeUnder(see: OperatorView, tree: CallTree): Step<Cause | undefined> {
  const holdsUser = (at: number) =>
    lastUserAbove(tree, tree.sampleNode[at]!) >= 0 && isWork(tree, tree.sampleNode[at]!);
  const within = RUNNERS.map(runner => under(tree, runner)).map(marks =>
    weigh(tree, at => marks[tree.sampleNode[at]!] === 1 && holdsUser(at)),
  );
  const weights = within.find(({ allUs }) => allUs > 0) ?? weigh(tree, holdsUser);
  const cause = yield* explain(see, tree, weights);
  return cause ?? packaged(yield* explain(see, tree, weigh(tree)));
}

/** What makes the loop turn at once comes first: handlers of requests go on in microtasks as well, and may weigh more. */
const RUNNERS = [/^processImmediate$/, /^(runMicrotasks|processTicksAndRejections)$/] as const;

const packaged = (cause: Cause | undefined): Cause | undefined =>
  cause?.blame.frame.kind === 'package' ? cause : undefined;

/** 1 for nodes at or beneath a Node function of that name. */
function under(tree: CallTree, name: RegExp): Uint8Array {
  const marks = new Uint8Array(tree.nodeCount);
  for (let node = 0; node < tree.nodeCount; node++) {
    const above = tree.parent[node]!;
    const frame = frameAt(tree, node);
    const isRunner = (frame.kind === 'node' || frame.kind === 'native') && name.test(frame.functionName);
    marks[node] = isRunner || (above >= 0 && marks[above]) ? 1 : 0;
  }
  return marks;
}

function placed({ place }: Pick<Cause, 'place'>): string {
  return place.function ? `\`${place.function}\` (${place.file}:${place.line})` : `${place.file}:${place.line}`;
}
