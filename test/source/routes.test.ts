import { expect, test } from 'vitest';
import { handlersOf } from '../../src/source/routes.js';

const lines = (text: string, route: string) => handlersOf(text, route).map(({ line0, fit }) => [line0 + 1, fit]);

test('the handler of a route is where its path is given, in the styles of express, fastify, hapi and decorators', () => {
  const express = `const r = Router();\nr.get('/orders/:id', show);\nr.get('/orders/open', async (req, res) => {\n  res.json(all);\n});`;
  expect(lines(express, '/api/orders/open')).toEqual([
    [3, 2],
    [2, 1],
  ]);
  expect(lines(express, '/api/orders/:id')).toEqual([[2, 2]]);
  const hapi = `module.exports = {\n  method: 'GET',\n  path: '/orders/open',\n  handler: async () => all,\n};`;
  expect(lines(hapi, '/orders/open')).toEqual([[4, 2]]);
  const nest = `__decorate([\n  (0, common_1.Get)('open'),\n], Orders.prototype, 'open', null);`;
  expect(lines(nest, '/orders/open')).toEqual([[2, 1]]);
});

test('a text that only says the same is no handler, and the longer path fits better', () => {
  expect(lines(`fetch('/orders/open');\nconst path = '/orders/open';`, '/orders/open')).toEqual([]);
  const both = `app.get('/open', a);\napp.get('/orders/open', b);`;
  expect(lines(both, '/orders/open')).toEqual([
    [2, 2],
    [1, 1],
  ]);
});
