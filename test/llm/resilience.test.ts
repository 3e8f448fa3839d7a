import { chmod, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { Redactor } from '../../src/base/redact.js';
import { breaking } from '../../src/llm/breaker.js';
import { fallback, roundRobin } from '../../src/llm/chain.js';
import { planModels, readModelFile } from '../../src/llm/config.js';
import { Meter, metered } from '../../src/llm/meter.js';
import { ModelError, type ModelErrorKind, retryAfter } from '../../src/llm/model-error.js';
import type { ModelRequest, Provider } from '../../src/llm/provider.js';
import { type Exchange, recording, replaying } from '../../src/llm/recorded.js';
import { redacting } from '../../src/llm/redacting.js';
import { retrying } from '../../src/llm/retry.js';
import { type ScriptStep, scripted } from '../../src/llm/scripted.js';

const REQUEST: ModelRequest = { system: 's', tools: [], messages: [{ role: 'user', text: 'u' }], maxOutputTokens: 9 };
const fail = (kind: ModelErrorKind, retryAfterMs?: number) =>
  new ModelError(kind, kind, retryAfterMs === undefined ? {} : { retryAfterMs });
const ok = (text = 'ok'): ScriptStep => ({ text });
const ask = (provider: Provider, signal = new AbortController().signal) => provider.complete(REQUEST, { signal });
const textOf = async (provider: Provider) => (await ask(provider)).text;

function patient(steps: readonly ScriptStep[]) {
  const waits: number[] = [];
  const provider = scripted(steps);
  const env = { sleep: async (ms: number) => void waits.push(ms), random: () => 0 };
  return { provider, waits, retried: retrying(provider, env) };
}

describe('retry', () => {
  test('waits one second, then two, then gives up', async () => {
    const { retried, waits } = patient([fail('server'), fail('network'), fail('overloaded'), ok()]);
    await expect(ask(retried)).rejects.toMatchObject({ kind: 'overloaded' });
    expect(waits).toEqual([1000, 2000]);
  });

  test('waits as long as the provider asks, but not for ever', async () => {
    const { retried, waits } = patient([fail('rate-limit', 7000), ok()]);
    expect(await textOf(retried)).toBe('ok');
    expect(waits).toEqual([7000]);
    await expect(ask(patient([fail('rate-limit', 3_600_000)]).retried)).rejects.toMatchObject({ kind: 'rate-limit' });
  });

  test('a wrong key, a bad request or a used-up budget are not repeated', async () => {
    for (const kind of ['credentials', 'request', 'budget', 'too-large', 'resting'] as const) {
      const { retried, provider } = patient([fail(kind), ok()]);
      await expect(ask(retried)).rejects.toMatchObject({ kind });
      expect(provider.requests).toHaveLength(1);
    }
  });

  test('retry-after is read in seconds, milliseconds and as a date', () => {
    const at = (headers: Record<string, string>) =>
      retryAfter(new Headers(headers), Date.parse('2026-01-01T00:00:00Z'));
    expect(at({ 'retry-after': '3' })).toBe(3000);
    expect(at({ 'retry-after-ms': '250' })).toBe(250);
    expect(at({ 'retry-after': 'Thu, 01 Jan 2026 00:00:10 GMT' })).toBe(10_000);
    expect(at({ 'retry-after': 'soon' })).toBeUndefined();
    expect(at({})).toBeUndefined();
  });
});

describe('breaker', () => {
  test('opens after five failures, rests 30 s, closes after two successes', async () => {
    let now = 0;
    const inner = scripted([...Array.from({ length: 5 }, () => fail('server')), ok(), ok(), fail('server'), ok()]);
    const provider = breaking(inner, () => now);
    const kinds = [];
    for (let i = 0; i < 6; i++)
      kinds.push(
        await ask(provider).then(
          r => r.text,
          (e: ModelError) => e.kind,
        ),
      );
    expect(kinds).toEqual([...Array(5).fill('server'), 'resting']);
    expect(inner.requests).toHaveLength(5);
    now = 30_000;
    expect([await textOf(provider), await textOf(provider)]).toEqual(['ok', 'ok']);
    await expect(ask(provider)).rejects.toMatchObject({ kind: 'server' });
    expect(await textOf(provider)).toBe('ok');
  });

  test('a failure while trying opens it again', async () => {
    let now = 0;
    const provider = breaking(scripted([fail('server')], { endless: true }), () => now);
    for (let i = 0; i < 5; i++) await ask(provider).catch(() => {});
    now = 30_000;
    await expect(ask(provider)).rejects.toMatchObject({ kind: 'server' });
    now = 59_000;
    await expect(ask(provider)).rejects.toMatchObject({ kind: 'resting' });
  });

  test("a request nobody would take is not the provider's failure", async () => {
    const provider = breaking(scripted([fail('request')], { endless: true }), () => 0);
    for (let i = 0; i < 9; i++) await expect(ask(provider)).rejects.toMatchObject({ kind: 'request' });
  });
});

describe('chains', () => {
  test('fallback asks the next; all errors are named when none answers', async () => {
    expect(await textOf(fallback([scripted([fail('server')]), scripted([ok('second')])]))).toBe('second');
    await expect(ask(fallback([scripted([fail('server')]), scripted([fail('credentials')])]))).rejects.toThrow(
      /server.*credentials/,
    );
  });

  test('a used-up budget is not spent elsewhere', async () => {
    const second = scripted([ok()]);
    await expect(ask(fallback([scripted([fail('budget')]), second]))).rejects.toMatchObject({ kind: 'budget' });
    expect(second.requests).toHaveLength(0);
  });

  test('round-robin takes turns and falls back to the rest', async () => {
    const provider = roundRobin([scripted([ok('a'), fail('server')]), scripted([ok('b'), ok('b')])]);
    expect([await textOf(provider), await textOf(provider), await textOf(provider)]).toEqual(['a', 'b', 'b']);
  });
});

describe('budget', () => {
  test('counts tokens and money, and refuses the call after the last', async () => {
    const meter = new Meter({ dollars: 1 });
    meter.add('claude-sonnet-5-5', { input: 100_000, output: 50_000, cacheRead: 1_000_000, cacheWrite: 0 });
    expect(meter.spent.dollars).toBeCloseTo(0.2 + 0.5 + 0.2, 6);
    const inner = scripted([ok()], { endless: true });
    const provider = metered(inner, meter);
    await ask(provider);
    meter.add('claude-sonnet-5-5', { input: 100_000, output: 0, cacheRead: 0, cacheWrite: 0 });
    await expect(ask(provider)).rejects.toMatchObject({ kind: 'budget' });
    expect(inner.requests).toHaveLength(1);
    expect(meter.spent.unpriced).toEqual(['scripted-1']);
  });
});

describe('records', () => {
  test('a recorded conversation replays without a provider, and nothing else does', async () => {
    const kept: Exchange[] = [];
    const live = recording(scripted([ok('one'), ok('two')]), exchange => kept.push(exchange));
    await ask(live);
    await ask(live);
    const again = replaying(JSON.parse(JSON.stringify(kept)) as Exchange[]);
    expect([await textOf(again), await textOf(again)]).toEqual(['one', 'two']);
    await expect(ask(again)).rejects.toThrow(/not in the record/);
  });
});

describe('the choke point', () => {
  test('hides secrets in every part of a request and shows them in the answer', async () => {
    const secret = 'hunter2-hunter2-hunter2';
    const redactor = new Redactor();
    redactor.learn([secret]);
    const inner = scripted([{ text: 'It is [secret-1].', calls: [{ name: 't', args: { a: ['[secret-1]'] } }] }]);
    const reply = await redacting(inner, redactor).complete(
      {
        system: secret,
        tools: [{ name: 't', description: secret, schema: {} }],
        messages: [
          { role: 'user', text: secret },
          { role: 'assistant', text: secret, calls: [{ id: '1', name: 't', args: { deep: [{ x: secret }] } }] },
          { role: 'tool', answers: [{ id: '1', name: 't', text: `it=${secret}` }] },
        ],
        maxOutputTokens: 1,
      },
      { signal: new AbortController().signal },
    );
    expect(JSON.stringify(inner.requests)).not.toContain('hunter2');
    expect(reply.text).toBe(`It is ${secret}.`);
    expect(reply.calls[0]?.args).toEqual({ a: [secret] });
  });
});

describe('configuration', () => {
  test('without any key there is no model, and that is normal', async () => {
    expect(await planModels({}, {}, {})).toBeUndefined();
    expect(await planModels({ llm: false }, { ANTHROPIC_API_KEY: 'k' }, {})).toBeUndefined();
  });

  test('--require-llm without a key is exit 4', async () => {
    await expect(planModels({ requireLlm: true }, {}, {})).rejects.toMatchObject({ code: 'model-unavailable' });
  });

  test('a key alone chooses the default; flag beats environment beats file', async () => {
    const model = async (...args: Parameters<typeof planModels>) => (await planModels(...args))?.choices[0];
    expect(await model({}, { ANTHROPIC_API_KEY: 'k' }, {})).toEqual({
      provider: 'anthropic',
      model: 'claude-sonnet-5-5',
      apiKey: 'k',
    });
    const env = { ANTHROPIC_API_KEY: 'k', LENS_MODEL: 'claude-opus-5-5' };
    expect((await model({}, env, { model: 'claude-haiku-5-5' }))?.model).toBe('claude-opus-5-5');
    expect((await model({ model: 'claude-fable-5-1' }, env, {}))?.model).toBe('claude-fable-5-1');
    expect(await model({ provider: 'ollama', model: 'qwen3' }, { OLLAMA_HOST: '127.0.0.1:9' }, {})).toEqual({
      provider: 'ollama',
      model: 'qwen3',
      baseUrl: 'http://127.0.0.1:9',
    });
  });

  test('what can not be meant is a usage error', async () => {
    await expect(planModels({ provider: 'gemini' }, {}, {})).rejects.toThrow(/No provider is called gemini/);
    await expect(planModels({ provider: 'openai' }, { OPENAI_API_KEY: 'k' }, {})).rejects.toThrow(/no default model/);
    const open = { baseUrl: 'http://models.example.com' };
    await expect(planModels(open, { ANTHROPIC_API_KEY: 'k' }, {})).rejects.toThrow(/in the clear/);
  });

  test('keys come from a helper or from a file that only its owner reads', async () => {
    const key = async (file: Parameters<typeof planModels>[2]) => (await planModels({}, {}, file))?.choices[0].apiKey;
    expect(await key({ keyHelper: 'echo from-helper' })).toBe('from-helper');
    await expect(key({ keyHelper: 'echo secret-on-stderr >&2; exit 3' })).rejects.toThrow(/helper printed no key/);
    const path = join(await mkdtemp(join(tmpdir(), 'lens-key-')), 'key');
    await writeFile(path, 'from-file\n', { mode: 0o600 });
    expect(await key({ keyFile: path })).toBe('from-file');
    await chmod(path, 0o644);
    await expect(key({ keyFile: path })).rejects.toThrow(/Others may read/);
  });

  test('a configuration file with a key in it is refused', async () => {
    const home = await mkdtemp(join(tmpdir(), 'lens-config-'));
    const { mkdir } = await import('node:fs/promises');
    await mkdir(join(home, 'lens'));
    const write = (text: string) => writeFile(join(home, 'lens', 'config.json'), text);
    await write('{"llm": {"apiKey": "sk-1"}}');
    await expect(readModelFile({ XDG_CONFIG_HOME: home })).rejects.toMatchObject({ code: 'file-malformed' });
    await write(
      '{"llm": {"model": "claude-opus-5-5", "fallback": [{"provider": "ollama", "model": "qwen3"}]}, "watch": 1}',
    );
    expect((await readModelFile({ XDG_CONFIG_HOME: home })).model).toBe('claude-opus-5-5');
    expect(await readModelFile({ XDG_CONFIG_HOME: join(home, 'none') })).toEqual({});
  });
});
