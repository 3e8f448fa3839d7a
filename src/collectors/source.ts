import { filePath, isUserCode } from '../base/script-url.js';
import type { DebuggerConnection, Session } from '../inspector/session.js';
import { LensError } from '../model/error.js';
import type { ScriptSource, SourceParams } from '../model/evidence/source.js';
import type { Collector } from './collector.js';
import { type Roots, readFileOf, readSourceMap } from './source-map.js';

/** Debugger.enable walks the heap for its scripts: 18–30 ns a node, of some 80 bytes. */
const ENABLE_NS_PER_BYTE = 30 / 80;
const ENABLE_AT_LEAST_MS = 5;
/** The application's own files are fetched along with the first one asked for, so that later questions cost nothing. */
const MAX_PREFETCHED = 120;
const MAX_PREFETCHED_CHARACTERS = 6_000_000;

interface Script {
  readonly url: string;
  readonly sourceMapUrl?: string;
}

/** What one session has already told: a loaded script's text never changes under its id. */
interface Library {
  readonly sources: Map<string, ScriptSource>;
  /** Script ids by path (a stack says `/a/b.js` where a script says `file:///a/b.js`), of all scripts known at the last visit; the newest script wins. */
  readonly ids: Map<string, string>;
  /** Urls by script id, of all scripts seen so far: V8 forgets those of modules that left no function behind. */
  readonly urls: Map<string, string>;
  visit: Promise<number>;
}

const libraries = new WeakMap<Session, Library>();

function libraryOf(session: Session): Library {
  const library = libraries.get(session) ?? {
    ...{ sources: new Map(), ids: new Map(), urls: new Map() },
    visit: Promise.resolve(0),
  };
  libraries.set(session, library);
  return library;
}

/** Scripts that somebody else has seen: their files can be read when they are gone. */
export function rememberScripts(session: Session, scripts: ReadonlyMap<string, string>): void {
  const { urls } = libraryOf(session);
  for (const [id, url] of scripts) urls.set(id, url);
}

/** A script's text from the target's memory with its source map; the first one costs a short Debugger session. */
export const sourceCollector: Collector<'source'> = {
  kind: 'source',
  title: 'Script text',
  cost: 'pausing',
  estimate: ({ heapUsedBytes }) => ({
    pauseMs: ENABLE_AT_LEAST_MS + (heapUsedBytes * ENABLE_NS_PER_BYTE) / 1e6,
    memoryBytes: 0,
  }),
  async collect(session, params) {
    const library = libraryOf(session);
    const visited = library.visit.catch(() => 0).then(() => visitFor(session, params, library));
    library.visit = visited;
    const pausedMs = await visited;
    const data = library.sources.get(idOf(params, library));
    if (!data) throw new LensError('protocol', `The target has no script ${params.scriptId || params.url} any more.`);
    return { data, pausedMs };
  },
};

/** One visit at a time: an earlier one may already have brought what is asked for. */
async function visitFor(session: Session, params: SourceParams, library: Library): Promise<number> {
  return library.sources.has(idOf(params, library)) ? 0 : visit(session, params, library);
}

const idOf = ({ scriptId, url }: SourceParams, { ids }: Library): string =>
  scriptId || (ids.get(filePath(url ?? '')) ?? '');

/** Where the target's files are to be seen from here. */
export function rootsOf({ target }: Session): Roots {
  return target.pid > 0 ? [`/proc/${target.pid}/root`, ''] : [];
}

async function visit(session: Session, params: SourceParams, library: Library): Promise<number> {
  const roots = rootsOf(session);
  const { sources, ids, urls } = library;
  const fetched: ScriptSource[] = [];
  const pausedMs = await session.withDebugger(async debug => {
    for (const [id, { url }] of debug.scripts) {
      ids.set(filePath(url), id);
      urls.set(id, url);
    }
    const asked = [idOf(params, library), ...(params.also ?? [])].filter(id => id !== '' && !sources.has(id));
    fetched.push(...(await fetchTexts(debug, asked)));
    const gone = asked.filter(id => !fetched.some(({ scriptId }) => scriptId === id));
    fetched.push(...(await forgottenTexts(gone, urls, roots)));
    fetched.push(...(await fetchApplication(debug, new Set([...asked, ...sources.keys()]))));
    return debug.pausedMs;
  });
  for (const source of fetched) sources.set(source.scriptId, await withMap(source, roots));
  return pausedMs;
}

/** From its file, for a script that V8 has forgotten; a path or url may stand for its id. */
async function forgottenTexts(
  ids: readonly string[],
  urls: ReadonlyMap<string, string>,
  roots: Roots,
): Promise<ScriptSource[]> {
  const texts = ids.map(async scriptId => {
    const url = urls.get(scriptId) ?? scriptId;
    const text = isUserCode(url) ? await readFileOf(url, roots) : undefined;
    return text === undefined ? [] : [{ scriptId, url, text }];
  });
  return (await Promise.all(texts)).flat();
}

/** Texts of the scripts with these ids; one that is gone meanwhile is left out. */
export async function fetchTexts(debug: DebuggerConnection, ids: readonly string[]): Promise<ScriptSource[]> {
  const texts = ids.map(async scriptId => {
    const script: Script = debug.scripts.get(scriptId) ?? { url: '' };
    const text = await debug.send('Debugger.getScriptSource', { scriptId }).catch(() => undefined);
    return text === undefined ? [] : [{ scriptId, ...script, text: text.scriptSource }];
  });
  return (await Promise.all(texts)).flat();
}

/** The application's own scripts beside those known already. In small batches, each as large as fits, because a script's length is known only once it has come. */
export async function fetchApplication(debug: DebuggerConnection, known: ReadonlySet<string>): Promise<ScriptSource[]> {
  const ids = [...debug.scripts].filter(([id, { url }]) => !known.has(id) && isUserCode(url)).map(([id]) => id);
  const fetched: ScriptSource[] = [];
  let characters = 0;
  for (let at = 0; at < Math.min(ids.length, MAX_PREFETCHED) && characters < MAX_PREFETCHED_CHARACTERS; at += 16) {
    const batch = await fetchTexts(debug, ids.slice(at, at + 16));
    characters += batch.reduce((sum, { text }) => sum + text.length, 0);
    fetched.push(...batch);
  }
  return fetched;
}

/** With its source map, where one can be read. */
export async function withMap(source: ScriptSource, roots: Roots): Promise<ScriptSource> {
  if (!source.sourceMapUrl) return source;
  const sourceMap = await readSourceMap(source.url, source.sourceMapUrl, roots).catch(() => undefined);
  return sourceMap === undefined ? source : { ...source, sourceMap };
}
