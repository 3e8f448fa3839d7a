import type { Redactor } from '../base/redact.js';
import type { Json } from '../model/json.js';
import type { Message, ModelReply, ModelRequest, Provider } from './provider.js';

type Censor = Pick<Redactor, 'redact' | 'restore'>;

/** The one choke point: nothing reaches a provider but through here, and answers come back with the true words. */
export function redacting(provider: Provider, redactor: Censor): Provider {
  const hide = (text: string) => redactor.redact(text);
  const show = (text: string) => redactor.restore(text);
  return {
    ...provider,
    async complete(request, options) {
      const reply = await provider.complete(hidden(request, hide), options);
      return shown(reply, show);
    },
  };
}

type Rewrite = (text: string) => string;

function hidden(request: ModelRequest, hide: Rewrite): ModelRequest {
  return {
    ...request,
    system: hide(request.system),
    tools: request.tools.map(tool => ({ ...tool, description: hide(tool.description) })),
    messages: request.messages.map(message => hiddenMessage(message, hide)),
  };
}

function hiddenMessage(message: Message, hide: Rewrite): Message {
  if (message.role === 'user') return { ...message, text: hide(message.text) };
  if (message.role === 'tool') {
    return { ...message, answers: message.answers.map(answer => ({ ...answer, text: hide(answer.text) })) };
  }
  // `raw` came from the provider itself and never saw the true words.
  const calls = message.calls.map(call => ({
    ...call,
    args: rewritten(call.args, hide),
    ...(call.malformed && { malformed: hide(call.malformed) }),
  }));
  return { ...message, text: hide(message.text), calls };
}

function shown(reply: ModelReply, show: Rewrite): ModelReply {
  const calls = reply.calls.map(call => ({ ...call, args: rewritten(call.args, show) }));
  return { ...reply, text: show(reply.text), calls };
}

function rewritten(value: Json, rewrite: Rewrite): Json {
  if (typeof value === 'string') return rewrite(value);
  if (Array.isArray(value)) return value.map(item => rewritten(item, rewrite));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, rewritten(item, rewrite)]));
}
