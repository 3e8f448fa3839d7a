import { expect, test } from 'vitest';
import { modelServer } from '../../llm/model-server.js';
import { talking } from './conversation.js';
import { PromptCache } from './prompt-cache.js';
import { leaksIn, PLANTED } from './secrets.js';

test.each([
  ['whole', (secret: string) => secret],
  ['reversed', (secret: string) => [...secret].reverse().join('')],
  ['as character codes', (secret: string) => [...secret].map(c => c.charCodeAt(0)).join('.')],
  ['cut', (secret: string) => secret.slice(0, 16)],
])('a planted secret is found %s', (_, disguised) => {
  for (const [at, secret] of PLANTED.entries())
    expect(leaksIn('report.md', `x ${disguised(secret)} y`)).toEqual([`SECRET ${at + 1} in report.md`]);
  expect(leaksIn('report.md', 'x [secret-1] y')).toEqual([]);
});

test('the cache holds what was sent before, byte for byte, and nothing shorter than a thousand tokens', () => {
  const cache = new PromptCache();
  const [prefix, first, second] = ['p'.repeat(3500), 'a'.repeat(3500), 'b'.repeat(700)];
  expect(cache.count([prefix, first])).toEqual({ fresh: 0, read: 0, written: 2000 });
  expect(cache.count([prefix, first, second])).toEqual({ fresh: 0, read: 2000, written: 200 });
  expect(cache.count([`${prefix}!`, first])).toMatchObject({ read: 0 });
  expect(new PromptCache().count(['short'])).toEqual({ fresh: 1, read: 0, written: 0 });
});

test('both protocols are one conversation', async () => {
  const heard: unknown[] = [];
  await using server = await modelServer(
    talking(conversation => {
      heard.push(conversation);
      return { text: 'ok' };
    }),
  );
  const ask = (path: string, body: object) =>
    fetch(server.url + path, { method: 'POST', body: JSON.stringify(body) }).then(answer => answer.text());
  const tools = [{}];
  await ask('/v1/messages', {
    tools,
    system: [{ type: 'text', text: 'S' }],
    messages: [
      { role: 'user', content: [{ type: 'text', text: 'begin' }] },
      { role: 'assistant', content: [] },
      { role: 'user', content: [{ type: 'tool_result', content: 'answer' }] },
    ],
  });
  await ask('/v1/chat/completions', {
    tools,
    messages: [
      { role: 'system', content: 'S' },
      { role: 'user', content: 'begin' },
      { role: 'assistant', content: null },
      { role: 'tool', content: 'answer' },
    ],
  });
  const expected = {
    system: 'S',
    opening: 'begin',
    turn: 1,
    answers: [{ text: 'answer', failed: false }],
    mayCall: true,
  };
  expect(heard).toEqual([expected, expected]);
});
