import type { Json } from '../model/json.js';
import { ModelError } from './model-error.js';
import { type ModelReply, type ModelRequest, NO_USAGE, type Provider } from './provider.js';

/** One answer of a script: words, calls, an error to throw, or a function of what was asked. */
export type ScriptStep =
  | { readonly text?: string; readonly calls?: readonly ScriptedCall[]; readonly stop?: ModelReply['stop'] }
  | Error
  | ((request: ModelRequest) => ScriptStep);

export interface ScriptedCall {
  readonly name: string;
  readonly args?: Json;
}

export interface ScriptedProvider extends Provider {
  /** Everything that was asked, oldest first. */
  readonly requests: readonly ModelRequest[];
}

/** A provider that answers from a list, and then says so. The last step repeats when `endless`. */
export function scripted(steps: readonly ScriptStep[], { endless = false } = {}): ScriptedProvider {
  const requests: ModelRequest[] = [];
  return {
    name: 'scripted',
    model: 'scripted-1',
    requests,
    async complete(request, { signal, onText }) {
      signal.throwIfAborted();
      const at = requests.push(request) - 1;
      const step = steps[at] ?? (endless ? steps.at(-1) : undefined);
      if (!step) throw new ModelError('request', 'The script is over.');
      const reply = replyTo(step, request, at);
      if (reply.text) onText?.(reply.text);
      return reply;
    },
  };
}

/** Rough, as every estimate before the provider's own count. */
const CHARS_PER_TOKEN = 3.5;

function replyTo(step: ScriptStep, request: ModelRequest, at: number): ModelReply {
  if (step instanceof Error) throw step;
  if (typeof step === 'function') return replyTo(step(request), request, at);
  const calls = (step.calls ?? []).map((call, nth) => ({
    id: `c${at}-${nth}`,
    name: call.name,
    args: call.args ?? {},
  }));
  const input = Math.ceil(JSON.stringify(request).length / CHARS_PER_TOKEN);
  return {
    text: step.text ?? '',
    calls,
    stop: step.stop ?? (calls.length > 0 ? 'calls' : 'end'),
    usage: { ...NO_USAGE, input, output: 10 },
    provider: 'scripted',
    model: 'scripted-1',
  };
}
