import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What requests hold in any of the three protocols; whoever reads a field knows which protocol it speaks. */
export interface WireBody {
  readonly system?: readonly WireBlock[];
  readonly messages: readonly WireMessage[];
  readonly tools?: readonly { readonly strict?: boolean }[];
  readonly tool_choice?: string | { readonly type: string };
  readonly stream?: boolean;
  readonly max_tokens?: number;
  readonly options?: { readonly num_ctx: number };
}

export interface WireMessage {
  readonly role: string;
  readonly content: string | readonly WireBlock[];
  readonly tool_call_id?: string;
}

export interface WireBlock {
  readonly type: string;
  readonly text?: string;
  /** The answer in a `tool_result`. */
  readonly content?: string;
  readonly is_error?: boolean;
  readonly cache_control?: object;
}

export interface Heard {
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly text: string;
  readonly body: WireBody;
}

export type Respond = (response: ServerResponse, heard: Heard) => void | Promise<void>;

export interface ModelServer extends AsyncDisposable {
  readonly url: string;
  readonly heard: readonly Heard[];
}

/** A model's server on loopback that answers from a list; the last answer repeats. */
export async function modelServer(...answers: Respond[]): Promise<ModelServer> {
  const heard: Heard[] = [];
  const server = createServer(async (request, response) => {
    let text = '';
    for await (const chunk of request) text += chunk;
    // What lens sends is JSON of one of the protocols; a test that reads a field asserts it.
    const body = JSON.parse(text) as WireBody;
    const one: Heard = { path: request.url ?? '', headers: request.headers, text, body };
    const at = heard.push(one) - 1;
    await (answers[at] ?? answers.at(-1))!(response, one);
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    heard,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise(resolve => server.close(resolve));
    },
  };
}

export const refuse =
  (status: number, body: object | string, headers: Record<string, string> = {}): Respond =>
  response => {
    response.writeHead(status, { 'content-type': 'application/json', ...headers });
    response.end(typeof body === 'string' ? body : JSON.stringify(body));
  };

export const anthropicError = (status: number, type: string, message: string, headers: Record<string, string> = {}) =>
  refuse(status, { type: 'error', error: { type, message }, request_id: 'req_1' }, headers);

type Block = { readonly text: string } | { readonly tool: string; readonly input: object };

interface AnthropicAnswer {
  readonly stop?: string;
  readonly usage?: object;
  /** Ends the connection after this many events. */
  readonly cutAfter?: number;
  readonly pauseMs?: number;
  /** Sent in place of a tool's JSON. */
  readonly brokenJson?: string;
}

/** Server-sent events as the API sends them: start, per block start/deltas/stop, delta with the stop reason, stop. */
export const anthropicAnswer =
  (blocks: readonly Block[], options: AnthropicAnswer = {}): Respond =>
  async response => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    let sent = 0;
    for (const event of anthropicEvents(blocks, options)) {
      if (options.cutAfter !== undefined && sent++ >= options.cutAfter) return void response.destroy();
      response.write(`event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`);
      if (options.pauseMs) await new Promise(resolve => setTimeout(resolve, options.pauseMs));
    }
    response.end();
  };

function* anthropicEvents(blocks: readonly Block[], { stop, usage, brokenJson }: AnthropicAnswer) {
  const counted = { input_tokens: 12, cache_read_input_tokens: 900, cache_creation_input_tokens: 30, output_tokens: 1 };
  const message = {
    id: 'msg_1',
    type: 'message',
    role: 'assistant',
    model: 'claude-sonnet-5-5',
    content: [],
    stop_reason: null,
    stop_sequence: null,
    usage: { ...counted, ...usage },
  };
  yield { type: 'message_start', message };
  yield { type: 'ping' };
  for (const [index, block] of blocks.entries()) yield* blockEvents(block, index, brokenJson);
  const reason = stop ?? (blocks.some(block => 'tool' in block) ? 'tool_use' : 'end_turn');
  yield { type: 'message_delta', delta: { stop_reason: reason, stop_sequence: null }, usage: { output_tokens: 25 } };
  yield { type: 'message_stop' };
}

function* blockEvents(block: Block, index: number, brokenJson?: string) {
  if ('text' in block) {
    yield { type: 'content_block_start', index, content_block: { type: 'text', text: '' } };
    for (const part of block.text.match(/.{1,5}/gs) ?? []) {
      yield { type: 'content_block_delta', index, delta: { type: 'text_delta', text: part } };
    }
  } else {
    const content_block = { type: 'tool_use', id: `toolu_${index}`, name: block.tool, input: {} };
    yield { type: 'content_block_start', index, content_block };
    for (const part of (brokenJson ?? JSON.stringify(block.input)).match(/.{1,7}/gs) ?? []) {
      yield { type: 'content_block_delta', index, delta: { type: 'input_json_delta', partial_json: part } };
    }
  }
  yield { type: 'content_block_stop', index };
}

export const openAiAnswer =
  (message: object, finish_reason = 'stop', extra: object = {}): Respond =>
  response => {
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(
      JSON.stringify({
        id: 'chatcmpl-1',
        object: 'chat.completion',
        model: 'gpt-test',
        choices: [{ index: 0, message: { role: 'assistant', content: null, ...message }, finish_reason }],
        usage: { prompt_tokens: 100, completion_tokens: 9, prompt_tokens_details: { cached_tokens: 64 } },
        ...extra,
      }),
    );
  };

export const ollamaAnswer =
  (lines: readonly (object | string)[]): Respond =>
  async response => {
    response.writeHead(200, { 'content-type': 'application/x-ndjson' });
    for (const line of lines) {
      const text = typeof line === 'string' ? line : `${JSON.stringify(line)}\n`;
      // Split within a line: chunks on a wire know no lines.
      response.write(text.slice(0, 10));
      await new Promise(resolve => setImmediate(resolve));
      response.write(text.slice(10));
    }
    response.end();
  };
