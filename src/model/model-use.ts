import { sayCount } from '../base/say.js';

/** Tokens of one call or of many. `input` leaves out what was read from or written to the provider's cache. */
export interface Tokens {
  readonly input: number;
  readonly output: number;
  readonly cacheRead: number;
  readonly cacheWrite: number;
}

/** One call of a model: the audit trail. What was said is not in it; the tools it called are. */
export interface ModelUse {
  /** The operator, or `coordinator`. */
  readonly by: string;
  readonly provider: string;
  readonly model: string;
  readonly tokens: Tokens;
  /** Undefined for a model without a known price. */
  readonly dollars?: number;
  readonly tookMs: number;
  /** Length of what was sent, in characters. */
  readonly requestChars: number;
  readonly tools: readonly string[];
  /** Why there was no answer. */
  readonly error?: string;
}

/** All calls of a run together. */
export interface ModelTotal {
  readonly calls: number;
  readonly tokens: Tokens;
  readonly dollars: number;
  readonly models: readonly string[];
}

/** One call more. */
export function addUse(before: ModelTotal | undefined, use: ModelUse): ModelTotal {
  const { calls = 0, tokens, dollars = 0, models = [] } = before ?? {};
  return {
    calls: calls + 1,
    tokens: addTokens(tokens, use.tokens),
    dollars: dollars + (use.dollars ?? 0),
    models: models.includes(use.model) ? models : [...models, use.model],
  };
}

export function addTokens(a: Tokens | undefined, b: Tokens): Tokens {
  if (!a) return b;
  return {
    input: a.input + b.input,
    output: a.output + b.output,
    cacheRead: a.cacheRead + b.cacheRead,
    cacheWrite: a.cacheWrite + b.cacheWrite,
  };
}

/** What the model reads, all of it, whether paid in full or from a cache. */
export const promptTokens = ({ input, cacheRead, cacheWrite }: Tokens): number => input + cacheRead + cacheWrite;

/** `3 calls, 5 496 tokens read (48 % of them cached), 75 written, $0.012`. */
export function sayUse({ calls, tokens, dollars }: Pick<ModelTotal, 'calls' | 'tokens' | 'dollars'>): string {
  const read = promptTokens(tokens);
  const cached = tokens.cacheRead > 0 ? ` (${Math.round((100 * tokens.cacheRead) / read)} % of them cached)` : '';
  const money = dollars > 0 ? `, $${dollars.toFixed(dollars < 0.1 ? 3 : 2)}` : '';
  const asked = calls === 1 ? '1 call' : `${sayCount(calls)} calls`;
  return `${asked}, ${sayCount(read)} tokens read${cached}, ${sayCount(tokens.output)} written${money}`;
}
