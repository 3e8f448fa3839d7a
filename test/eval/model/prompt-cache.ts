/** Code and JSON; the providers' tokenizers differ by a fifth around it. */
const CHARS_PER_TOKEN = 3.5;
/** Shorter beginnings are not cached by any provider. */
const LEAST_CACHED_TOKENS = 1024;

export interface PromptTokens {
  /** Paid in full. */
  readonly fresh: number;
  readonly read: number;
  readonly written: number;
}

/**
 * A provider's prompt cache: a request whose beginning was sent before, byte for byte, reads it from there. Only whole
 * parts count (tools with system, then each message), as with cache marks.
 */
export class PromptCache {
  readonly #beginnings = new Set<string>();

  count(parts: readonly string[]): PromptTokens {
    const chars = parts.map(part => part.length);
    const beginnings = parts.map((_, at) => parts.slice(0, at + 1).join('\u0000'));
    const held = beginnings.findLastIndex(text => this.#beginnings.has(text)) + 1;
    const tokens = (from: number, to: number) =>
      Math.round(chars.slice(from, to).reduce((sum, length) => sum + length, 0) / CHARS_PER_TOKEN);
    const [read, rest] = [tokens(0, held), tokens(held, parts.length)];
    // The stable beginning and the whole carry a mark.
    for (const at of [1, parts.length])
      if (tokens(0, at) >= LEAST_CACHED_TOKENS) this.#beginnings.add(beginnings[at - 1] ?? '');
    const cacheable = read + rest >= LEAST_CACHED_TOKENS;
    return cacheable ? { fresh: 0, read, written: rest } : { fresh: rest, read, written: 0 };
  }
}
