import { expect, test } from 'vitest';
import { Redactor, secretValues } from '../../src/base/redact.js';

const redact = (text: string) => new Redactor().redact(text);

const PLANTED: readonly [what: string, text: string, secret: string][] = [
  ['a url with credentials', 'connect postgres://app:s3cr3t-pw@db:5432/orders', 's3cr3t-pw'],
  ['a bearer token', 'GET /x Authorization: Bearer abc123def456ghi', 'abc123def456ghi'],
  ['basic auth', 'authorization: Basic dXNlcjpwYXNzd29yZA==', 'dXNlcjpwYXNzd29yZA=='],
  ['a JSON password', '{"user":"ann","password":"hunter2"}', 'hunter2'],
  ['an escaped JSON password', '"{\\"password\\":\\"hunter2\\"}"', 'hunter2'],
  ['a query string', 'GET /cb?code=7&access_token=f00ba12 HTTP/1.1', 'f00ba12'],
  ['an environment line', 'DB_PASSWORD=correct-horse', 'correct-horse'],
  ['an object printed by console.log', "{ apiKey: 'k-9d8f7' }", 'k-9d8f7'],
  ['a log line', 'session token: 8f3a9c0d11', '8f3a9c0d11'],
  ['a JWT', 'got eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.dozjgNryP4J3jVmN', 'eyJzdWIiOiIxMjM0In0'],
  ['an AWS key id', 'using AKIAIOSFODNN7EXAMPLE now', 'AKIAIOSFODNN7EXAMPLE'],
  ['a GitHub token', `push with ghp_${'a1B2'.repeat(9)}`, 'a1B2a1B2'],
  ['a model key', `key sk-ant-api03-${'x9'.repeat(20)}`, 'x9x9x9'],
  ['a cookie header', 'cookie: sid=s%3Aabc.def; theme=dark', 's%3Aabc.def'],
  ['a private key', '-----BEGIN RSA PRIVATE KEY-----\nMIIEow\n-----END RSA PRIVATE KEY-----', 'MIIEow'],
  ['a card number', 'card 4242 4242 4242 4242 declined', '4242 4242'],
];

test.each(PLANTED)('%s is taken out', (_, text, secret) => {
  const clean = redact(text);
  expect(clean).not.toContain(secret);
  expect(clean).toContain('[secret-1]');
});

test.each([
  'SyntaxError: Unexpected token } in JSON at position 17',
  'Invalid token: identifier expected',
  'const token = createToken(user);',
  'this.password = options.password;',
  'password=e.password,token=t.auth.token',
  "type: 'password', name: 'token'",
  "passwordError: 'Password is required'",
  'tokens used: 18234, cache key: user:42',
  'at Object.<anonymous> (file:///srv/app/src/session-token.mjs:12:34)',
  'https://registry.example.org/@scope/pkg@1.2.3',
  'took 1732231231234 ms since 1732231231234',
  'commit 3f786850e387550fdab836ed7e6dc881de23001b',
])('code and prose stay as they are: %s', text => {
  expect(redact(text)).toBe(text);
});

test('the same secret has one placeholder, and comes back', () => {
  const redactor = new Redactor();
  const clean = redactor.redact('password=hunter2 then password=other77 then password=hunter2');
  expect(clean).toBe('password=[secret-1] then password=[secret-2] then password=[secret-1]');
  expect(redactor.restore(clean)).toBe('password=hunter2 then password=other77 then password=hunter2');
  expect(redactor.redact(clean)).toBe(clean);
});

test("values of the target's environment are hidden wherever they appear, common words are not", () => {
  const redactor = new Redactor();
  redactor.learn(
    secretValues({
      STRIPE_KEY: 'pk9-Zebra-77',
      DB_PASSWORD: 'postgres',
      DATABASE_URL: 'mysql://root:Tr0ub4dor@db/x',
      PORT: '8080',
      HOME: '/home/app',
      SSL_KEY: '/etc/ssl/key.pem',
    }),
  );
  expect(redactor.redact('charge failed for pk9-Zebra-77 with Tr0ub4dor')).toBe(
    'charge failed for [secret-1] with [secret-2]',
  );
  expect(redactor.redact('postgres on 8080 in /home/app with /etc/ssl/key.pem')).toContain(
    'postgres on 8080 in /home/app with /etc',
  );
});

test('nested values are cleaned by their key too, and untouched parts are not copied', () => {
  const samples = [1, 2, 3];
  const value = { ok: { deep: ['fine'] }, samples, login: { password: 'pw', pwd: 'secret99', user: 'ann' } };
  const clean = new Redactor().deep(value);
  expect(clean.login).toEqual({ password: 'pw', pwd: '[secret-1]', user: 'ann' });
  expect(clean.ok).toBe(value.ok);
  expect(clean.samples).toBe(samples);
});

test('a megabyte of ordinary text takes little time', () => {
  const text = 'const key = keys[i]; // token of the session\n'.repeat(25_000);
  const began = process.cpuUsage();
  redact(text);
  const { user } = process.cpuUsage(began);
  expect(user / 1000).toBeLessThan(1500);
});
