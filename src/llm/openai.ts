import type { Json } from '../model/json.js';
import { parseArgs, postForLines } from './http.js';
import { ModelError } from './model-error.js';
import type { Message, ModelCall, ModelReply, ModelRequest, Provider } from './provider.js';
import { callsInText } from './text-calls.js';

export interface OpenAiOptions {
  readonly model: string;
  /** Absent for local servers that want none. */
  readonly apiKey?: string;
  /** Up to and with `/v1`. */
  readonly baseUrl: string;
  readonly now: () => number;
  readonly idleMs: number;
}

const NAME = 'openai';

/** Any server that speaks `/chat/completions`. Not streamed: with tools, too many servers drop calls when they stream. */
export function openAiCompatible(options: OpenAiOptions): Provider {
  // Newer OpenAI models refuse `max_tokens`, other servers know nothing else.
  let limit = 'max_tokens';
  return {
    name: NAME,
    model: options.model,
    async complete(request, { signal, onText }) {
      try {
        return heard(await ask(options, request, limit, signal), onText);
      } catch (error) {
        const wantsOther = error instanceof ModelError && error.message.includes('max_completion_tokens');
        if (!wantsOther || limit !== 'max_tokens') throw error;
        limit = 'max_completion_tokens';
        return heard(await ask(options, request, limit, signal), onText);
      }
    },
  };
}

function heard(reply: ModelReply, onText?: (text: string) => void): ModelReply {
  if (reply.text) onText?.(reply.text);
  return reply;
}

async function ask(
  options: OpenAiOptions,
  request: ModelRequest,
  limit: string,
  signal: AbortSignal,
): Promise<ModelReply> {
  const body = {
    model: options.model,
    stream: false,
    [limit]: request.maxOutputTokens,
    messages: [{ role: 'system', content: request.system }, ...request.messages.flatMap(messagesOf)],
    ...(request.tools.length > 0 && {
      tools: request.tools.map(({ name, description, schema }) => ({
        type: 'function',
        function: { name, description, parameters: schema },
      })),
      tool_choice: request.toolChoice ?? 'auto',
    }),
  };
  const headers: Record<string, string> = options.apiKey ? { authorization: `Bearer ${options.apiKey}` } : {};
  const { now, idleMs } = options;
  const url = `${options.baseUrl.replace(/\/+$/, '')}/chat/completions`;
  let text = '';
  for await (const line of postForLines(url, body, { signal, headers, idleMs, now })) text += `${line}\n`;
  return replyOf(text, request, options.model);
}

function messagesOf(message: Message): object[] {
  if (message.role === 'user') return [{ role: 'user', content: message.text }];
  if (message.role === 'tool') {
    return message.answers.map(answer => ({ role: 'tool', tool_call_id: answer.id, content: answer.text }));
  }
  const calls = message.calls.map(call => ({
    id: call.id,
    type: 'function',
    function: { name: call.name, arguments: call.malformed ?? JSON.stringify(call.args ?? {}) },
  }));
  return [{ role: 'assistant', content: message.text || null, ...(calls.length > 0 && { tool_calls: calls }) }];
}

interface Completion {
  readonly model?: string;
  readonly choices?: readonly {
    readonly finish_reason?: string;
    readonly message?: {
      readonly content?: string | null;
      readonly refusal?: string | null;
      readonly tool_calls?: readonly WireCall[];
    };
  }[];
  readonly usage?: {
    readonly prompt_tokens?: number;
    readonly completion_tokens?: number;
    readonly prompt_tokens_details?: { readonly cached_tokens?: number };
  };
}

interface WireCall {
  readonly id?: string;
  readonly function?: { readonly name?: string; readonly arguments?: string | object };
}

function replyOf(body: string, request: ModelRequest, model: string): ModelReply {
  const completion = parse(body);
  const choice = completion.choices?.[0];
  if (!choice?.message) throw new ModelError('malformed', 'The answer holds no message.');
  const text = choice.message.content ?? choice.message.refusal ?? '';
  const wired = (choice.message.tool_calls ?? []).map(callOf);
  const calls = wired.length > 0 || request.toolChoice === 'none' ? wired : callsInText(text, request.tools);
  const { prompt_tokens = 0, completion_tokens = 0, prompt_tokens_details } = completion.usage ?? {};
  const cacheRead = prompt_tokens_details?.cached_tokens ?? 0;
  return {
    text,
    calls,
    stop: stopOf(choice.finish_reason, choice.message.refusal, calls.length),
    usage: { input: prompt_tokens - cacheRead, output: completion_tokens, cacheRead, cacheWrite: 0 },
    provider: NAME,
    model: completion.model ?? model,
  };
}

function parse(body: string): Completion {
  try {
    // Anybody's server: every field that is read is optional in the type.
    return JSON.parse(body) as Completion;
  } catch (error) {
    throw new ModelError('malformed', 'The answer is not JSON.', { cause: error });
  }
}

/** Some servers leave the id out, and some send arguments as an object. */
function callOf(call: WireCall, at: number): ModelCall {
  const given = call.function?.arguments ?? '{}';
  const { args, malformed } = typeof given === 'string' ? parseArgs(given) : { args: given, malformed: undefined };
  // JSON.parse made it, here or in the body.
  const json = args as Json;
  return { id: call.id || `call-${at}`, name: call.function?.name ?? '', args: json, ...(malformed && { malformed }) };
}

function stopOf(reason: string | undefined, refusal: string | null | undefined, calls: number): ModelReply['stop'] {
  if (refusal || reason === 'content_filter') return 'refusal';
  if (calls > 0) return 'calls';
  return reason === 'length' ? 'length' : 'end';
}
