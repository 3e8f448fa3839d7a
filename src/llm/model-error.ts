export type ModelErrorKind =
  /** 401, 403: no retry helps. */
  | 'credentials'
  /** 400, 404, 422: this request will never pass. */
  | 'request'
  /** 400: the tools' grammar is too large; the same request without `strict` may pass. */
  | 'grammar'
  /** 413, or more tokens than the window holds. */
  | 'too-large'
  | 'rate-limit'
  | 'overloaded'
  | 'server'
  | 'network'
  | 'timeout'
  /** The answer broke off or is not what the protocol says. */
  | 'malformed'
  /** A budget of tokens or money is used up. */
  | 'budget'
  /** The breaker is open: nobody was asked. */
  | 'resting';

const TRANSIENT: ReadonlySet<ModelErrorKind> = new Set([
  'rate-limit',
  'overloaded',
  'server',
  'network',
  'timeout',
  'malformed',
]);

export interface ModelErrorDetails {
  readonly status?: number;
  readonly retryAfterMs?: number;
  readonly cause?: unknown;
}

/** A model that did not answer. The message never holds a key. */
export class ModelError extends Error {
  override readonly name = 'ModelError';
  readonly status: number | undefined;
  readonly retryAfterMs: number | undefined;

  constructor(
    readonly kind: ModelErrorKind,
    message: string,
    details: ModelErrorDetails = {},
  ) {
    super(message, { cause: details.cause });
    this.status = details.status;
    this.retryAfterMs = details.retryAfterMs;
  }

  /** True when the same request may pass a little later. */
  get transient(): boolean {
    return TRANSIENT.has(this.kind);
  }
}

const OVERLOADED = 529;
const TOO_MUCH = /too (?:long|large|many tokens)|context (?:length|window)|maximum context|prompt is too/i;
const GRAMMAR = /grammar|strict|schema.{0,40}(?:complex|unsupported|not supported)/i;

/** What an HTTP status and the words beside it mean. */
export function kindOfStatus(status: number, words: string): ModelErrorKind {
  if (status === 401 || status === 403) return 'credentials';
  if (status === 413) return 'too-large';
  if (status === 429) return 'rate-limit';
  if (status === OVERLOADED || status === 503) return 'overloaded';
  if (status === 408) return 'timeout';
  if (status >= 500) return 'server';
  // First: a grammar that is "too large" is not a prompt that is.
  if (GRAMMAR.test(words)) return 'grammar';
  return TOO_MUCH.test(words) ? 'too-large' : 'request';
}

/** `retry-after` in seconds or as a date, or `retry-after-ms`; undefined when absent or nonsense. */
export function retryAfter(headers: { get(name: string): string | null }, now: number): number | undefined {
  const ms = Number(headers.get('retry-after-ms') ?? Number.NaN);
  if (Number.isFinite(ms) && ms >= 0) return ms;
  const text = headers.get('retry-after');
  if (text === null) return undefined;
  const seconds = Number(text);
  const wait = Number.isFinite(seconds) ? seconds * 1000 : Date.parse(text) - now;
  return Number.isFinite(wait) && wait >= 0 ? wait : undefined;
}

/** The first words of an error body, whichever shape it has. */
export function wordsOf(body: string): string {
  try {
    // An error body is anybody's JSON; each step is checked.
    const parsed = JSON.parse(body) as { error?: { message?: unknown } | string; message?: unknown };
    const error = typeof parsed.error === 'object' ? parsed.error?.message : parsed.error;
    const words = error ?? parsed.message;
    if (typeof words === 'string') return words.slice(0, 300);
  } catch {
    // Not JSON: the text itself.
  }
  return body
    .replace(/<[^>]*>/g, ' ')
    .replace(/\s+/g, ' ')
    .trim()
    .slice(0, 300);
}
