import Anthropic from '@anthropic-ai/sdk';
import type { Json } from '../model/json.js';
import { kindOfStatus, ModelError, retryAfter, wordsOf } from './model-error.js';
import type { CompleteOptions, Message, ModelCall, ModelReply, ModelRequest, Provider, ToolSpec } from './provider.js';

export interface AnthropicOptions {
  readonly model: string;
  readonly apiKey: string;
  readonly baseUrl?: string;
  readonly now: () => number;
  /** Silence on the wire for this long ends the call, in milliseconds. */
  readonly idleMs: number;
}

type Params = Anthropic.MessageStreamParams;
const NAME = 'anthropic';
const CACHED = { type: 'ephemeral' } as const;
const SILENT = { debug() {}, info() {}, warn() {}, error() {} };

/** Claude through the official SDK. Retries are ours (retry.ts), so the SDK's are off. */
export function anthropic(options: AnthropicOptions): Provider {
  const client = new Anthropic({
    apiKey: options.apiKey,
    authToken: null,
    baseURL: options.baseUrl ?? null,
    maxRetries: 0,
    // A redirect would carry the prompt, and the key, to somebody else.
    fetchOptions: { redirect: 'error' },
    logger: SILENT,
  });
  // Once a grammar was refused, it would be again.
  let strict = true;
  return {
    name: NAME,
    model: options.model,
    async complete(request, { signal, onText }) {
      try {
        return await stream(client, options, paramsOf(options.model, request, strict), {
          signal,
          ...(onText && { onText }),
        });
      } catch (error) {
        if (!strict || !(error instanceof ModelError) || error.kind !== 'grammar') throw error;
        strict = false;
        return await stream(client, options, paramsOf(options.model, request, false), {
          signal,
          ...(onText && { onText }),
        });
      }
    },
  };
}

function paramsOf(model: string, request: ModelRequest, strict: boolean): Params {
  const choice = request.toolChoice ?? 'auto';
  return {
    model,
    max_tokens: request.maxOutputTokens,
    // Prefix order is tools, system, messages: one mark on the system caches both, one on the last turn the rest.
    system: [{ type: 'text', text: request.system, cache_control: CACHED }],
    ...(request.tools.length > 0 && {
      tools: request.tools.map(tool => toolOf(tool, strict)),
      tool_choice: { type: choice === 'required' ? 'any' : choice } as const,
    }),
    messages: withCacheMark(request.messages.map(messageOf)),
  };
}

/** A grammar is worth its tokens where there are several arguments to get wrong; code checks all of them anyway. */
const isShaped = ({ schema }: ToolSpec) => Object.keys(schema.properties ?? {}).length > 1;

function toolOf(tool: ToolSpec, grammars: boolean): Anthropic.Tool {
  const strict = grammars && isShaped(tool);
  // The schema is zod's JSON schema of an object, which is what the SDK asks for.
  const schema = strict ? plainSchema(tool.schema) : tool.schema;
  const input_schema = schema as unknown as Anthropic.Tool.InputSchema;
  return { name: tool.name, description: tool.description, input_schema, ...(strict && { strict: true }) };
}

/** Strict grammars know types, enums and structure; bounds they refuse, and code checks those anyway. */
const NOT_IN_GRAMMARS = ['minimum', 'maximum', 'minLength', 'maxLength', 'minItems', 'maxItems', 'default', 'pattern'];

function plainSchema(schema: Json): Json {
  if (Array.isArray(schema)) return schema.map(plainSchema);
  if (typeof schema !== 'object' || schema === null) return schema;
  const kept = Object.entries(schema).filter(([key]) => !NOT_IN_GRAMMARS.includes(key));
  const plain = Object.fromEntries(kept.map(([key, value]) => [key, plainSchema(value)]));
  return plain.type === 'object' ? { ...plain, additionalProperties: false } : plain;
}

function messageOf(message: Message): Anthropic.MessageParam {
  if (message.role === 'user') return { role: 'user', content: [{ type: 'text', text: message.text }] };
  if (message.role === 'tool') return { role: 'user', content: message.answers.map(answerOf) };
  // Thinking blocks are signed: they go back exactly as they came.
  if (message.raw?.provider === NAME)
    return { role: 'assistant', content: message.raw.content as Anthropic.ContentBlockParam[] };
  const text = message.text ? [{ type: 'text' as const, text: message.text }] : [];
  const calls = message.calls.map(call => ({
    type: 'tool_use' as const,
    id: call.id,
    name: call.name,
    input: call.args ?? {},
  }));
  return { role: 'assistant', content: [...text, ...calls] };
}

function answerOf(answer: Extract<Message, { role: 'tool' }>['answers'][number]): Anthropic.ToolResultBlockParam {
  return {
    type: 'tool_result',
    tool_use_id: answer.id,
    content: answer.text,
    ...(answer.failed && { is_error: true }),
  };
}

function withCacheMark(messages: Anthropic.MessageParam[]): Anthropic.MessageParam[] {
  const last = messages.at(-1);
  if (!last || typeof last.content === 'string' || last.role !== 'user') return messages;
  const block = last.content.at(-1);
  if (block?.type !== 'text' && block?.type !== 'tool_result') return messages;
  const marked = { ...last, content: [...last.content.slice(0, -1), { ...block, cache_control: CACHED }] };
  return [...messages.slice(0, -1), marked];
}

async function stream(
  client: Anthropic,
  { now, idleMs }: AnthropicOptions,
  params: Params,
  { signal, onText }: CompleteOptions,
): Promise<ModelReply> {
  signal.throwIfAborted();
  const call = client.messages.stream(params, { signal });
  // Headers come before any thinking: without them nobody is there.
  const silence = new Silence(idleMs, () => call.abort(), Math.min(idleMs, CONNECT_MS));
  call.on('connect', () => silence.heard()).on('streamEvent', () => silence.heard());
  if (onText) call.on('text', onText);
  try {
    return replyOf(await call.finalMessage());
  } catch (error) {
    signal.throwIfAborted();
    if (silence.fell) throw new ModelError('timeout', `The model was silent for ${idleMs / 1000} s.`, { cause: error });
    throw modelError(error, now());
  } finally {
    silence.end();
  }
}

const CONNECT_MS = 30_000;

/** Calls back when nothing was heard for a while. */
class Silence {
  fell = false;
  #timer: NodeJS.Timeout;

  constructor(
    readonly ms: number,
    readonly onSilence: () => void,
    firstMs: number,
  ) {
    this.#timer = setTimeout(() => this.#fall(), firstMs);
  }

  heard(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#fall(), this.ms);
  }

  end(): void {
    clearTimeout(this.#timer);
  }

  #fall(): void {
    this.fell = true;
    this.onSilence();
  }
}

function replyOf(message: Anthropic.Message): ModelReply {
  const { usage } = message;
  const text = message.content.flatMap(block => (block.type === 'text' ? [block.text] : [])).join('');
  const calls = message.content.flatMap(block => (block.type === 'tool_use' ? [callOf(block)] : []));
  return {
    text,
    calls,
    stop: stopOf(message.stop_reason, calls.length),
    usage: {
      input: usage.input_tokens,
      output: usage.output_tokens,
      cacheRead: usage.cache_read_input_tokens ?? 0,
      cacheWrite: usage.cache_creation_input_tokens ?? 0,
    },
    provider: NAME,
    model: message.model,
    raw: { provider: NAME, content: message.content },
  };
}

function callOf(block: Anthropic.ToolUseBlock): ModelCall {
  // The SDK parsed this from the wire's JSON.
  return { id: block.id, name: block.name, args: block.input as Json };
}

function stopOf(reason: Anthropic.StopReason | null, calls: number): ModelReply['stop'] {
  if (reason === null) throw new ModelError('malformed', 'The answer broke off before its end.');
  if (reason === 'refusal') return 'refusal';
  if (reason === 'max_tokens' || reason === 'model_context_window_exceeded') return 'length';
  return calls > 0 ? 'calls' : 'end';
}

function modelError(error: unknown, now: number): ModelError {
  if (error instanceof ModelError) return error;
  if (error instanceof Anthropic.APIConnectionTimeoutError)
    return new ModelError('timeout', 'The model did not answer in time.', { cause: error });
  if (error instanceof Anthropic.APIConnectionError)
    return new ModelError('network', `The model could not be reached: ${causeOf(error)}`, { cause: error });
  if (error instanceof Anthropic.APIError) return fromApi(error, now);
  return new ModelError('malformed', `The model's answer could not be read: ${causeOf(error)}`, { cause: error });
}

/** Errors inside a stream come without a status, with the type in the body. */
const STATUS_OF_TYPE: Record<string, number> = {
  overloaded_error: 529,
  rate_limit_error: 429,
  api_error: 500,
  timeout_error: 408,
  authentication_error: 401,
  permission_error: 403,
  invalid_request_error: 400,
  request_too_large: 413,
};

function fromApi(error: InstanceType<typeof Anthropic.APIError>, now: number): ModelError {
  // The SDK types the body as unknown; it is the API's error object when there is one.
  const body = error.error as { error?: { type?: string; message?: string } } | undefined;
  const type = body?.error?.type ?? '';
  const words = body?.error?.message ?? wordsOf(error.message);
  const status = error.status ?? STATUS_OF_TYPE[type];
  if (status === undefined)
    return new ModelError('malformed', `The model's answer could not be read: ${words}`, { cause: error });
  const wait = error.headers && retryAfter(error.headers, now);
  return new ModelError(kindOfStatus(status, words), `The model refused (${status}): ${words}`, {
    status,
    cause: error,
    ...(wait !== undefined && { retryAfterMs: wait }),
  });
}

function causeOf(error: unknown): string {
  const inner = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  return inner instanceof Error ? inner.message : String(inner);
}
