import { filePath } from '../base/script-url.js';
import type { DebuggerConnection, Session } from '../inspector/session.js';
import type { ScriptsParams } from '../model/evidence/scripts.js';
import type { ScriptSource } from '../model/evidence/source.js';
import type { Collector } from './collector.js';
import { fetchApplication, fetchTexts, rootsOf, sourceCollector, withMap } from './source.js';

/** Files of that name; more are listed by nobody. */
const MAX_NAMED = 40;
/** Threads of a pool run the same files: a few tell them all. */
const MAX_THREADS = 8;

/** The texts of the application's scripts, worker threads included: where a place that a person names is looked for. */
export const scriptsCollector: Collector<'scripts'> = {
  kind: 'scripts',
  title: 'Script texts',
  cost: 'pausing',
  estimate: (basis, _params) => sourceCollector.estimate?.(basis, { scriptId: '' }) ?? { pauseMs: 0, memoryBytes: 0 },
  async collect(session, params, context) {
    const threads: Session[] = [session, ...(await session.workers()).slice(0, MAX_THREADS)];
    const byUrl = new Map<string, ScriptSource>();
    let pausedMs = 0;
    for (const thread of threads) {
      const read = await context.exclusively(() => textsOf(thread, params, new Set(byUrl.keys())));
      if (thread === session) pausedMs = read.pausedMs;
      for (const source of read.sources) byUrl.set(source.url, await withMap(source, rootsOf(session)));
    }
    return { data: { scripts: [...byUrl.values()] }, pausedMs };
  },
};

/** Those that the last thread's reading didn't bring; a thread that ended meanwhile brings none. */
async function textsOf(thread: Session, { file }: ScriptsParams, known: ReadonlySet<string>) {
  const reading = thread.withDebugger(async debug => {
    const seen = [...debug.scripts].filter(([, { url }]) => known.has(url)).map(([id]) => id);
    const sources =
      file === undefined ? await fetchApplication(debug, new Set(seen)) : await named(debug, file, new Set(seen));
    return { sources, pausedMs: debug.pausedMs };
  });
  return reading.catch(error => {
    if (thread.lost.aborted && known.size > 0) return { sources: [], pausedMs: 0 };
    throw error;
  });
}

/** By the script's own path; where none has it the file may be an original one, behind a source map. */
async function named(debug: DebuggerConnection, file: string, seen: ReadonlySet<string>): Promise<ScriptSource[]> {
  const ids = [...debug.scripts].filter(([id, { url }]) => !seen.has(id) && filePath(url).endsWith(file));
  if (ids.length > 0)
    return fetchTexts(
      debug,
      ids.slice(-MAX_NAMED).map(([id]) => id),
    );
  return (await fetchApplication(debug, seen)).filter(({ sourceMapUrl }) => sourceMapUrl !== undefined);
}
