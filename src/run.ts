import type { Gate } from './base/gate.js';
import { reportBlock } from './blocked.js';
import { guard, type Safety } from './collectors/guard.js';
import { collectors } from './collectors/index.js';
import { guardedProbe, type ProbeEnv } from './collectors/probe.js';
import { readVitalsOnce } from './collectors/vitals.js';
import { choose } from './coordinator/choose.js';
import { correlate } from './coordinator/correlate.js';
import { verdictOf } from './coordinator/verdict.js';
import { verifyNotification } from './coordinator/verify.js';
import { saveHeapSnapshot, withHeapReading } from './heap-reading.js';
import { type AttachOptions, type AttachTarget, attach } from './inspector/attach.js';
import { TargetBlockedError } from './inspector/native-block.js';
import type { Session } from './inspector/session.js';
import type { Mind, OperatorSeat } from './mind.js';
import { LensError } from './model/error.js';
import type { Emit } from './model/event.js';
import { type Evidence, isUsable } from './model/evidence/index.js';
import type { Traffic } from './model/evidence/traffic.js';
import type { VitalsSample } from './model/evidence/vitals.js';
import type { Insight } from './model/insight.js';
import type { Json } from './model/json.js';
import { isSure, type Notification } from './model/notification.js';
import type { Probe } from './model/probe.js';
import type { OperatorResult, Report } from './model/report.js';
import type { Skill } from './model/skill.js';
import { withNormal } from './normal-reading.js';
import { Operator, type OperatorEnv, type Planner } from './operators/operator.js';
import { rulePlanner } from './operators/rule-planner.js';
import { reportOf } from './report/report.js';
import type { RunState } from './report/state.js';
import { rounds } from './rounds.js';
import { RuleRound } from './rule-round.js';
import { costBasis, targetCpuMs } from './target-cost.js';
import { isWait, pilingRates as ratesOf } from './waiting/piling.js';

/** What one investigation is to do. */
export interface Plan {
  readonly reason: string;
  readonly skills: readonly Skill[];
  readonly only?: readonly string[];
  readonly safety: Safety;
  readonly maxPauseMs: number;
  /** Keeps a heapSnapshot of the end for DevTools, when the guard admits it. */
  readonly saveHeapSnapshot?: boolean;
}

/** What the outside gives to a run: clock, ids, the stream of events and the two ways to end it early. */
export interface RunEnv {
  readonly now: () => number;
  readonly newId: (prefix: string) => string;
  readonly traceId: string;
  readonly version: string;
  readonly emit: Emit;
  /** The fold of everything emitted so far. */
  readonly state: () => RunState;
  readonly keep: (evidence: Evidence, params: Json) => { readonly data?: Json; readonly path?: string };
  /** Teaches the redactor the secrets of another process than the target. */
  readonly learn?: (pid: number) => void;
  /** Folder for files that readings leave behind; absent: none is taken that leaves one. */
  readonly evidenceDirectory?: string;
  /** Folder where watches keep what they learned; absent: nothing is known of what is normal. */
  readonly watchHome?: string;
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  /** Interrupts the operators; what there is gets concluded. */
  readonly interrupt: AbortSignal;
  /** The models of this run; absent: rules alone. */
  readonly mind?: Mind;
  /** Asks a person about a reading that the guard refuses; absent where nobody can be asked. */
  readonly consent?: (title: string, refusal: string) => Promise<boolean>;
  /** Closed while a person has paused the investigation; absent: it can't be paused. */
  readonly gate?: Gate;
  /** Hands out the run's door to the target, for readings a person asks for. */
  readonly onProbe?: (probe: Probe) => void;
}

/** A loop that has not turned for this long is treated as standing still: far above any pause a healthy program makes. */
const LOOP_ALIVE_MS = 3_000;

/** One investigation: attach, first vitals, operators in parallel, correlate, detach, report. Throws when it can't attach. */
export async function investigate(where: AttachTarget, plan: Plan, env: RunEnv): Promise<Report> {
  env.emit({ type: 'run.started', reason: plan.reason, lens: env.version, planner: env.mind ? 'model' : 'rules' });
  const startedAt = env.now();
  const session = await reach(where, env);
  if (session instanceof TargetBlockedError) return concludeBlocked(session, env);
  try {
    const { target, openedInspector } = session;
    env.emit({ type: 'target.attached', target, openedInspector, attachMs: env.now() - startedAt });
    await lookInto(session, plan, env);
  } finally {
    env.emit({ type: 'target.detached', detached: await session.detach() });
  }
  return finish(env);
}

/** One pass over an attached target: operators, correlation, insights. The session stays open. */
export async function lookInto(session: Session, plan: Plan, env: RunEnv): Promise<void> {
  const operated = await operate(session, plan, env);
  await conclude(operated, session, env);
  if (plan.saveHeapSnapshot) await saveHeapSnapshot(operated.shared);
}

/** Most native blocks end; one that lasts longer than this is reported from outside. */
const BLOCK_ENDS_WITHIN_MS = 8_000;

/** Attaches; a target that sits in native code gets a second chance once the block has ended. `first` is under way. */
export async function reach(
  where: AttachTarget,
  env: Pick<RunEnv, 'interrupt'> & { readonly emit?: Emit },
  first: Promise<Session> = attach(where, attaching(env)),
): Promise<Session | TargetBlockedError> {
  try {
    return await first;
  } catch (error) {
    if (!(error instanceof TargetBlockedError)) throw error;
    if (!(await error.closeWhenOpened(BLOCK_ENDS_WITHIN_MS))) return error;
    return attach(where, attaching(env)).catch(again => {
      if (again instanceof TargetBlockedError) return again;
      throw again;
    });
  }
}

function attaching({ interrupt, emit }: Parameters<typeof reach>[1]): AttachOptions {
  return { signal: interrupt, onWait: why => emit?.({ type: 'target.awaited', why }) };
}

export async function concludeBlocked(error: TargetBlockedError, env: RunEnv): Promise<Report> {
  reportBlock(error, error.block.pid, env);
  const closed = await error.closeWhenOpened(0);
  const residue = closed
    ? []
    : ['A signal is pending: the inspector opens when the call returns. Run lens again then, and it closes it.'];
  env.emit({ type: 'target.detached', detached: { inspectorClosed: closed, residue } });
  return finish(env);
}

interface Operated {
  readonly results: readonly OperatorResult[];
  readonly notifications: readonly Notification[];
  readonly skills: readonly Skill[];
  readonly shared: Shared;
}

async function operate(session: Session, plan: Plan, env: RunEnv): Promise<Operated> {
  const alive = await firstLook(session, env);
  const signal = AbortSignal.any([env.interrupt, session.lost]);
  const evidence = new Map<string, Evidence>();
  const { skills, urgent, why } = choose(plan.skills, plan.reason, plan.only);
  const blackboard: Notification[] = [];
  const causeKnown = () => !urgent.has('heap') && blackboard.some(isSure);
  const rules = new RuleRound(() => blackboard.some(isSure));
  const pilingRates = () => (blackboard.some(one => isSure(one) && isWait(one)) ? ratesIn(evidence) : []);
  const probe = probeFor(session, plan, { ...env, causeKnown, pilingRates }, signal, evidence);
  env.onProbe?.(probe);
  const shared: Shared = { probe, signal, blackboard, reason: plan.reason, evidence, rules };
  const run = (some: readonly Skill[], because: string, hung: boolean) => {
    env.emit({ type: 'skills.chosen', skills: some.map(s => s.id), why: because });
    return Promise.all(some.map(skill => runOperator(skill, hung || urgent.has(skill.id), shared, session, env)));
  };
  const able = alive ? skills : skills.filter(skill => skill.whileHung);
  const results = await run(able, why, !alive);
  const later = skills.filter(skill => !able.includes(skill));
  const turns = later.length > 0 && !signal.aborted && (await loopTurns(session));
  if (turns) results.push(...(await run(later, 'the event loop turns again: the others look now', false)));
  return {
    results: results.flatMap(r => r ?? []),
    notifications: shared.blackboard,
    skills: turns ? skills : able,
    shared,
  };
}

function ratesIn(evidence: ReadonlyMap<string, Evidence>): number[] {
  const traffic = [...evidence.values()].findLast(({ kind }) => kind === 'traffic');
  return isUsable(traffic) ? ratesOf(traffic.data as Traffic) : []; // the kind says what the data is
}

const loopTurns = (session: Session): Promise<boolean> =>
  session.loopTurns(LOOP_ALIVE_MS).catch(() => session.lost.aborted);

/** The numbers a person wants within half a second; false when the event loop stands still. */
async function firstLook(session: Session, env: RunEnv): Promise<boolean> {
  // A target that is lost right now is told as lost further on, with a report.
  const turning = loopTurns(session);
  try {
    env.emit({ type: 'vitals.read', vitals: plainVitals(await readVitalsOnce(session)) });
  } catch (error) {
    env.emit({ type: 'failure', failure: { where: 'first vitals', message: messageOf(error) } });
  }
  return turning;
}

/** The numbers of a sample that stand alone: what a header shows and a sparkline draws. */
function plainVitals(sample: VitalsSample): { readonly [name: string]: number } {
  return Object.fromEntries(
    Object.entries(sample).filter((entry): entry is [string, number] => typeof entry[1] === 'number'),
  );
}

export function probeFor(
  session: Session,
  plan: Plan,
  env: RunEnv & Pick<ProbeEnv, 'causeKnown' | 'pilingRates'>,
  signal: AbortSignal,
  kept: Map<string, Evidence>,
): Probe {
  return guardedProbe({
    session,
    collectors: withNormal(withHeapReading(collectors, env), env.watchHome),
    guard: guard(plan.safety, plan.maxPauseMs),
    basis: thread => costBasis(session, thread),
    cpuMs: () => targetCpuMs(session.target.pid),
    now: env.now,
    newId: env.newId,
    emit: env.emit,
    signal,
    sleep: ms => env.sleep(ms, signal),
    ...(env.gate && { gate: env.gate }),
    ...(env.causeKnown && { causeKnown: env.causeKnown }),
    ...(env.pilingRates && { pilingRates: env.pilingRates }),
    ...(env.consent === undefined ? {} : { consent: env.consent }),
    keep(evidence, params) {
      kept.set(evidence.id, evidence);
      return env.keep(evidence, params);
    },
  });
}

interface Shared {
  readonly probe: Probe;
  readonly signal: AbortSignal;
  readonly blackboard: Notification[];
  readonly reason: string;
  readonly evidence: ReadonlyMap<string, Evidence>;
  readonly rules: RuleRound;
}

/** One operator from start to result; one that breaks is an entry in the report, never the end of the run. */
async function runOperator(
  skill: Skill,
  urgent: boolean,
  shared: Shared,
  session: Session,
  env: RunEnv,
): Promise<OperatorResult | undefined> {
  const seat: OperatorSeat = {
    target: session.target,
    reason: shared.reason,
    urgent,
    signal: shared.signal,
    evidence: () => shared.evidence,
    snapshots: () => env.state().snapshots,
    async rulesConcluded() {
      shared.rules.leave(skill);
      return shared.rules.over();
    },
  };
  const operatorEnv: OperatorEnv = {
    ...shared,
    ...(env.mind && { execute: env.mind.execute(seat) }),
    target: session.target,
    urgent,
    emit: env.emit,
    now: env.now,
    newId: env.newId,
    traceId: env.traceId,
    sleep: ms => env.sleep(ms, shared.signal),
    pass: () => env.gate?.pass() ?? Promise.resolve(),
  };
  let operator: Operator | undefined;
  shared.rules.begin(skill);
  const rules = rulePlanner(skill, {
    target: session.target,
    reason: shared.reason,
    urgent,
    evidenceIds: () => operator?.evidenceIds ?? [],
  });
  try {
    const planner: Planner = env.mind ? await env.mind.planner(skill, rules, seat) : rules;
    operator = new Operator(skill, planner, operatorEnv);
    return await operator.run();
  } catch (error) {
    env.emit({ type: 'failure', failure: { where: `operator ${skill.id}`, message: messageOf(error) } });
    return undefined;
  } finally {
    shared.rules.leave(skill);
  }
}

async function conclude(operated: Operated, session: Session, env: RunEnv): Promise<void> {
  if (session.lost.aborted) env.emit({ type: 'target.lost', reason: messageOf(session.lost.reason) });
  const insights = env.mind
    ? await thinkInRounds(env.mind, operated, session, env)
    : correlate(verifiedOf(operated, env), env.newId);
  for (const insight of insights) env.emit({ type: 'insight.produced', insight });
}

function verifiedOf({ notifications, shared }: Operated, env: RunEnv): Notification[] {
  return notifications.flatMap(said => verified(said, shared, env) ?? []);
}

/** Undefined for what doesn't stand; the report says that it was dropped. */
function verified(said: Notification, { evidence, blackboard }: Shared, env: RunEnv): Notification | undefined {
  const snapshots = new Map(env.state().snapshots.map(s => [s.id, s]));
  // A model may quote what the rules computed.
  const measured = said.author === 'model' ? blackboard.filter(one => one.author !== 'model') : [];
  const answers = [...(env.mind?.answers ?? []), ...measured];
  const { ok, notification } = verifyNotification(said, evidence, { snapshots, answers });
  if (ok) return notification;
  const message = `dropped: ${said.observation}`;
  env.emit({ type: 'failure', failure: { where: `verification of ${said.operator}`, message } });
  return undefined;
}

function thinkInRounds(mind: Mind, operated: Operated, session: Session, env: RunEnv): Promise<readonly Insight[]> {
  const { results, skills, shared } = operated;
  const judged = new Map<string, Notification | undefined>();
  return rounds(mind, {
    ...shared,
    target: session.target,
    skills,
    results,
    newId: env.newId,
    sleep: (ms, until) => env.sleep(ms, AbortSignal.any([shared.signal, until])),
    // Each is judged once: a dropped one is told once.
    notifications: () =>
      shared.blackboard.flatMap(said => {
        if (!judged.has(said.id)) judged.set(said.id, verified(said, shared, env));
        return judged.get(said.id) ?? [];
      }),
    // Whom the coordinator asks is to think, whatever is known.
    operate: (skill, reason) =>
      runOperator(skill, true, { ...shared, reason, rules: new RuleRound(() => false) }, session, env),
  });
}

/** Folds the run's state into its report and emits it. */
export function finish(env: RunEnv): Report {
  const state = env.state();
  const results = state.operators.flatMap(o => (o.result ? [o.result] : []));
  const report = reportOf(state, verdictOf(state.insights, results, state.lost !== undefined), env.now());
  env.emit({ type: 'run.finished', report });
  return report;
}

function messageOf(error: unknown): string {
  if (error instanceof LensError) return error.message;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
