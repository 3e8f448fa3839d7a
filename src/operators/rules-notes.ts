import type { Redactor } from '../base/redact.js';
import { asText, fence, shortened } from '../llm/fence.js';
import type { Evidence } from '../model/evidence/index.js';
import type { Conclusion, ToolCall } from '../model/skill.js';
import type { Snapshot } from '../model/snapshot.js';

/** What the rules noticed goes into the first message whole; what they read by its ids: `reading` has the rest. */
const RULES_CHARS = 2400;
const SNAPSHOT_CHARS = 160;

/** What a model is told of the rules that looked before it, without secrets. */
export class RulesNotes {
  readonly #redactor: Pick<Redactor, 'deep'>;
  readonly #noticed: string[] = [];
  readonly #pictures: string[] = [];
  readonly #read = new Map<string, string>();

  constructor(redactor: Pick<Redactor, 'deep'>) {
    this.#redactor = redactor;
  }

  /** Keeps a call of the rules and its answer, cleaned before anything is cut: half a secret looks like none. */
  add(call: ToolCall, value: unknown): void {
    const [said, answer] = [this.#redactor.deep(call), this.#redactor.deep(value)];
    if (said.tool === 'send_notification') this.#noticed.push(notificationText(said.notification, answer));
    else if (said.tool === 'ask' && isEvidence(answer)) this.#read.set(answer.id, readingText(answer));
    else if (said.tool === 'take_snapshot' && isSnapshot(answer)) this.#pictures.push(pictureText(answer));
  }

  report({ outcome, summary }: Conclusion): string {
    // A finding's summary says what its notification says; and what was noticed comes first, for what is cut is the end.
    const concluded = this.#noticed.length > 0 ? outcome : `${outcome}: ${summary}`;
    const read = this.#read.size > 0 ? [`- readings: ${[...this.#read.values()].join(', ')}`] : [];
    const lines = [concluded, ...this.#noticed, ...this.#pictures, ...read];
    return `The rules have concluded: ${fence(lines.join('\n'), RULES_CHARS)}`;
  }
}

type Draft = Extract<ToolCall, { tool: 'send_notification' }>['notification'];

function notificationText({ title = '', observation, culprit, severity, faultClass, evidenceIds }: Draft, id: unknown) {
  const place = culprit ? ` at ${culprit.file}:${culprit.line}` : '';
  const about = `${severity}, ${faultClass}, evidence ${evidenceIds.join(' ')}`;
  return `- notification ${String(id)} (${about}): ${title} ${observation}${place}`;
}

function readingText({ id, status, reason }: Evidence): string {
  if (status === 'ok') return id;
  return `${id} (${status}${reason ? `: ${shortened(reason, REASON_CHARS)}` : ''})`;
}

const REASON_CHARS = 160;

const pictureText = ({ id, data }: Snapshot) => `- snapshot ${id}: ${begun(asText(data))}`;

const begun = (text: string) => (text.length > SNAPSHOT_CHARS ? `${text.slice(0, SNAPSHOT_CHARS)}…` : text);

/** A reading, snapshot or notification as a tool answers it. */
export function hasId(value: unknown): value is { readonly id: string } {
  return typeof value === 'object' && value !== null && 'id' in value && typeof value.id === 'string';
}

function isSnapshot(value: unknown): value is Snapshot {
  return hasId(value) && 'data' in value && 'skill' in value;
}

function isEvidence(value: unknown): value is Evidence {
  return hasId(value) && 'kind' in value && 'status' in value;
}
