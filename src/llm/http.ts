import { kindOfStatus, ModelError, retryAfter, wordsOf } from './model-error.js';

export interface PostOptions {
  readonly signal: AbortSignal;
  readonly headers?: { readonly [name: string]: string };
  /** Silence for this long ends the call, in milliseconds. */
  readonly idleMs: number;
  readonly now: () => number;
}

/** More than this in one answer is no answer. */
const MOST_CHARS = 8_000_000;

/** Posts JSON and hands over the lines of the answer as they come. Every failure is a ModelError. */
export async function* postForLines(url: string, body: unknown, options: PostOptions): AsyncGenerator<string> {
  options.signal.throwIfAborted();
  const silence = new AbortController();
  let timer = setTimeout(() => silence.abort(), options.idleMs);
  const heard = () => {
    clearTimeout(timer);
    timer = setTimeout(() => silence.abort(), options.idleMs);
  };
  try {
    yield* lines(await post(url, body, options, AbortSignal.any([options.signal, silence.signal])), heard);
  } catch (error) {
    options.signal.throwIfAborted();
    if (error instanceof ModelError) throw error;
    if (silence.signal.aborted) throw new ModelError('timeout', `The model was silent for ${options.idleMs / 1000} s.`);
    throw new ModelError('network', `The model at ${new URL(url).host} could not be reached: ${causeOf(error)}`, {
      cause: error,
    });
  } finally {
    clearTimeout(timer);
  }
}

async function post(url: string, body: unknown, { headers, now }: PostOptions, signal: AbortSignal): Promise<Response> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
    signal,
    // A redirect would carry the prompt, and the key, to somebody else.
    redirect: 'error',
  });
  if (response.ok) return response;
  const { status } = response;
  const words = wordsOf(await response.text());
  const wait = retryAfter(response.headers, now());
  throw new ModelError(kindOfStatus(status, words), `The model refused (${status}): ${words}`, {
    status,
    ...(wait !== undefined && { retryAfterMs: wait }),
  });
}

async function* lines(response: Response, heard: () => void): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = '';
  let total = 0;
  for await (const chunk of response.body ?? []) {
    heard();
    // fetch's body yields bytes; its type in @types/node says any.
    const text = decoder.decode(chunk as Uint8Array, { stream: true });
    total += text.length;
    if (total > MOST_CHARS) throw new ModelError('malformed', 'The answer has no end.');
    const parts = (rest + text).split(/\r?\n/);
    rest = parts.pop() ?? '';
    yield* parts;
  }
  if (rest) yield rest;
}

/** `fetch failed` says nothing; its cause does. */
function causeOf(error: unknown): string {
  const inner = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  return inner instanceof Error ? inner.message || inner.name : String(inner);
}

/** Arguments as text: JSON, or JSON in a code fence, or null with what it was. */
export function parseArgs(text: string): { readonly args: never | object | null; readonly malformed?: string } {
  const bare = text.trim().replace(/^```(?:json)?\s*|\s*```$/g, '');
  if (bare === '') return { args: {} };
  try {
    const parsed: unknown = JSON.parse(bare);
    if (typeof parsed === 'object' && parsed !== null) return { args: parsed };
  } catch {
    // Said below.
  }
  return { args: null, malformed: text.slice(0, 500) };
}
