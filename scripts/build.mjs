// Bundles the command line (ESM, lazily split) and the agents that run inside a target (one self-contained script each).
import { readdirSync, rmSync } from 'node:fs';
import { build } from 'esbuild';

const root = new URL('..', import.meta.url).pathname;
const agents = readdirSync(`${root}src/agents`, { withFileTypes: true }).filter(entry => entry.isDirectory());

rmSync(`${root}dist`, { recursive: true, force: true });

await build({
  entryPoints: [`${root}src/cli.ts`],
  outdir: `${root}dist`,
  bundle: true,
  splitting: true,
  minifySyntax: true,
  format: 'esm',
  platform: 'node',
  target: 'node20.19',
  packages: 'bundle',
  define: { 'process.env.NODE_ENV': '"production"' },
  banner: {
    js: "import { createRequire as __lensRequire } from 'node:module'; const require = __lensRequire(import.meta.url);",
  },
  logLevel: 'warning',
});

// A target may be Node 18: what is injected is written down to its syntax.
await Promise.all(
  agents.map(({ name }) =>
    build({
      entryPoints: [`${root}src/agents/${name}/index.ts`],
      outfile: `${root}dist/agents/${name}.js`,
      bundle: true,
      format: 'iife',
      globalName: '__lensPart',
      platform: 'neutral',
      target: 'node18',
      minifyWhitespace: true,
      minifySyntax: true,
      logLevel: 'warning',
    }),
  ),
);
