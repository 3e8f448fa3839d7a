// Bundles the command line (ESM, lazily split) and the agents that run inside a target (one self-contained script each).
import { readdirSync, rmSync } from 'node:fs';
import { basename } from 'node:path';
import { build } from 'esbuild';
import { buildAgents } from './agents.mjs';
import { buildSandbox } from './sandbox.mjs';

const root = new URL('..', import.meta.url).pathname;

const { metafile } = await build({
  metafile: true,
  entryPoints: [
    { in: `${root}src/cli.ts`, out: 'cli' },
    { in: `${root}src/commands/heap/worker.ts`, out: 'heap-worker' },
  ],
  outdir: `${root}dist`,
  bundle: true,
  splitting: true,
  minifySyntax: true,
  format: 'esm',
  platform: 'node',
  target: 'node20.19',
  packages: 'bundle',
  // Ink asks for it only when DEV=true; hoisted into the bundle it would break the start.
  alias: { 'react-devtools-core': `${root}scripts/absent.mjs` },
  define: { 'process.env.NODE_ENV': '"production"' },
  banner: {
    js: "import { createRequire as __lensRequire } from 'node:module'; const require = __lensRequire(import.meta.url);",
  },
  logLevel: 'warning',
});

// One file for `require`: a thread that has no use for the loader of modules starts in two thirds of the time.
const second = build({
  entryPoints: [`${root}src/commands/heap/second-worker.ts`],
  outfile: `${root}dist/heap-second.cjs`,
  bundle: true,
  minifySyntax: true,
  format: 'cjs',
  platform: 'node',
  target: 'node20.19',
  logLevel: 'warning',
});

await Promise.all([second, buildAgents(), buildSandbox()]);

// What an earlier build left goes only when asked: a lens that runs meanwhile still loads its own chunks.
if (process.argv.includes('--clean')) {
  const fresh = new Set(Object.keys(metafile.outputs).map(path => basename(path)));
  const stale = readdirSync(`${root}dist`).filter(name => /-[A-Z0-9]{8}\.js$/.test(name) && !fresh.has(name));
  for (const name of stale) rmSync(`${root}dist/${name}`);
}
