import { addTokens } from '../model/model-use.js';
import { ModelError } from './model-error.js';
import { NO_USAGE, type Provider, type Usage } from './provider.js';

export interface Price {
  /** Dollars per million tokens. */
  readonly input: number;
  readonly output: number;
}

/** By the beginning of a model's id. From the providers' price lists of November 2026; a config file may name others. */
const PRICES: readonly (readonly [string, Price])[] = [
  ['claude-opus-5-5', { input: 4, output: 20 }],
  ['claude-sonnet-5-5', { input: 2, output: 10 }],
  ['claude-haiku-5-5', { input: 0.1, output: 0.5 }],
  ['claude-fable-5', { input: 10, output: 50 }],
];
const CACHE_READ = 0.1;
const CACHE_WRITE = 1.25;

export interface Budget {
  /** Input, output and cached tokens together. */
  readonly tokens?: number;
  readonly dollars?: number;
  readonly calls?: number;
}

export interface Spent {
  readonly calls: number;
  readonly usage: Usage;
  /** Of the calls whose model has a known price. */
  readonly dollars: number;
  /** Models without a known price: their calls are not in `dollars`. */
  readonly unpriced: readonly string[];
}

/** What a run's model calls have used so far; one for all operators, so that a budget is the run's. */
export class Meter {
  #calls = 0;
  #usage: Usage = NO_USAGE;
  #dollars = 0;
  readonly #unpriced = new Set<string>();

  constructor(
    readonly budget: Budget = {},
    readonly prices: readonly (readonly [string, Price])[] = [],
  ) {}

  get spent(): Spent {
    return { calls: this.#calls, usage: this.#usage, dollars: this.#dollars, unpriced: [...this.#unpriced] };
  }

  /** The budget that is used up, in words; undefined while there is some of each. */
  get exhausted(): string | undefined {
    const { tokens, dollars, calls } = this.budget;
    if (calls !== undefined && this.#calls >= calls) return `${calls} model calls`;
    if (tokens !== undefined && total(this.#usage) >= tokens) return `${tokens} tokens`;
    if (dollars !== undefined && this.#dollars >= dollars) return `$${dollars}`;
    return undefined;
  }

  add(model: string, usage: Usage): void {
    this.#calls++;
    this.#usage = addTokens(this.#usage, usage);
    const dollars = this.dollarsOf(model, usage);
    if (dollars === undefined) this.#unpriced.add(model);
    this.#dollars += dollars ?? 0;
  }

  /** Undefined for a model without a known price. */
  dollarsOf(model: string, usage: Usage): number | undefined {
    const price = [...this.prices, ...PRICES].find(([prefix]) => model.startsWith(prefix))?.[1];
    return price && costOf(usage, price);
  }
}

export const total = (usage: Usage) => usage.input + usage.output + usage.cacheRead + usage.cacheWrite;

/** Dollars of one call. */
export function costOf(usage: Usage, price: Price): number {
  const input = usage.input + usage.cacheRead * CACHE_READ + usage.cacheWrite * CACHE_WRITE;
  return (input * price.input + usage.output * price.output) / 1e6;
}

/** Counts every call, and refuses the next one when a budget is used up. */
export function metered(provider: Provider, meter: Meter): Provider {
  return {
    ...provider,
    async complete(request, options) {
      const used = meter.exhausted;
      if (used) throw new ModelError('budget', `The budget of ${used} is used up.`);
      const reply = await provider.complete(request, options);
      meter.add(reply.model, reply.usage);
      return reply;
    },
  };
}
