import type { Message } from './provider.js';

/** Above this much current context, older messages become a digest (DESIGN §7). */
export const COMPACT_ABOVE_TOKENS = 50_000;
export const KEEP_LAST = 5;
/** Code and JSON. */
const CHARS_PER_TOKEN = 3.5;
const DIGEST_CHARS = 8000;
const CALL_CHARS = 120;
const ANSWER_CHARS = 200;

export function estimateTokens(messages: readonly Message[]): number {
  return Math.ceil(JSON.stringify(messages).length / CHARS_PER_TOKEN);
}

/**
 * Older messages as one line a call, ids and all, appended to the first message; the newest stay word for word. Made by
 * code, so that it costs nothing and forgets no id. A call never parts from its answer.
 */
export function compacted(messages: readonly Message[], ids: readonly string[], keepLast = KEEP_LAST): Message[] {
  const [first, ...rest] = messages;
  if (first?.role !== 'user' || rest.length <= keepLast) return [...messages];
  let from = rest.length - keepLast;
  while (rest[from]?.role === 'tool') from++;
  const lines = [...earlierLines(first.text), ...digestLines(rest.slice(0, from))];
  const known = ids.length > 0 ? `Ids you may cite: ${ids.join(', ')}.` : '';
  const digest = `What happened until now, shortened. ${known}\n${newestWithin(lines, DIGEST_CHARS).join('\n')}`;
  return [{ role: 'user', text: `${withoutDigest(first.text)}${MARK}${digest}` }, ...rest.slice(from)];
}

const MARK = '\n\n[Summary of earlier turns]\n';

/** A second compaction takes over the lines of the first. */
function earlierLines(text: string): string[] {
  const at = text.indexOf(MARK);
  return at < 0
    ? []
    : text
        .slice(at)
        .split('\n')
        .filter(line => line.startsWith('- ') && !line.startsWith('- …'));
}

function withoutDigest(text: string): string {
  const at = text.indexOf(MARK);
  return at < 0 ? text : text.slice(0, at);
}

function digestLines(messages: readonly Message[]): string[] {
  const answers = new Map(
    messages.flatMap(message =>
      message.role === 'tool' ? message.answers.map(answer => [answer.id, answer.text] as const) : [],
    ),
  );
  return messages.flatMap(message => {
    if (message.role !== 'assistant') return [];
    const said = message.text ? [`- you said: ${message.text.slice(0, ANSWER_CHARS)}`] : [];
    const calls = message.calls.map(call => {
      const args = JSON.stringify(call.args).slice(0, CALL_CHARS);
      return `- ${call.name}(${args}) → ${(answers.get(call.id) ?? 'no answer').replace(/\s+/g, ' ').slice(0, ANSWER_CHARS)}`;
    });
    return [...said, ...calls];
  });
}

function newestWithin(lines: readonly string[], chars: number): string[] {
  const kept: string[] = [];
  let left = chars;
  for (const line of lines.toReversed()) {
    left -= line.length;
    if (left < 0) return [`- … ${lines.length - kept.length} earlier calls`, ...kept];
    kept.unshift(line);
  }
  return kept;
}
