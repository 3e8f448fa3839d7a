import type { CodeLocation } from '../model/location.js';
import type { OperatorView, Step } from '../model/skill.js';
import { namesOfModule } from '../source/bindings.js';
import { builtAt } from '../source/built-statements.js';
import { callAt, callSites } from '../source/calls.js';
import { ACQUIRE } from '../source/held.js';
import { jobsOf, nestedJob } from '../source/nested.js';
import { type Acquisition, acquisitions } from '../source/release.js';
import type { ScriptText } from '../source/script.js';
import { secondConnection } from '../source/second-connection.js';
import { askedAt } from '../source/statements.js';
import type { TextPosition } from '../source/syntax.js';
import { takings } from '../source/taking.js';
import { openTransactions } from '../source/transactions.js';
import type { Finding } from '../waiting/finding.js';
import { shapeOf } from '../waiting/pools.js';
import type { Frame } from '../waiting/waits.js';
import { locate } from './place.js';
import { textOf } from './waiting-place.js';

/** Who holds what the others wait for, and how it comes that it isn't given back. */
export interface HeldSite {
  readonly location: CodeLocation;
  readonly why: 'leaks' | 'waits-elsewhere' | 'nested' | 'tasks' | 'transaction' | 'second' | 'running' | 'jobs';
  /** It is taken from a pool: what comes is worked with and handed back. */
  readonly isThing: boolean;
}

/** A wrapper's wrapper's wrapper: further up, nothing is acquired any more. */
const MOST_CALLERS = 3;

/** The place that acquires what the others wait for and has a way out without giving it back; undefined when none is seen. */
export async function* leakSite(see: OperatorView, finding: Finding): Step<HeldSite | undefined> {
  const waiting = [finding.place, ...finding.others].filter((frame): frame is Frame => frame?.kind === 'user');
  const callers = finding.user.slice(1, MOST_CALLERS);
  // While some still come through, nothing is lost for good: it is held for long.
  const rank = finding.flow && finding.flow.out > 0 && !finding.silent ? rankHeld : rankLost;
  // Nobody takes a connection and drops it: an answer that isn't looked at is that of a query.
  const isSure = rank === rankHeld || (finding.holder !== undefined && shapeOf(finding.holder) === 'pool');
  const direct = yield* worstOf(see, waiting, rank, isSure);
  if (direct !== 'handed on') return direct;
  for (const caller of callers) {
    const above = yield* worstOf(see, [caller], rank, isSure);
    if (above !== 'handed on') return above;
  }
  return undefined;
}

/** A job under the holder's limit that waits for another job under it; looked for where nothing comes through any more. */
export async function* nestedSite(
  see: OperatorView,
  { holder, user }: Finding,
  urls: readonly string[],
): Step<HeldSite | undefined> {
  const names = namesOf(holder);
  for (const url of new Set([...user.map(frame => frame.url), ...urls.slice(0, MOST_FILES)])) {
    const script = names.size > 0 ? yield* textOf(see, url) : undefined;
    if (!script) continue;
    for (const name of names) {
      const site = nestedJob(script.text, name);
      if (site) return { location: locateAt(script, url, site, see.target.cwd), why: 'nested', isThing: false };
    }
  }
  return undefined;
}

/** Where the application gives a limiter the jobs that keep it: nothing comes through any more. */
export async function* jobsSite(
  see: OperatorView,
  { holder }: Finding,
  urls: readonly string[],
): Step<HeldSite | undefined> {
  for (const { script, url, text } of yield* filesOf(see, urls)) {
    const given = [...namesIn(script, url, holder)].flatMap(name => jobsOf(text, name))[0];
    if (given) return { location: locateAt(script, url, given, see.target.cwd), why: 'jobs', isThing: false };
  }
  return undefined;
}

/** By which names the application knows the holder. */
const namesOf = (holder: Finding['holder']): ReadonlySet<string> =>
  new Set((holder?.path ?? []).flatMap(step => ('name' in step && step.kind !== 'root' ? step.name : [])));

/** … and those under which one script does: what a module is as a whole has the name that each importer gives it. */
function namesIn({ text }: ScriptText, url: string, holder: Finding['holder']): ReadonlySet<string> {
  const [root, given] = holder?.path ?? [];
  const isWhole = given === undefined || (given.kind === 'property' && given.name === 'default');
  const file = isWhole && root?.kind === 'root' ? /^module (.+)$/.exec(root.name)?.[1] : undefined;
  return new Set([...namesOf(holder), ...(file === undefined ? [] : namesOfModule(text, url, file))]);
}

/** Files of an application that mention a pool; each costs one reading of its source. */
const MOST_FILES = 60;

/** The same for a holder whose waiters nobody saw begin: looks through the application's text for who takes it. */
export async function* leakSiteOf(
  see: OperatorView,
  { holder }: Finding,
  urls: readonly string[],
  least = holder ? 0 : RANKS['on-throw'],
): Step<HeldSite | undefined> {
  const files = yield* filesOf(see, urls);
  if (holder?.numbers.unreadBytes !== undefined) return askedOver(see, holder, files);
  const isPool = holder === undefined || shapeOf(holder) === 'pool';
  let worst: { rank: number; location: CodeLocation; isThing: boolean } | undefined;
  for (const { file, isOwn, ...taking } of takings(files, one => namesIn(one.script, one.url, holder))) {
    // Of who takes from something else, or from what is not known, only what is worked with like a connection counts.
    const isAlike = isPool && taking.isThing && rankLost(taking) > RANKS['on-throw'];
    const rank = isOwn || isAlike ? rankLost(taking) : 0;
    if (rank <= (worst?.rank ?? least)) continue;
    worst = { rank, location: locateAt(file.script, file.url, taking, see.target.cwd), isThing: taking.isThing };
  }
  const why = worst?.rank === HELD_FOR_EVER ? 'waits-elsewhere' : 'leaks';
  return worst && { location: worst.location, why, isThing: worst.isThing };
}

interface Read {
  readonly url: string;
  readonly text: string;
  readonly script: ScriptText;
}

async function* filesOf(see: OperatorView, urls: readonly string[]): Step<readonly Read[]> {
  const files: Read[] = [];
  for (const url of urls.slice(0, MOST_FILES)) {
    const script = yield* textOf(see, url);
    if (script) files.push({ url, text: script.text, script });
  }
  return files;
}

/** Whoever asks over a connection whose answers nobody reads has to read them: it need not be called taking. */
function askedOver(see: OperatorView, holder: Finding['holder'], files: readonly Read[]): HeldSite | undefined {
  for (const { script, url, text } of files) {
    const names = namesIn(script, url, holder);
    const asks = callSites(text).find(({ callee, kind }) => kind === 'call' && names.has(ownerName(callee)));
    if (asks) return { location: locateAt(script, url, asks, see.target.cwd), why: 'leaks', isThing: true };
  }
  return undefined;
}

/** How pools of threads or processes are given work: pool.run(task), pool.exec(name, args). */
const GIVES_WORK = /^(run|exec|execute|queue|submit|runTask|enqueue|invoke)$/i;
const WORKERS = /^_?max_?(threads|workers)$/i;

/** Where the application gives its work to a pool of workers, which are taken by tasks and not by callers. */
export async function* taskSiteOf(
  see: OperatorView,
  { holder }: Finding,
  urls: readonly string[],
): Step<HeldSite | undefined> {
  if (!holder || !Object.keys(holder.numbers).some(name => WORKERS.test(name))) return undefined;
  for (const url of urls.slice(0, MOST_FILES)) {
    const script = yield* textOf(see, url);
    const calls = script ? callSites(script.text) : [];
    const names = script ? namesIn(script, url, holder) : new Set<string>();
    const gives = calls.find(site => names.has(ownerName(site.callee)) && GIVES_WORK.test(site.method));
    if (script && gives) return { location: locateAt(script, url, gives, see.target.cwd), why: 'tasks', isThing: true };
  }
  return undefined;
}

/** Where work in a transaction asks its own pool for another connection. */
export async function* secondSite(see: OperatorView, urls: readonly string[]): Step<HeldSite | undefined> {
  const files = yield* filesOf(see, urls);
  for (const file of files) {
    const asked = secondConnection(file, files);
    if (asked)
      return { location: locateAt(file.script, file.url, asked, see.target.cwd), why: 'second', isThing: true };
  }
  return undefined;
}

/** Where the application asks what most connections of a pool are at. */
export async function* runningSite(
  see: OperatorView,
  statement: string,
  urls: readonly string[],
): Step<HeldSite | undefined> {
  const files = yield* filesOf(see, urls);
  const site = ({ script, url }: (typeof files)[number], at: TextPosition): HeldSite => ({
    location: locateAt(script, url, at, see.target.cwd),
    why: 'running',
    isThing: true,
  });
  for (const file of files) {
    const asked = askedAt(file.text, statement);
    if (asked) return site(file, asked);
  }
  const built = files.flatMap(file => {
    const at = builtAt(file.text, statement);
    return at ? [{ file, at }] : [];
  });
  const [best, next] = built.sort((a, b) => b.at.fit - a.at.fit);
  return best && best.at.fit !== next?.at.fit ? site(best.file, best.at) : undefined;
}

/** Where a transaction stays open, in the files of those who wait: a row that it has locked makes them wait for the database. */
export async function* transactionSite(see: OperatorView, { user, others }: Finding): Step<HeldSite | undefined> {
  for (const url of new Set([...user, ...others].map(frame => frame.url))) {
    const script = yield* textOf(see, url);
    const [open] = script ? openTransactions(script.text) : [];
    if (script && open)
      return { location: locateAt(script, url, open, see.target.cwd), why: 'transaction', isThing: false };
  }
  return undefined;
}

const locateAt = (script: ScriptText, url: string, { line0, column0 }: TextPosition, cwd: string): CodeLocation =>
  locate(script, { scriptId: '', url, line: line0, column: column0 }, cwd);

/** `pool` of `this.db.pool.connect`. */
const ownerName = (callee: string): string => callee.split('.').at(-2) ?? '';

/** What is done with a promise takes nothing. */
const CHAINS = /^(then|catch|finally)$/;

/** Looks at every place in the frames' files that makes the same call. `handed on`: none of them keeps what it acquires. */
async function* worstOf(
  see: OperatorView,
  frames: readonly Frame[],
  rank: (acquisition: Acquisition) => number,
  isSure: boolean,
): Step<HeldSite | 'handed on' | undefined> {
  let worst: { acquisition: Acquisition; location: CodeLocation } | undefined;
  let kept = 0;
  for (const url of new Set(frames.map(frame => frame.url))) {
    const script = yield* textOf(see, url);
    if (!script) continue;
    const here = frames.filter(frame => frame.url === url);
    const callees = new Set(here.flatMap(frame => callAt(script.text, frame.line - 1, frame.column - 1)?.callee ?? []));
    const sites = callSites(script.text).filter(site => callees.has(site.callee) && !CHAINS.test(site.method));
    const found = acquisitions(script.text, sites).filter(one => !isSure || isTaking(one));
    kept += found.length;
    for (const acquisition of found) {
      if (rank(acquisition) <= (worst ? rank(worst.acquisition) : 0)) continue;
      const spot = { scriptId: '', url, line: acquisition.line0, column: acquisition.column0 };
      worst = { acquisition, location: locate(script, spot, see.target.cwd) };
    }
  }
  if (kept === 0) return 'handed on';
  return (
    worst && {
      location: worst.location,
      why: isHeldRatherThanLost(worst.acquisition, rank) ? 'waits-elsewhere' : 'leaks',
      isThing: worst.acquisition.isThing,
    }
  );
}

/** What is never given back, is no thing and isn't called taking (`mailer.send()`): while it flows, an answer it is. */
const isTaking = ({ leaks, isThing, callee }: Acquisition): boolean =>
  leaks !== 'always' || isThing || ACQUIRE.test(callee.slice(callee.lastIndexOf('.') + 1));

const isHeldRatherThanLost = (acquisition: Acquisition, rank: (acquisition: Acquisition) => number): boolean =>
  acquisition.leaks === 'no' || (rank === rankHeld && isHeldLong(acquisition));

const RANKS = { no: 0, 'on-throw': 1, 'on-return': 2, always: 3 } as const;
/** Lost only if something in between throws. */
export const MAY_THROW: number = RANKS['on-throw'];

/** Given back on every way, and yet nothing comes through: then it is held for something that doesn't come either. */
const HELD_FOR_EVER = 0.5;

const rankLost = ({ leaks, waitsElsewhere }: Acquisition): number =>
  RANKS[leaks] || (waitsElsewhere ? HELD_FOR_EVER : 0);
/** Waiting for something else weighs most; that a query might throw in between says nothing about a pool that flows. */
const rankHeld = (acquisition: Acquisition): number =>
  acquisition.leaks === 'on-return'
    ? 5
    : isHeldLong(acquisition)
      ? 4
      : acquisition.leaks === 'on-throw'
        ? 0
        : RANKS[acquisition.leaks];
/** One of many locks may be lost while others still go round: a way out past the release is told first. */
const isHeldLong = ({ leaks, waitsElsewhere }: Acquisition): boolean => waitsElsewhere && leaks !== 'on-return';
