import type { Redactor } from './base/redact.js';
import { sayMs } from './base/say.js';
import type { Coordinated, InvestigateSeat } from './coordinator/investigate.js';
import type { Environment, ModelFlags } from './llm/config.js';
import type { Provider } from './llm/provider.js';
import { settling } from './llm/settling.js';
import type { Emit } from './model/event.js';
import type { Evidence } from './model/evidence/index.js';
import type { Skill } from './model/skill.js';
import type { Snapshot } from './model/snapshot.js';
import type { TargetInfo } from './model/target.js';
import type { OperatorEnv, Planner } from './operators/operator.js';

/** The models of a run as its rooms reach them. What a run without them would never need is loaded on first use. */
export interface Mind {
  /** For people: the models in the order they are asked. */
  readonly model: string;
  /** What the sandbox computed in this run: its numbers may be quoted. */
  readonly answers: readonly unknown[];
  /** A provider whose calls are events of the run, under the name of who asks. */
  provider(by: string): Provider;
  /** A model over the skill's rule planner, which plays first and stays its floor. */
  planner(skill: Skill, rules: Planner, seat: OperatorSeat): Promise<Planner>;
  /** Runs the scripts of an operator's model. */
  execute(seat: OperatorSeat): NonNullable<OperatorEnv['execute']>;
  /** Correlates by model; the rules take what it leaves. */
  coordinate(seat: Omit<InvestigateSeat, 'provider' | 'failed'>): Promise<Coordinated>;
}

export interface OperatorSeat {
  readonly target: TargetInfo;
  readonly reason: string;
  /** The reason, or the coordinator, points at this skill. */
  readonly urgent: boolean;
  readonly signal: AbortSignal;
  readonly evidence: () => ReadonlyMap<string, Evidence>;
  readonly snapshots: () => readonly Snapshot[];
  /** Says that the rules of this skill have concluded; resolves when those of all have, with whether a cause is known. */
  readonly rulesConcluded: () => Promise<boolean>;
}

export interface MindEnv {
  readonly now: () => number;
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  readonly random: () => number;
  readonly emit: Emit;
  readonly redactor: Redactor;
}

/**
 * Opens the models that flags, environment and configuration file name; undefined when there are none, which is the
 * normal case. Throws LensError `model-unavailable` under `--require-llm`.
 */
export async function openMind(flags: ModelFlags, environment: Environment, env: MindEnv): Promise<Mind | undefined> {
  if (flags.llm === false && !flags.requireLlm) return undefined;
  const { planModels, readModelFile } = await import('./llm/config.js');
  const plan = await planModels(flags, environment, await readModelFile(environment));
  if (!plan) return undefined;
  const [{ openModel }, { audited }] = await Promise.all([import('./llm/open.js'), import('./llm/audited.js')]);
  const { provider, meter } = await openModel(plan, env);
  return mindOver(plan.choices.map(choice => choice.model).join(', '), env, by =>
    audited(provider, {
      by,
      now: env.now,
      dollarsOf: reply => meter.dollarsOf(reply.model, reply.usage),
      tell: call => env.emit({ type: 'model.called', call }),
    }),
  );
}

/** A mind that sends nothing: it shows each request as it would go out, and the rules do the work. */
export async function dryMind(env: MindEnv, show: (text: string) => void): Promise<Mind> {
  const { showing } = await import('./llm/showing.js');
  return mindOver('none (dry run)', env, by => showing(by, request => show(`${env.redactor.redact(request)}\n`)));
}

/** A run's mind over any provider: the real ones, a dry run, or a script in a test. */
export function mindOver(model: string, env: MindEnv, open: (by: string) => Provider): Mind {
  const provider = (by: string) => settling(open(by));
  const { now, emit, redactor } = env;
  const answers: unknown[] = [];
  return {
    model,
    answers,
    provider,
    async planner(skill, rules, seat) {
      const [{ modelPlanner }, { verifyAnswer, verifyDraft }] = await Promise.all([
        import('./operators/model-planner.js'),
        import('./coordinator/verify.js'),
      ]);
      const check: Parameters<typeof modelPlanner>[1]['check'] = (draft, computed) => {
        const snapshots = new Map(seat.snapshots().map(snapshot => [snapshot.id, snapshot]));
        return verifyDraft(draft, seat.evidence(), { snapshots, answers: computed, author: 'model' });
      };
      const checkWords = (text: string, computed: readonly unknown[]) =>
        verifyAnswer(text, seat.evidence(), [seat.snapshots(), computed]).map(problem => problem.message);
      const checks = { check, checkWords };
      return modelPlanner(skill, { ...seat, ...checks, now, emit, redactor, rules, provider: provider(skill.id) });
    },
    execute: seat => async (skill, code, probe) => {
      const { executeScript } = await import('./operators/execute.js');
      const result = await executeScript(skill, code, probe, { ...seat, now, redactor });
      if (result.ok) answers.push(result.value);
      return result;
    },
    async coordinate(seat) {
      const { coordinate } = await import('./coordinator/investigate.js');
      const failed = (message: string) =>
        emit({ type: 'failure', failure: { where: 'model of the coordinator', message } });
      const coordinated = await coordinate({ ...seat, provider: provider('coordinator'), failed });
      const { followUp } = coordinated;
      if (followUp) emit({ type: 'left.out', what: `look again in ${sayMs(followUp.afterMs)}: ${followUp.reason}` });
      return coordinated;
    },
  };
}
