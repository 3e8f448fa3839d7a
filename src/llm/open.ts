import type { Redactor } from '../base/redact.js';
import { atOnce } from './at-once.js';
import { breaking } from './breaker.js';
import { fallback, roundRobin } from './chain.js';
import type { ModelChoice, ModelPlan } from './config.js';
import { Meter, metered } from './meter.js';
import type { Provider } from './provider.js';
import { redacting } from './redacting.js';
import { retrying } from './retry.js';

export interface OpenEnv {
  readonly now: () => number;
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  readonly random: () => number;
  readonly redactor: Redactor;
}

export interface OpenModel {
  readonly provider: Provider;
  readonly meter: Meter;
}

/** Of one run, cached ones included: ten times what the longest scripted investigation took. */
const MOST_TOKENS = 500_000;

/** A model that says nothing for this long is gone: the longest thinking before a first token seen was under a minute. */
const IDLE_MS = 90_000;

/**
 * The providers of a plan as one: each with its own breaker and retries, chained, counted, and with every text redacted
 * before any of them sees it. Loads only the SDKs that the plan needs.
 */
export async function openModel(plan: ModelPlan, env: OpenEnv): Promise<OpenModel> {
  const [first, ...rest] = await Promise.all(plan.choices.map(choice => single(choice, env)));
  const meter = new Meter(
    {
      tokens: plan.maxTokens ?? MOST_TOKENS,
      ...(plan.maxDollars !== undefined && { dollars: plan.maxDollars }),
    },
    plan.prices,
  );
  // `choices` holds at least one.
  const all: [Provider, ...Provider[]] = [first!, ...rest];
  const chained = plan.strategy === 'round-robin' ? roundRobin(all) : fallback(all);
  return { provider: redacting(metered(atOnce(chained), meter), env.redactor), meter };
}

async function single(choice: ModelChoice, env: OpenEnv): Promise<Provider> {
  return retrying(breaking(await wire(choice, env), env.now), env);
}

async function wire({ provider, model, baseUrl, apiKey }: ModelChoice, { now }: OpenEnv): Promise<Provider> {
  const common = { model, now, idleMs: IDLE_MS };
  if (provider === 'ollama') {
    const { ollama } = await import('./ollama.js');
    return ollama({ ...common, ...(baseUrl && { baseUrl }) });
  }
  if (provider === 'openai') {
    const { openAiCompatible } = await import('./openai.js');
    return openAiCompatible({ ...common, baseUrl: baseUrl ?? 'https://api.openai.com/v1', ...(apiKey && { apiKey }) });
  }
  const { anthropic } = await import('./anthropic.js');
  return anthropic({ ...common, apiKey: apiKey ?? '', ...(baseUrl && { baseUrl }) });
}
