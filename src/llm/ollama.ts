import type { Json } from '../model/json.js';
import { parseArgs, postForLines } from './http.js';
import { ModelError } from './model-error.js';
import type { Message, ModelCall, ModelReply, ModelRequest, Provider } from './provider.js';
import { callsInText } from './text-calls.js';

export interface OllamaOptions {
  readonly model: string;
  /** Default http://127.0.0.1:11434 */
  readonly baseUrl?: string;
  readonly now: () => number;
  readonly idleMs: number;
  /** Window to ask for at least, in tokens. */
  readonly contextTokens?: number;
}

const NAME = 'ollama';
/** Ollama's own default of 4096 cuts the tool definitions off without a word; 16k holds an operator's first turns. */
const LEAST_CONTEXT = 16_384;
const MOST_CONTEXT = 131_072;
/** Tokens of JSON and code; words have fewer. */
const CHARS_PER_TOKEN = 3;

/** Ollama's native chat API: its OpenAI-compatible one ignores `num_ctx` and cuts prompts from the front, silently. */
export function ollama(options: OllamaOptions): Provider {
  // A changed window makes Ollama load the model anew: it only grows.
  let context = options.contextTokens ?? LEAST_CONTEXT;
  return {
    name: NAME,
    model: options.model,
    async complete(request, { signal, onText }) {
      const needed = estimate(request) + request.maxOutputTokens;
      while (context < needed && context < MOST_CONTEXT) context *= 2;
      return ask(options, request, context, signal, onText);
    },
  };
}

function estimate(request: ModelRequest): number {
  return Math.ceil(
    JSON.stringify([request.system, request.tools, request.messages.map(messagesOf)]).length / CHARS_PER_TOKEN,
  );
}

async function ask(
  options: OllamaOptions,
  request: ModelRequest,
  context: number,
  signal: AbortSignal,
  onText: ((text: string) => void) | undefined,
): Promise<ModelReply> {
  const body = {
    model: options.model,
    stream: true,
    messages: [{ role: 'system', content: request.system }, ...request.messages.flatMap(messagesOf)],
    // There is no tool_choice here: words are had by offering no tools.
    ...(request.toolChoice !== 'none' && { tools: request.tools.map(toolOf) }),
    options: { num_ctx: context, num_predict: request.maxOutputTokens },
  };
  const url = `${(options.baseUrl ?? 'http://127.0.0.1:11434').replace(/\/+$/, '')}/api/chat`;
  const gathered: Gathered = { text: '', calls: [] };
  for await (const line of postForLines(url, body, { signal, idleMs: options.idleMs, now: options.now })) {
    if (line.trim()) gather(parse(line), gathered, onText);
  }
  return replyOf(gathered, request, options.model);
}

function toolOf({ name, description, schema }: ModelRequest['tools'][number]): object {
  return { type: 'function', function: { name, description, parameters: schema } };
}

function messagesOf(message: Message): object[] {
  if (message.role === 'user') return [{ role: 'user', content: message.text }];
  if (message.role === 'tool') {
    return message.answers.map(answer => ({ role: 'tool', tool_name: answer.name, content: answer.text }));
  }
  const calls = message.calls.map(call => ({ function: { name: call.name, arguments: call.args ?? {} } }));
  return [{ role: 'assistant', content: message.text, ...(calls.length > 0 && { tool_calls: calls }) }];
}

interface Chunk {
  readonly error?: string;
  readonly message?: {
    readonly content?: string;
    readonly tool_calls?: readonly { readonly function?: { readonly name?: string; readonly arguments?: Json } }[];
  };
  readonly done?: boolean;
  readonly done_reason?: string;
  readonly prompt_eval_count?: number;
  readonly eval_count?: number;
}

interface Gathered {
  text: string;
  readonly calls: ModelCall[];
  end?: Chunk;
}

function parse(line: string): Chunk {
  try {
    // Every field that is read is optional in the type.
    return JSON.parse(line) as Chunk;
  } catch (error) {
    throw new ModelError('malformed', 'A line of the answer is not JSON.', { cause: error });
  }
}

function gather(chunk: Chunk, into: Gathered, onText: ((text: string) => void) | undefined): void {
  if (chunk.error) throw new ModelError('server', `The model failed: ${chunk.error}`);
  const text = chunk.message?.content ?? '';
  if (text) onText?.(text);
  into.text += text;
  for (const call of chunk.message?.tool_calls ?? []) into.calls.push(callOf(call, into.calls.length));
  if (chunk.done) into.end = chunk;
}

function callOf(
  call: { readonly function?: { readonly name?: string; readonly arguments?: Json } },
  at: number,
): ModelCall {
  const given = call.function?.arguments ?? {};
  const { args, malformed } = typeof given === 'string' ? parseArgs(given) : { args: given, malformed: undefined };
  // JSON.parse made it, here or in the line.
  const json = args as Json;
  return { id: `call-${at}`, name: call.function?.name ?? '', args: json, ...(malformed && { malformed }) };
}

/** Below this share of what was sent, the prompt was cut. */
const CUT_SHARE = 0.4;
/** Short prompts are counted too roughly to say so. */
const CUT_TOKENS = 4000;

function replyOf({ text, calls, end }: Gathered, request: ModelRequest, model: string): ModelReply {
  if (!end) throw new ModelError('malformed', 'The answer broke off before its end.');
  const sent = estimate(request);
  const read = end.prompt_eval_count;
  if (read !== undefined && read > 0 && sent > CUT_TOKENS && read < sent * CUT_SHARE) {
    throw new ModelError('too-large', `Ollama read ${read} of about ${sent} tokens: the model's window is too small.`);
  }
  const all = calls.length > 0 || request.toolChoice === 'none' ? calls : callsInText(text, request.tools);
  return {
    text,
    calls: all,
    stop: all.length > 0 ? 'calls' : end.done_reason === 'length' ? 'length' : 'end',
    usage: { input: read ?? 0, output: end.eval_count ?? 0, cacheRead: 0, cacheWrite: 0 },
    provider: NAME,
    model,
  };
}
