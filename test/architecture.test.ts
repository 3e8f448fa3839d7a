import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import ts from 'typescript';
import { expect, test } from 'vitest';

const src = join(import.meta.dirname, '..', 'src');

/** DESIGN: who may import whom. Siblings never import siblings; types obey the same rules as values. */
const MAY_IMPORT: Record<string, readonly string[] | 'everything'> = {
  base: [],
  model: ['base'],
  agents: ['model'],
  inspector: ['base', 'model'],
  heap: ['base', 'model'],
  cpu: ['base', 'model'],
  source: ['base', 'model'],
  waiting: ['base', 'model'],
  sandbox: ['base', 'model'],
  llm: ['base', 'model'],
  collectors: ['base', 'model', 'inspector', 'agents'],
  skills: ['base', 'model', 'heap', 'cpu', 'source', 'waiting'],
  monitor: ['base', 'model'],
  report: ['base', 'model'],
  stores: ['base', 'model'],
  operators: ['base', 'model', 'sandbox', 'llm'],
  coordinator: ['base', 'model', 'llm'],
  sinks: ['base', 'model', 'report'],
  tui: ['base', 'model', 'report'],
  mcp: 'everything',
  commands: 'everything',
  '': 'everything',
};

const PURE = ['base', 'model', 'heap', 'cpu', 'source', 'waiting', 'skills', 'monitor', 'report'];
const IMPURE: readonly [RegExp, string][] = [
  [/\bfrom 'node:/, 'imports node:*'],
  [/\bDate\.now\(|\bnew Date\(\)|\bperformance\.now\(/, 'reads a clock'],
  [/\bMath\.random\(|\brandomBytes\(|\brandomUUID\(/, 'uses randomness'],
  [/\bconsole\.\w+\(/, 'writes to the console'],
];
/** A timer is a clock too, but waiting is what this file is for; its callers own the time. */
const MAY_BE_IMPURE = new Set(['base/sleep.ts']);
const DRAWERS = /(^|\/)(utils?|helpers?|common|misc|core|managers?|services?)(\/|\.tsx?$)/;

const files = readdirSync(src, { recursive: true, encoding: 'utf8' }).filter(path => /\.tsx?$/.test(path));
const room = (path: string): string => (path.includes('/') ? (path.split('/')[0] ?? '') : '');

/** The code without comments and strings' insides, so that a sentence about a clock is not a clock. */
function codeOf(path: string): string {
  return readFileSync(join(src, path), 'utf8')
    .replace(/\/\*[\s\S]*?\*\//g, '')
    .replace(/(^|[^:])\/\/.*$/gm, '$1');
}

test('every room is on the plan', () => {
  const unknown = [...new Set(files.map(room))].filter(name => !(name in MAY_IMPORT));
  expect(unknown, 'give the room a floor in this table and in src/README.md').toEqual([]);
});

test('nobody imports from a room above or beside', () => {
  const wrong = files.flatMap(path => {
    const home = room(path);
    const allowed = MAY_IMPORT[home];
    if (allowed === 'everything' || allowed === undefined) return [];
    const imports = [...codeOf(path).matchAll(/(?:from|import)\s*\(?\s*'(\.[^']+)'/g)].map(m => m[1] ?? '');
    return imports.flatMap(target => {
      const into = room(relative(src, join(src, dirname(path), target)));
      return into === home || allowed.includes(into)
        ? []
        : [`${path} imports ${target}: ${home}/ may not import ${into}/`];
    });
  });
  expect(wrong, 'pass the value as an argument, or move the type to model/').toEqual([]);
});

test('rooms that think are pure: clock, randomness, files and console are given to them', () => {
  const wrong = files
    .filter(path => PURE.includes(room(path)) && !MAY_BE_IMPURE.has(path))
    .flatMap(path => IMPURE.filter(([pattern]) => pattern.test(codeOf(path))).map(([, what]) => `${path} ${what}`));
  expect(wrong, 'take it as a parameter; src/cli.ts makes it').toEqual([]);
});

test('no drawers: a folder or file says what it is about', () => {
  expect(files.filter(path => DRAWERS.test(path))).toEqual([]);
});

test('every skill and every collector is in its table of contents', () => {
  for (const [folder, marker] of [
    ['skills', /defineSkill\(/],
    ['collectors', /: Collector<'/],
  ] as const) {
    const index = readFileSync(join(src, folder, 'index.ts'), 'utf8');
    const missing = files.filter(
      path =>
        path.startsWith(`${folder}/`) &&
        marker.test(codeOf(path)) &&
        !index.includes(`'./${path.slice(folder.length + 1).replace(/\.ts$/, '.js')}'`),
    );
    expect(missing, `add it to src/${folder}/index.ts`).toEqual([]);
  }
});

/** Nor does code that the program calls: it would change `RegExp.$1`. */
test('code that runs in the target uses no regular expression', () => {
  const hasOne = (path: string): boolean => {
    let found = false;
    const look = (node: ts.Node): void => {
      found ||= node.kind === ts.SyntaxKind.RegularExpressionLiteral;
      ts.forEachChild(node, look);
    };
    look(ts.createSourceFile(path, readFileSync(join(src, path), 'utf8'), ts.ScriptTarget.Latest));
    return found;
  };
  expect(files.filter(path => room(path) === 'agents' && hasOne(path))).toEqual([]);
});
