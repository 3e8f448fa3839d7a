import { readFile, stat } from 'node:fs/promises';
import { dirname, isAbsolute, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** A map beyond this takes lens longer to read than a person waits. */
const MAX_MAP_BYTES = 48 * 1024 * 1024;
/** Sources are read from disk only for small projects; bundlers embed them. */
const MAX_SOURCES_READ = 64;
const MAX_SOURCE_BYTES = 512 * 1024;

/** Where the target's files are to be seen from here: through its own root first, because it may be in a container. */
export type Roots = readonly string[];

/** The JSON text of a script's source map, from its data: url or a local file; never from the network. */
export async function readSourceMap(scriptUrl: string, mapUrl: string, roots: Roots): Promise<string | undefined> {
  const script = localPath(scriptUrl);
  if (mapUrl.startsWith('data:')) {
    const inline = dataUrlText(mapUrl);
    return inline === undefined || script === undefined ? inline : withSources(inline, script, roots);
  }
  const path = script === undefined ? undefined : (localPath(mapUrl) ?? resolve(dirname(script), decodeURI(mapUrl)));
  if (path === undefined || /^https?:/.test(mapUrl)) return undefined;
  const text = await readLocal(path, roots, MAX_MAP_BYTES);
  return text === undefined ? undefined : withSources(text, path, roots);
}

/** The text of a script's own file; undefined where it can't be read, or is too big to be written by hand. */
export async function readFileOf(url: string, roots: Roots): Promise<string | undefined> {
  const path = localPath(url);
  return path === undefined ? undefined : readLocal(path, roots, MAX_SOURCE_BYTES);
}

function dataUrlText(url: string): string | undefined {
  const comma = url.indexOf(',');
  if (comma === -1 || comma > 200 || url.length > MAX_MAP_BYTES) return undefined;
  const body = url.slice(comma + 1);
  try {
    return url.slice(0, comma).endsWith(';base64')
      ? Buffer.from(body, 'base64').toString('utf8')
      : decodeURIComponent(body);
  } catch {
    return undefined;
  }
}

function localPath(url: string): string | undefined {
  try {
    if (url.startsWith('file:')) return fileURLToPath(url);
  } catch {
    return undefined;
  }
  return isAbsolute(url) ? url : undefined;
}

async function readLocal(path: string, roots: Roots, limit: number): Promise<string | undefined> {
  for (const root of roots) {
    try {
      const file = `${root}${path}`;
      if ((await stat(file)).size <= limit) return await readFile(file, 'utf8');
    } catch {
      // Absent, unreadable or in another place: the next root may have it.
    }
  }
  return undefined;
}

interface MapText {
  readonly sources?: readonly (string | null)[];
  readonly sourceRoot?: string;
  readonly sourcesContent?: readonly (string | null)[];
}

/** tsc and tsx leave the written text out of their maps; it usually lies beside them. */
async function withSources(text: string, mapPath: string, roots: Roots): Promise<string> {
  const map = parsed(text);
  const isWhole = map?.sourcesContent?.some(content => typeof content === 'string');
  if (!map?.sources || isWhole || map.sources.length > MAX_SOURCES_READ) return text;
  const base = resolve(dirname(mapPath), map.sourceRoot ?? '');
  const contents = map.sources.map(source => {
    const path = source === null ? undefined : (localPath(source) ?? resolve(base, source));
    return path === undefined ? undefined : readLocal(path, roots, MAX_SOURCE_BYTES);
  });
  const sourcesContent = (await Promise.all(contents)).map(content => content ?? null);
  return JSON.stringify({ ...map, sourcesContent });
}

function parsed(text: string): MapText | undefined {
  try {
    // Only these three optional fields are read, and a wrong shape is caught by the reader of the map.
    return JSON.parse(text) as MapText;
  } catch {
    return undefined;
  }
}
