import { shortened } from '../llm/fence.js';
import type { ModelCall } from '../llm/provider.js';

const REPEATS = 3;
const EARLIER_CHARS = 500;

/** Counts equal calls, and keeps what was answered. */
export class Repeats {
  readonly #known = new Map<string, { count: number; answer: string }>();

  /** The earlier answer when the same call comes a third time; ending is always possible. */
  refusalOf(call: ModelCall): string | undefined {
    const entry = this.#entry(call);
    if (++entry.count < REPEATS || call.name === 'done') return undefined;
    return `The same call was answered before, and nothing has changed: ${entry.answer}`;
  }

  answered(call: ModelCall, text: string): void {
    this.#entry(call).answer = shortened(text, EARLIER_CHARS);
  }

  /** Time has passed: the same call may have another answer. */
  forget(): void {
    for (const entry of this.#known.values()) entry.count = 0;
  }

  #entry(call: ModelCall): { count: number; answer: string } {
    const key = `${call.name} ${call.malformed ?? JSON.stringify(call.args)}`;
    const entry = this.#known.get(key) ?? { count: 0, answer: '' };
    this.#known.set(key, entry);
    return entry;
  }
}
