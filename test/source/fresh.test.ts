import { expect, test } from 'vitest';
import { freshlyMadeBy, receiverMadeAt } from '../../src/source/fresh.js';

const at = (text: string, word: string) => {
  const before = text.slice(0, text.indexOf(word)).split('\n');
  return { line0: before.length - 1, column0: before.at(-1)?.length ?? 0 };
};

test.each([
  ['const { S3 } = require("@aws/s3");\nfunction read(key) {\n  const s3 = new S3({});\n  return s3.send(key);\n}', 2],
  ['import { S3 } from "@aws/s3";\nexport const read = async key => (await new S3({}).send(key)).Body;', 1],
  [
    'import * as redis from "@aws/s3";\nasync function read() {\n  const c = await redis.createClient();\n  await c.send(1);\n}',
    2,
  ],
])('a client that the same function makes is found at its making', (text, line0) => {
  expect(receiverMadeAt(text, at(text, 'send'))).toMatchObject({ package: '@aws/s3', line0 });
});

test.each([
  'const { connect } = require("./storage");\nasync function read(key) { return await connect().send(key); }',
  'async function read(key) {\n  const client = await this.stores.connect();\n  return client.send(key);\n}',
])('of a function that makes the client the name is told', text => {
  expect(receiverMadeAt(text, at(text, 'send'))).toEqual({ maker: 'connect' });
});

test.each([
  'const { S3 } = require("@aws/s3");\nconst s3 = new S3({});\nfunction read(key) { return s3.send(key); }',
  'function read(client, key) { return client.send(key); }',
])('what lasts longer than the call is made by nobody anew', text => {
  expect(receiverMadeAt(text, at(text, 'send'))).toBeUndefined();
});

test.each([
  ['const { S3 } = require("@aws/s3");\nfunction connect() {\n  return new S3({ region });\n}', 2],
  ['import { S3 } from "@aws/s3";\nexport const connect = () =>\n  new S3({ region });', 2],
  [
    'import S3 from "@aws/s3";\nclass Stores {\n  connect() {\n    const made = new S3();\n    made.on("error", log);\n    return made;\n  }\n}',
    3,
  ],
])('a function that answers a new thing of a package is known by its text', (text, line0) => {
  expect(freshlyMadeBy(text, 'connect')).toMatchObject({ package: '@aws/s3', line0 });
});

test.each([
  'const { S3 } = require("@aws/s3");\nlet s3;\nfunction connect() {\n  s3 ??= new S3({});\n  return s3;\n}',
  'const { S3 } = require("@aws/s3");\nconst all = new Map();\nfunction connect(id) {\n  if (all.has(id)) return all.get(id);\n  const made = new S3();\n  all.set(id, made);\n  return made;\n}',
  'const { S3 } = require("./s3");\nconst connect = () => new S3();',
])('… and not one that may answer an older thing, or one of the application', text => {
  expect(freshlyMadeBy(text, 'connect')).toBeUndefined();
});
