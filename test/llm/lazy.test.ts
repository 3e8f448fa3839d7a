import { build, type Metafile } from 'esbuild';
import { beforeAll, expect, test } from 'vitest';

const ROOT = new URL('../../', import.meta.url).pathname;
const HEAVY = [
  '@anthropic-ai/sdk',
  '@modelcontextprotocol/sdk',
  'quickjs',
  'node_modules/ink/',
  'src/operators/model-planner',
];

let outputs: Metafile['outputs'];

/** What a chunk loads without anybody asking for it. */
function loadedBy(source: string): string[] {
  const start = Object.keys(outputs).find(name => outputs[name]!.entryPoint === source);
  if (!start) throw new Error(`${source} is no chunk of its own`);
  const seen = new Set<string>([start]);
  for (const name of seen) {
    for (const { path, kind, external } of outputs[name]!.imports) {
      if (!external && kind !== 'dynamic-import') seen.add(path);
    }
  }
  return [...seen].flatMap(name => Object.keys(outputs[name]!.inputs));
}

const heavyIn = (inputs: readonly string[]) => HEAVY.filter(heavy => inputs.some(input => input.includes(heavy)));

beforeAll(async () => {
  const { metafile } = await build({
    absWorkingDir: ROOT,
    entryPoints: ['src/cli.ts'],
    outdir: 'dist',
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    write: false,
    metafile: true,
    alias: { 'react-devtools-core': `${ROOT}scripts/absent.mjs` },
    logLevel: 'silent',
  });
  outputs = metafile.outputs;
});

test('help and rule runs load no SDK, no MCP, no sandbox, no terminal view', () => {
  for (const source of ['src/cli.ts', 'src/commands/run.ts', 'src/commands/ask.ts', 'src/commands/mcp.ts']) {
    expect(heavyIn(loadedBy(source)), source).toEqual([]);
  }
});

test('the command line itself loads no zod', () => {
  expect(loadedBy('src/cli.ts').filter(input => input.includes('node_modules/zod'))).toEqual([]);
});

test('each heavy part is there, once somebody asks for it', () => {
  const everything = Object.values(outputs).flatMap(output => Object.keys(output.inputs));
  expect(heavyIn(everything)).toEqual(HEAVY.filter(heavy => heavy !== 'quickjs'));
});
