// Compiles the loops over a heap's graph (scripts/heap-graph, AssemblyScript) into src/heap/graph-bytes.ts.
// node scripts/heap-graph.mjs   after a change there; test/heap/kernel.test.ts keeps the two together.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import asc from 'assemblyscript/asc';

const folder = new URL('./heap-graph/', import.meta.url);

/** The text of src/heap/graph-bytes.ts. */
export async function graphSource() {
  const files = new Map(readdirSync(folder).map(name => [name, readFileSync(new URL(name, folder), 'utf8')]));
  let bytes;
  const { error, stderr } = await asc.main(
    ['index.ts', '--outFile', 'graph.wasm', '-O3', '--noAssert', '--runtime', 'stub', '--use', 'abort=']
      .concat(['--importMemory', '--sharedMemory', '--initialMemory', '1', '--maximumMemory', '65536'])
      .concat(['--enable', 'threads']),
    {
      readFile: name => files.get(name) ?? null,
      writeFile: (_, contents) => {
        bytes = Buffer.from(contents).toString('base64');
      },
      listFiles: () => [],
    },
  );
  if (error) throw new Error(stderr.toString());
  return `// Written by scripts/heap-graph.mjs; do not edit.
export const GRAPH =
  '${bytes}';
`;
}

if (process.argv[1] === import.meta.filename) {
  writeFileSync(new URL('../src/heap/graph-bytes.ts', import.meta.url), await graphSource());
}
