import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { filePath, isFile } from '../../base/script-url.js';
import type { ScriptPlace } from '../../heap/index.js';
import { codeFrame } from '../../source/frame.js';
import { ScriptText } from '../../source/script.js';

/** Bundles beyond this are not read for one line. */
const MAX_SOURCE_BYTES = 16 * 1024 * 1024;
const MAX_MAP_BYTES = 48 * 1024 * 1024;
/** The comment that names the map is the last line of a script. */
const MAP_COMMENT = /[#@]\s*sourceMappingURL=(\S+)\s*(?:\*\/)?\s*$/;

/** The scripts that a heapSnapshot names, as files that are here to be read. Each is read once; a missing one is undefined. */
export class ScriptFiles {
  private readonly texts = new Map<string, ScriptText | undefined>();

  /** `roots` come before the paths of the target: `/proc/PID/root` of a container, then ''. */
  constructor(private readonly roots: readonly string[] = ['']) {}

  script(url: string): ScriptText | undefined {
    if (!this.texts.has(url)) this.texts.set(url, this.read(url));
    return this.texts.get(url);
  }

  /** Where a place of the running text was written: through the script's source map, else the place itself. */
  original(place: ScriptPlace): ScriptPlace {
    const found = isFile(place.url) ? this.script(place.url)?.original(place.line - 1, place.column - 1) : undefined;
    return found?.mapped ? { url: found.file, line: found.line, column: found.column } : place;
  }

  /** Numbered lines around a place that `original` gave; from the map, else from the file itself. */
  frame(place: ScriptPlace, running: ScriptPlace): string | undefined {
    const there = this.script(running.url)?.original(running.line - 1, running.column - 1);
    const known = there?.mapped ? this.script(running.url)?.frameAround(there) : undefined;
    const text = known === undefined ? this.textOf(place.url, MAX_SOURCE_BYTES) : undefined;
    return known ?? (text === undefined ? undefined : codeFrame(text, place.line, place.column));
  }

  private read(url: string): ScriptText | undefined {
    const text = this.textOf(url, MAX_SOURCE_BYTES);
    if (text === undefined) return undefined;
    const sourceMapUrl = MAP_COMMENT.exec(text.slice(text.lastIndexOf('\n', text.length - 2) + 1))?.[1];
    const sourceMap = sourceMapUrl === undefined ? undefined : this.mapText(filePath(url), sourceMapUrl);
    return new ScriptText({
      scriptId: '',
      url,
      text,
      ...(sourceMapUrl !== undefined && { sourceMapUrl }),
      ...(sourceMap !== undefined && { sourceMap }),
    });
  }

  private mapText(script: string, url: string): string | undefined {
    if (!url.startsWith('data:')) return this.textOf(resolve(dirname(script), filePath(url)), MAX_MAP_BYTES);
    const [, base64, body] = /^data:[^,]*?(;base64)?,(.*)$/s.exec(url) ?? [];
    if (body === undefined) return undefined;
    return base64 === undefined ? decodeURIComponent(body) : Buffer.from(body, 'base64').toString('utf8');
  }

  private textOf(url: string, limit: number): string | undefined {
    for (const root of this.roots) {
      const path = `${root}${filePath(url)}`;
      try {
        if (existsSync(path) && statSync(path).size <= limit) return readFileSync(path, 'utf8');
      } catch {
        // Not to be read by this user, or gone meanwhile: the place stays as V8 says it.
      }
    }
    return undefined;
  }
}
