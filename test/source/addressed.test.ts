import { expect, test } from 'vitest';
import { callsTo } from '../../src/source/addressed.js';

const lines = (text: string, segment: string): number[] => callsTo(text, segment).map(({ line0 }) => line0 + 1);

test('the call that writes a path down is who asks for it', () => {
  const text = 'function put(r) {\n return axios.put(`/gauges/` + r.id, r);\n}\nfetch("http://a/gauges");';
  expect(lines(text, 'gauges')).toEqual([2, 4]);
  expect(lines("function f() {\n request({ host, path: '/gauges' }, done); }", 'gauges')).toEqual([2]);
});

test('routes, longer names and plain texts are not', () => {
  expect(lines("app.get('/gauges/:id', show);\nfetch('/gauges2');\nconst path = '/gauges';", 'gauges')).toEqual([]);
});

test('a file of the same name is no peer', () => {
  const text = "const { dye } = require('./dyes');\nget(base + '/dyes/' + thread);";
  expect(callsTo(text, 'dyes')).toHaveLength(1);
});
