import type { RawFrame } from '../agents/stack.js';

const FRAME =
  /^\s*at (?:(?:async )?(?:new )?(.*?) \()?(?:async )?((?:file:\/\/|[A-Za-z]:\\|\/|node:|webpack).*?):(\d+):(\d+)\)?$/;

/** Frames of a stack's text as V8 writes it; lines of another form are left out. Positions 1-based. */
export function parseStack(stack: string): RawFrame[] {
  return stack.split('\n').flatMap(line => {
    const match = FRAME.exec(line);
    if (match === null) return [];
    const [, name = '', url = '', row, column] = match;
    return [{ name: name.replace(/ \[as .*\]$/, ''), url, line: Number(row), column: Number(column) }];
  });
}
