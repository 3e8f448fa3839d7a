import { expect, test } from 'vitest';
import { fitMarkdown } from '../../src/commands/fit-markdown.js';
import { progressLine } from '../../src/commands/progress.js';

const TEXT = `# A title of several words\n\n- An item that is longer than a line\n\n\`\`\`\nconst code = 'stays as it is, however long it may be';\n\`\`\`\n`;

test('in a terminal words stay whole at its width, items are indented and code is left as it is', () => {
  expect(fitMarkdown(TEXT, 20)).toBe(
    "# A title of several\n  words\n\n- An item that is\n  longer than a line\n\n```\nconst code = 'stays as it is, however long it may be';\n```\n",
  );
});

test('without a terminal it stays Markdown', () => {
  expect(fitMarkdown(TEXT, undefined)).toBe(TEXT);
});

test('what goes on is folded beside its time', () => {
  const event = { type: 'left.out', what: 'a child that does more', at: 1500, runId: '', traceId: '' } as const;
  expect(progressLine(event, 0)).toBe('[  1.5 s] not looked at: a child that does more');
  expect(progressLine(event, 0, 34)).toBe('[  1.5 s] not looked at: a child\n          that does more');
});
