import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
// @ts-expect-error a build script without types
import { graphSource } from '../../scripts/heap-graph.mjs';
// @ts-expect-error a build script without types
import { kernelSource } from '../../scripts/heap-kernel.mjs';
import { Kernel } from '../../src/heap/parse/kernel.js';

test('the committed loops over the graph are what their script compiles', async () => {
  const committed = readFileSync(new URL('../../src/heap/graph-bytes.ts', import.meta.url), 'utf8');
  expect(committed).toBe(await graphSource());
});

test('the committed kernel is what its script assembles, and runs here', async () => {
  const committed = readFileSync(new URL('../../src/heap/parse/kernel-bytes.ts', import.meta.url), 'utf8');
  expect(committed).toBe(await kernelSource());
  expect(Kernel.make()).toBeDefined();
});
