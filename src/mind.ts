import type { Redactor } from './base/redact.js';
import type { Environment, ModelFlags } from './llm/config.js';
import type { Spent } from './llm/meter.js';
import type { Provider } from './llm/provider.js';
import type { Emit } from './model/event.js';

/** The models of a run as its rooms reach them. Everything behind it is loaded when the first is opened. */
export interface Mind {
  /** For people: the models in the order they are asked. */
  readonly model: string;
  /** A provider whose calls are events of the run, under the name of who asks. */
  provider(by: string): Provider;
  readonly spent: () => Spent;
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
  return {
    model: plan.choices.map(choice => choice.model).join(', '),
    spent: () => meter.spent,
    provider: by =>
      audited(provider, {
        by,
        now: env.now,
        dollarsOf: reply => meter.dollarsOf(reply.model, reply.usage),
        tell: call => env.emit({ type: 'model.called', call }),
      }),
  };
}

/** A mind that sends nothing: it shows each request as it would go out, and the rules do the work. */
export function dryMind(redactor: Redactor, show: (text: string) => void): Mind {
  return {
    model: 'none (dry run)',
    spent: () => ({ calls: 0, usage: NOTHING, dollars: 0, unpriced: [] }),
    provider: by => ({
      name: 'dry-run',
      model: 'none',
      async complete(request) {
        show(`${JSON.stringify(redactor.deep({ by, ...request }), null, 2)}\n`);
        return { text: '', calls: [], stop: 'end', usage: NOTHING, provider: 'dry-run', model: 'none' };
      },
    }),
  };
}

const NOTHING = { input: 0, output: 0, cacheRead: 0, cacheWrite: 0 };
