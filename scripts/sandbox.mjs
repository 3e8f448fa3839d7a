// Bundles the thread that holds the script machine, its WebAssembly inlined (dist/sandbox/worker.js).
import { build } from 'esbuild';

const root = new URL('..', import.meta.url).pathname;

export const buildSandbox = () =>
  build({
    entryPoints: [`${root}src/sandbox/worker.ts`],
    outfile: `${root}dist/sandbox/worker.js`,
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node20.19',
    minifySyntax: true,
    minifyWhitespace: true,
    logLevel: 'warning',
  });

/** For vitest. */
export const setup = () => buildSandbox().then(() => {});
