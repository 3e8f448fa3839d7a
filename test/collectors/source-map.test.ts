import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { readSourceMap } from '../../src/collectors/source-map.js';

const folder = mkdtempSync(join(tmpdir(), 'lens-map-'));
afterAll(() => rmSync(folder, { recursive: true }));
writeFileSync(join(folder, 'store.ts'), 'the written text');

const inline = (map: object) => `data:application/json;base64,${Buffer.from(JSON.stringify(map)).toString('base64')}`;

test.each([undefined, [null]])(
  'an inline map without the written text (%j) gets it from the file beside the script',
  async sourcesContent => {
    const map = inline({ version: 3, sources: ['store.ts'], mappings: 'AAAA', sourcesContent });
    const text = await readSourceMap(`file://${folder}/store.ts`, map, ['']);
    expect(JSON.parse(text ?? '')).toMatchObject({ sourcesContent: ['the written text'], mappings: 'AAAA' });
  },
);

test('an inline map that holds its sources is taken as it is, and so is that of a script without a file', async () => {
  const whole = inline({ version: 3, sources: ['store.ts'], mappings: '', sourcesContent: ['its own'] });
  expect(JSON.parse((await readSourceMap(`file://${folder}/store.ts`, whole, [''])) ?? '').sourcesContent).toEqual([
    'its own',
  ]);
  const without = inline({ version: 3, sources: ['store.ts'], mappings: '' });
  expect(JSON.parse((await readSourceMap('evalmachine.<anonymous>', without, [''])) ?? '')).not.toHaveProperty(
    'sourcesContent',
  );
});
