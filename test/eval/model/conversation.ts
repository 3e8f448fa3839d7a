// One conversation as a scripted mind sees it, whichever protocol it came in, and its answer back in that protocol.
import {
  anthropicAnswer,
  anthropicError,
  type Heard,
  ollamaAnswer,
  openAiAnswer,
  type Respond,
  refuse,
  type WireBlock,
  type WireBody,
} from '../../llm/model-server.js';
import { PromptCache } from './prompt-cache.js';

export const PROTOCOLS = ['anthropic', 'openai', 'ollama'] as const;
export type Protocol = (typeof PROTOCOLS)[number];

export interface Conversation {
  readonly system: string;
  /** The first message: skill, process, what the rules read. */
  readonly opening: string;
  /** How often the model has spoken. */
  readonly turn: number;
  /** What came back for the calls of the last turn, in their order. */
  readonly answers: readonly { readonly text: string; readonly failed: boolean }[];
  /** False on the last turn: words only. */
  readonly mayCall: boolean;
}

export interface Said {
  readonly text?: string;
  readonly calls?: readonly { readonly tool: string; readonly input: object }[];
  /** What goes wrong on the wire instead. */
  readonly trouble?: 'cut' | 'broken-json' | 'overloaded';
}

export type Mind = (conversation: Conversation) => Said;

/** Answers every request of either protocol; tokens are counted as the providers count them. */
export function talking(mind: Mind): Respond {
  const cache = new PromptCache();
  return (response, heard) => {
    return answererOf(heard.path)(mind(conversationOf(heard)), heard.body, cache)(response, heard);
  };
}

function answererOf(path: string) {
  if (path.endsWith('/api/chat')) return answerOllama;
  return path.endsWith('/messages') ? answerAnthropic : answerOpenAi;
}

function answerAnthropic({ text, calls = [], trouble }: Said, body: WireBody, cache: PromptCache): Respond {
  if (trouble === 'overloaded') return anthropicError(529, 'overloaded_error', 'Overloaded');
  const { fresh, read, written } = cache.count(partsOf(body));
  const usage = { input_tokens: fresh, cache_read_input_tokens: read, cache_creation_input_tokens: written };
  const how = {
    usage,
    ...(trouble === 'cut' && { cutAfter: 4 }),
    ...(trouble === 'broken-json' && { brokenJson: '{"a": tr' }),
  };
  return anthropicAnswer([...(text ? [{ text }] : []), ...calls], how);
}

function answerOpenAi({ text, calls = [], trouble }: Said, body: WireBody, cache: PromptCache): Respond {
  if (trouble === 'overloaded') return refuse(503, { error: { message: 'overloaded' } });
  if (trouble === 'cut') return response => void response.writeHead(200).write('{"choi', () => response.destroy());
  const { fresh, read, written } = cache.count(partsOf(body));
  const usage = {
    prompt_tokens: fresh + read + written,
    completion_tokens: 25,
    prompt_tokens_details: { cached_tokens: read },
  };
  const tool_calls = calls.map(({ tool, input }, at) => ({
    id: `call_${at}`,
    type: 'function',
    function: { name: tool, arguments: trouble === 'broken-json' ? '{"a": tr' : JSON.stringify(input) },
  }));
  const message = { content: text ?? null, ...(tool_calls.length > 0 && { tool_calls }) };
  return openAiAnswer(message, tool_calls.length > 0 ? 'tool_calls' : 'stop', { usage });
}

/** Ollama counts the whole prompt, whatever it still holds of it. */
function answerOllama({ text, calls = [], trouble }: Said, body: WireBody, cache: PromptCache): Respond {
  if (trouble === 'overloaded') return refuse(503, { error: 'server busy' });
  if (trouble === 'cut') return response => void response.writeHead(200).write('{"mess', () => response.destroy());
  if (trouble === 'broken-json') return ollamaAnswer(['{"message": {"content": tr\n']);
  const { fresh, read, written } = cache.count(partsOf(body));
  const tool_calls = calls.map(({ tool, input }) => ({ function: { name: tool, arguments: input } }));
  const counted = { prompt_eval_count: fresh + read + written, eval_count: 25 };
  return ollamaAnswer([
    { message: { role: 'assistant', content: text ?? '', ...(tool_calls.length > 0 && { tool_calls }) }, done: false },
    { message: { role: 'assistant', content: '' }, done: true, done_reason: 'stop', ...counted },
  ]);
}

/** The request as a chain of parts; a provider's cache holds beginnings of such chains. Cache marks move and don't count. */
function partsOf(body: WireBody): string[] {
  const plain = (value: unknown) => JSON.stringify(value, (key, item) => (key === 'cache_control' ? undefined : item));
  const systems = body.messages.filter(({ role }) => role === 'system');
  const others = body.messages.filter(({ role }) => role !== 'system');
  return [plain(body.tools) + plain(body.system ?? systems), ...others.map(plain)];
}

function conversationOf({ body }: Heard): Conversation {
  const system = body.system?.[0]?.text ?? String(body.messages[0]?.content);
  const messages = body.messages.filter(({ role }) => role !== 'system');
  const spoken = messages.map(({ role }) => role).lastIndexOf('assistant');
  const first = messages[0]?.content;
  const choice = body.tool_choice;
  return {
    system,
    opening: typeof first === 'string' ? first : (first?.[0]?.text ?? ''),
    turn: messages.filter(({ role }) => role === 'assistant').length,
    answers: messages.slice(spoken + 1).flatMap(answersOf),
    mayCall: body.tools !== undefined && choice !== 'none' && (typeof choice !== 'object' || choice.type !== 'none'),
  };
}

function answersOf({ role, content }: WireBody['messages'][number]): Conversation['answers'] {
  if (role === 'tool') return [{ text: String(content), failed: false }];
  if (typeof content === 'string') return [];
  return content.filter(isAnswer).map(block => ({ text: block.content ?? '', failed: block.is_error === true }));
}

const isAnswer = (block: WireBlock): boolean => block.type === 'tool_result';
