import { appendFile, mkdir, stat, truncate } from 'node:fs/promises';
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
      const before = await stat(path).catch(() => undefined);
      const lines = events.map(event => `${JSON.stringify(event)}\n`).join('');
      await appendFile(path, lines, { mode: 0o600 }).catch(async error => {
        // A disk that fills up takes a part; all of it comes again.
        if (before?.isFile()) await truncate(path, before.size).catch(() => undefined);
        throw error;
      });
    },
  };
}
