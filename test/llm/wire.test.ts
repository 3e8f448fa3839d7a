import { describe, expect, test } from 'vitest';
import { anthropic } from '../../src/llm/anthropic.js';
import type { ModelError } from '../../src/llm/model-error.js';
import { ollama } from '../../src/llm/ollama.js';
import { openAiCompatible } from '../../src/llm/openai.js';
import type { ModelRequest, Provider } from '../../src/llm/provider.js';
import {
  anthropicAnswer,
  anthropicError,
  type ModelServer,
  modelServer,
  ollamaAnswer,
  openAiAnswer,
  refuse,
} from './model-server.js';

const REQUEST: ModelRequest = {
  system: 'You are an operator.',
  tools: [
    {
      name: 'take_snapshot',
      description: 'Takes one.',
      schema: { type: 'object', properties: {}, additionalProperties: false },
    },
    {
      name: 'done',
      description: 'Ends it.',
      schema: { type: 'object', properties: { outcome: { type: 'string' }, summary: { type: 'string' } } },
    },
  ],
  messages: [{ role: 'user', text: 'Begin.' }],
  maxOutputTokens: 500,
};
const KEY = 'sk-test-0123456789';
const CONVERSATION: ModelRequest['messages'] = [
  { role: 'user', text: 'Begin.' },
  { role: 'assistant', text: 'Let me see.', calls: [{ id: 'a1', name: 'take_snapshot', args: {} }] },
  { role: 'tool', answers: [{ id: 'a1', name: 'take_snapshot', text: 'No.', failed: true }] },
];

const claude = (server: ModelServer, idleMs = 5000) =>
  anthropic({ model: 'claude-sonnet-5-5', apiKey: KEY, baseUrl: server.url, now: Date.now, idleMs });
const gpt = (server: ModelServer, idleMs = 5000) =>
  openAiCompatible({ model: 'gpt-test', apiKey: KEY, baseUrl: `${server.url}/v1`, now: Date.now, idleMs });
const llama = (server: ModelServer, idleMs = 5000) =>
  ollama({ model: 'qwen3:8b', baseUrl: server.url, now: Date.now, idleMs });

const ask = (provider: Provider, request: Partial<ModelRequest> = {}, signal = new AbortController().signal) =>
  provider.complete({ ...REQUEST, ...request }, { signal });

async function failure(provider: Provider, request: Partial<ModelRequest> = {}): Promise<ModelError> {
  const outcome = await ask(provider, request).then(
    reply => {
      throw new Error(`answered: ${JSON.stringify(reply)}`);
    },
    (error: ModelError) => error,
  );
  expect(outcome.name, String(outcome.stack)).toBe('ModelError');
  expect(outcome.message).not.toContain(KEY);
  return outcome;
}

describe('Anthropic, through its SDK', () => {
  test('streams words and several calls', async () => {
    await using server = await modelServer(
      anthropicAnswer([
        { text: 'Looking at the heap.' },
        { tool: 'take_snapshot', input: {} },
        { tool: 'take_snapshot', input: { deep: [1, 2] } },
      ]),
    );
    const words: string[] = [];
    const reply = await claude(server).complete(REQUEST, {
      signal: new AbortController().signal,
      onText: text => words.push(text),
    });
    expect(words.length).toBeGreaterThan(2);
    expect(words.join('')).toBe('Looking at the heap.');
    expect(reply).toMatchObject({
      text: 'Looking at the heap.',
      stop: 'calls',
      calls: [
        { id: 'toolu_1', name: 'take_snapshot', args: {} },
        { id: 'toolu_2', name: 'take_snapshot', args: { deep: [1, 2] } },
      ],
      usage: { input: 12, output: 25, cacheRead: 900, cacheWrite: 30 },
    });
  });

  test('marks the stable prefix and the last turn for the cache, and asks for strict tools where there is a shape to keep', async () => {
    await using server = await modelServer(anthropicAnswer([{ text: 'ok' }]));
    await ask(claude(server), { messages: CONVERSATION });
    const { body, headers } = server.heard[0]!;
    expect(headers.authorization).toBe(`Bearer ${KEY}`);
    expect(body.system?.[0]?.cache_control).toEqual({ type: 'ephemeral' });
    expect(body.tools?.map(tool => tool.strict)).toEqual([undefined, true]);
    expect(body.messages.map(message => message.role)).toEqual(['user', 'assistant', 'user']);
    expect(body.messages[2]?.content[0]).toMatchObject({
      type: 'tool_result',
      tool_use_id: 'a1',
      is_error: true,
      cache_control: { type: 'ephemeral' },
    });
  });

  test('goes on without strict once the grammar was refused', async () => {
    await using server = await modelServer(
      anthropicError(400, 'invalid_request_error', 'The compiled grammar is too large.'),
      anthropicAnswer([{ text: 'ok' }]),
    );
    const provider = claude(server);
    expect((await ask(provider)).text).toBe('ok');
    await ask(provider);
    expect(server.heard.map(({ body }) => body.tools?.[1]?.strict)).toEqual([true, undefined, undefined]);
  });

  test('hands a turn back word for word', async () => {
    await using server = await modelServer(anthropicAnswer([{ text: 'Hm.' }, { tool: 'take_snapshot', input: {} }]));
    const provider = claude(server);
    const first = await ask(provider);
    await ask(provider, {
      messages: [
        { role: 'user', text: 'Begin.' },
        { role: 'assistant', text: 'rewritten', calls: first.calls, ...(first.raw && { raw: first.raw }) },
        { role: 'tool', answers: [{ id: 'toolu_1', name: 'take_snapshot', text: '{}' }] },
      ],
    });
    expect(JSON.stringify(server.heard[1]!.body.messages[1])).toContain('"Hm."');
    expect(server.heard[1]!.text).not.toContain('rewritten');
  });

  test.each([
    [400, 'invalid_request_error', 'messages: bad', 'request', false],
    [400, 'invalid_request_error', 'prompt is too long: 1200000 tokens', 'too-large', false],
    [401, 'authentication_error', 'invalid x-api-key', 'credentials', false],
    [403, 'permission_error', 'no', 'credentials', false],
    [404, 'not_found_error', 'model: none', 'request', false],
    [413, 'request_too_large', 'too big', 'too-large', false],
    [429, 'rate_limit_error', 'slow down', 'rate-limit', true],
    [500, 'api_error', 'oops', 'server', true],
    [529, 'overloaded_error', 'Overloaded', 'overloaded', true],
  ])('%d %s (%s) is %s', async (status, type, message, kind, transient) => {
    await using server = await modelServer(anthropicError(status, type, message, { 'retry-after': '7' }));
    const error = await failure(claude(server));
    expect([error.kind, error.transient, error.status]).toEqual([kind, transient, status]);
    expect(error.message).toContain(message.slice(0, 10));
    expect(error.retryAfterMs).toBe(7000);
    expect(server.heard).toHaveLength(1);
  });

  test('an error in the middle of a stream is that error', async () => {
    await using server = await modelServer(response => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.end(
        `event: error\ndata: ${JSON.stringify({ type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } })}\n\n`,
      );
    });
    expect((await failure(claude(server))).kind).toBe('overloaded');
  });

  test.each([0, 2, 5, 8])('a stream cut after %d events is transient, and no answer', async cutAfter => {
    await using server = await modelServer(anthropicAnswer([{ text: 'Looking at it.' }], { cutAfter }));
    expect((await failure(claude(server))).transient).toBe(true);
  });

  test('broken JSON in a call is transient', async () => {
    await using server = await modelServer(
      anthropicAnswer([{ tool: 'take_snapshot', input: {} }], { brokenJson: '{"a": tru' }),
    );
    const outcome = await ask(claude(server)).catch((error: ModelError) => error);
    if (outcome instanceof Error) expect(outcome.kind).toBe('malformed');
    else expect(outcome.calls[0]?.name).toBe('take_snapshot');
  });

  test('a page instead of an answer is an error', async () => {
    await using server = await modelServer(refuse(502, '<html><h1>Bad gateway</h1></html>'));
    expect((await failure(claude(server))).kind).toBe('server');
  });

  test('a refusal is an answer of its own kind', async () => {
    await using server = await modelServer(anthropicAnswer([{ text: 'I can not.' }], { stop: 'refusal' }));
    expect((await ask(claude(server))).stop).toBe('refusal');
  });

  test('slow bytes are waited for, silence is not', async () => {
    await using slow = await modelServer(anthropicAnswer([{ text: 'a slow answer comes' }], { pauseMs: 60 }));
    expect((await ask(claude(slow, 400))).text).toBe('a slow answer comes');
    await using silent = await modelServer(() => new Promise(() => {}));
    expect((await failure(claude(silent, 200))).kind).toBe('timeout');
  });

  test('an abort ends the call with its own reason', async () => {
    await using server = await modelServer(() => new Promise(() => {}));
    const stop = new AbortController();
    setTimeout(() => stop.abort(new Error('enough')), 50);
    await expect(ask(claude(server), {}, stop.signal)).rejects.toThrow('enough');
  });

  test('nobody there is a network error', async () => {
    const provider = anthropic({ model: 'm', apiKey: KEY, baseUrl: 'http://127.0.0.1:1', now: Date.now, idleMs: 2000 });
    expect((await failure(provider)).kind).toBe('network');
  });
});

describe('OpenAI-compatible', () => {
  test('asks and reads calls, with ids where the server has none', async () => {
    await using server = await modelServer(
      openAiAnswer(
        {
          tool_calls: [
            { id: 'x1', type: 'function', function: { name: 'take_snapshot', arguments: '{"a":1}' } },
            { type: 'function', function: { name: 'take_snapshot', arguments: { b: 2 } } },
          ],
        },
        'tool_calls',
      ),
    );
    const reply = await ask(gpt(server), { messages: CONVERSATION });
    expect(reply.calls).toEqual([
      { id: 'x1', name: 'take_snapshot', args: { a: 1 } },
      { id: 'call-1', name: 'take_snapshot', args: { b: 2 } },
    ]);
    expect(reply.usage).toEqual({ input: 36, output: 9, cacheRead: 64, cacheWrite: 0 });
    const { body, path, headers } = server.heard[0]!;
    expect(path).toBe('/v1/chat/completions');
    expect(headers.authorization).toBe(`Bearer ${KEY}`);
    expect(body.stream).toBe(false);
    expect(body.messages.map(message => message.role)).toEqual(['system', 'user', 'assistant', 'tool']);
    expect(body.messages[3]?.tool_call_id).toBe('a1');
  });

  test('arguments that are no JSON come back as what they were', async () => {
    const call = { id: 'x', type: 'function', function: { name: 'take_snapshot', arguments: '{"a": tru' } };
    await using server = await modelServer(openAiAnswer({ tool_calls: [call] }));
    expect((await ask(gpt(server))).calls[0]).toMatchObject({ args: null, malformed: '{"a": tru' });
  });

  test('a call written as text is a call; text about a call is not', async () => {
    await using server = await modelServer(
      openAiAnswer({ content: '```json\n{"name": "take_snapshot", "arguments": {}}\n```' }),
      openAiAnswer({ content: 'I would call {"name": "take_snapshot"} now.' }),
      openAiAnswer({ content: '{"name": "rm_rf", "arguments": {}}' }),
    );
    const counts = [];
    for (let i = 0; i < 3; i++) counts.push((await ask(gpt(server))).calls.length);
    expect(counts).toEqual([1, 0, 0]);
  });

  test('learns the other name of the output limit', async () => {
    await using server = await modelServer(
      refuse(400, { error: { message: "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead." } }),
      openAiAnswer({ content: 'ok' }),
    );
    expect((await ask(gpt(server))).text).toBe('ok');
    expect(server.heard[1]!.body).toMatchObject({ max_completion_tokens: 500 });
    expect(server.heard[1]!.body.max_tokens).toBeUndefined();
  });

  test.each([
    [refuse(401, { error: { message: 'bad key' } }), 'credentials'],
    [refuse(429, { error: { message: 'quota' } }), 'rate-limit'],
    [refuse(503, 'busy'), 'overloaded'],
    [refuse(400, { error: { message: "This model's maximum context length is 8192 tokens" } }), 'too-large'],
    [refuse(200, '{"choices": ['), 'malformed'],
    [refuse(200, '{"choices": []}'), 'malformed'],
    [refuse(302, '', { location: 'http://127.0.0.1:1/steal' }), 'network'],
  ])('failure %#', async (answer, kind) => {
    await using server = await modelServer(answer);
    expect((await failure(gpt(server))).kind).toBe(kind);
  });

  test('a refusal says so', async () => {
    await using server = await modelServer(openAiAnswer({ refusal: 'No.' }));
    expect(await ask(gpt(server))).toMatchObject({ stop: 'refusal', text: 'No.' });
  });
});

describe('Ollama, natively', () => {
  const END = {
    message: { role: 'assistant', content: '' },
    done: true,
    done_reason: 'stop',
    prompt_eval_count: 80,
    eval_count: 7,
  };

  test('asks for a window that holds the prompt, and reads calls from lines', async () => {
    await using server = await modelServer(
      ollamaAnswer([
        { message: { role: 'assistant', content: 'Let me ' } },
        {
          message: {
            role: 'assistant',
            content: 'see.',
            tool_calls: [{ function: { name: 'take_snapshot', arguments: { a: 1 } } }],
          },
        },
        END,
      ]),
    );
    const reply = await ask(llama(server), { messages: CONVERSATION });
    expect(reply).toMatchObject({
      text: 'Let me see.',
      calls: [{ name: 'take_snapshot', args: { a: 1 } }],
      usage: { input: 80, output: 7 },
    });
    const { body, path } = server.heard[0]!;
    expect(path).toBe('/api/chat');
    expect(body.options?.num_ctx).toBe(16_384);
    expect(body.messages[3]).toMatchObject({ role: 'tool', tool_name: 'take_snapshot' });
  });

  test('the window grows with the conversation', async () => {
    await using server = await modelServer(ollamaAnswer([{ ...END, prompt_eval_count: 30_000 }]));
    await ask(llama(server), { system: 'word '.repeat(20_000) });
    expect(server.heard[0]!.body.options?.num_ctx).toBeGreaterThanOrEqual(33_000);
  });

  test('a prompt that was cut in silence is an error', async () => {
    await using server = await modelServer(ollamaAnswer([{ ...END, prompt_eval_count: 2051 }]));
    const error = await failure(llama(server), { system: 'word '.repeat(10_000) });
    expect(error).toMatchObject({ kind: 'too-large', transient: false });
  });

  test('words are had by offering no tools', async () => {
    await using server = await modelServer(ollamaAnswer([{ message: { content: 'Done.' } }, END]));
    expect((await ask(llama(server), { toolChoice: 'none' })).text).toBe('Done.');
    expect(server.heard[0]!.body.tools).toBeUndefined();
  });

  test.each([
    [ollamaAnswer([{ message: { content: 'half' } }]), 'malformed'],
    [ollamaAnswer(['{"message": {"content": "x"\n']), 'malformed'],
    [ollamaAnswer([{ error: 'model runner crashed' }]), 'server'],
    [refuse(404, { error: 'model "qwen3:8b" not found, try pulling it first' }), 'request'],
  ])('failure %#', async (answer, kind) => {
    await using server = await modelServer(answer);
    expect((await failure(llama(server))).kind).toBe(kind);
  });
});

test.each<[string, (server: ModelServer) => Provider]>([
  ['Anthropic', claude],
  ['OpenAI-compatible', gpt],
  ['Ollama', llama],
])('a redirect is not followed: %s', async (_, open) => {
  await using thief = await modelServer(anthropicAnswer([{ text: 'thanks' }]));
  await using server = await modelServer(refuse(307, '', { location: `${thief.url}/v1/messages` }));
  expect((await failure(open(server))).kind).toBe('network');
  expect(thief.heard).toEqual([]);
});
