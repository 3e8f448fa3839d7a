/** Longest answer to one call that a model reads, in characters; a narrower question gets the rest. */
export const MOST_ANSWER_CHARS = 6000;

/**
 * What came from the target is data: between marks that it can't close itself, and cut where it is long. The system
 * prompt says what the marks mean.
 */
export function fence(text: string, most = MOST_ANSWER_CHARS): string {
  return `<data>\n${shortened(text, most).replace(/<(\/?\s*data)/gi, '‹$1')}\n</data>`;
}

export function shortened(text: string, most: number): string {
  if (text.length <= most) return text;
  return `${text.slice(0, most)}\n… cut: ${most} of ${text.length} characters shown; ask for less.`;
}

/** JSON as text; what can't be JSON is said, never thrown. */
export function asText(value: unknown): string {
  if (typeof value === 'string') return value;
  try {
    return JSON.stringify(value) ?? 'nothing';
  } catch {
    return 'not printable';
  }
}
