import { appendFile, mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Sink } from './sink.js';

/** Every event, a line each, appended to a file. */
export function ndjsonSink(path: string): Sink {
  return {
    name: `file ${path}`,
    batch: 500,
    wants: () => true,
    async deliver(events) {
      await mkdir(dirname(path), { recursive: true });
      await appendFile(path, events.map(event => `${JSON.stringify(event)}\n`).join(''), { mode: 0o600 });
    },
  };
}
