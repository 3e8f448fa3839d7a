import type { Redactor } from '../base/redact.js';
import { asText, fence, shortened } from '../llm/fence.js';
import type { Evidence } from '../model/evidence/index.js';
import type { Conclusion, ToolCall } from '../model/skill.js';
import { digest } from './base-queries.js';

/** What the rules read goes into the first message: what was noticed, and five readings. */
const RULES_CHARS = 4000;
const READING_CHARS = 500;
const READING_ITEMS = 5;

/** What a model is told of the rules that looked before it, without secrets. */
export class RulesNotes {
  readonly #redactor: Pick<Redactor, 'deep'>;
  readonly #noticed: string[] = [];
  readonly #seen: string[] = [];

  constructor(redactor: Pick<Redactor, 'deep'>) {
    this.#redactor = redactor;
  }

  /** Keeps a call of the rules and its answer, cleaned before anything is cut: half a secret looks like none. */
  add(call: ToolCall, value: unknown): void {
    const [said, answer] = [this.#redactor.deep(call), this.#redactor.deep(value)];
    if (said.tool === 'send_notification') this.#noticed.push(notificationText(said.notification, answer));
    else if (said.tool === 'ask' && isEvidence(answer)) this.#seen.push(readingText(answer));
    else if (said.tool === 'take_snapshot' && hasId(answer))
      this.#seen.push(`- snapshot ${answer.id}: ${shortened(asText(answer), READING_CHARS)}`);
  }

  report({ outcome, summary }: Conclusion): string {
    // What was noticed comes first: what is cut is the end.
    const lines = [...this.#noticed, ...this.#seen];
    const seen = lines.length > 0 ? `\nWhat they noticed and read:\n${lines.join('\n')}` : '';
    return `The rules have concluded: ${fence(`${outcome}: ${summary}${seen}`, RULES_CHARS)}`;
  }
}

type Draft = Extract<ToolCall, { tool: 'send_notification' }>['notification'];

function notificationText({ title = '', observation, culprit, severity, faultClass, evidenceIds }: Draft, id: unknown) {
  const place = culprit ? ` at ${culprit.file}:${culprit.line}` : '';
  const about = `${severity}, ${faultClass}, evidence ${evidenceIds.join(' ')}`;
  return `- notification ${String(id)} (${about}): ${title} ${observation}${place}`;
}

function readingText({ id, kind, status, reason, data }: Evidence): string {
  const read = status === 'ok' || status === 'partial' ? asText(digest(data, READING_ITEMS)) : reason;
  return `- evidence ${id} (${kind}, ${status}): ${shortened(read ?? '', READING_CHARS)}`;
}

/** A reading, snapshot or notification as a tool answers it. */
export function hasId(value: unknown): value is { readonly id: string } {
  return typeof value === 'object' && value !== null && 'id' in value && typeof value.id === 'string';
}

function isEvidence(value: unknown): value is Evidence {
  return hasId(value) && 'kind' in value && 'status' in value;
}
