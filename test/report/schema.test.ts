import { readFileSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { reportSchema, schemaCoversReport } from '../../src/model/report-schema.js';

const published = new URL('../../docs/report.schema.json', import.meta.url);

test('docs/report.schema.json is what the code says (UPDATE=1 writes it)', () => {
  const text = `${JSON.stringify(z.toJSONSchema(reportSchema), null, 2)}\n`;
  if (process.env.UPDATE) writeFileSync(published, text);
  expect(readFileSync(published, 'utf8')).toBe(text);
});

test('the schema has every field of the types it describes', () => {
  // The types decide at compile time; this only keeps the claim in sight.
  expect(schemaCoversReport.every(Boolean)).toBe(true);
});
