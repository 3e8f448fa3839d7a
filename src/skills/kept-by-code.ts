import { sayBytes, sayShare } from '../base/say.js';
import type { AllocationSite } from '../heap/growth/allocation-sites.js';
import type { FaultClass } from '../model/fault.js';
import type { NotificationDraft } from '../model/notification.js';
import type { OperatorView, Step } from '../model/skill.js';
import { type Keeping, keepingsOf } from '../source/keeping.js';
import { lastingLocals } from '../source/lasting.js';
import { functionsAround } from '../source/names.js';
import { at, severityOf } from './leak-draft.js';
import { locate, sourceOf } from './place.js';

/** Files of the application that are read for it. */
const MOST_FILES = 30;
/** Links of a promise chain weigh little beside what they carry, but none of them should survive. */
const LINK_SHARE = 0.01;

/** A race keeps what its function made beside it; of a handler under way some is always there. */
const RACER_SHARE = 0.05;

/** Of a race that is over nothing is left, unless one of its promises goes on waiting; what the others ended with weighs more. */
const REACTION_SHARE = 0.001;

/** What a loop puts into a variable of its function is made there, most of it. */
const LOCAL_SHARE = 0.3;

const LEAST_SHARE: Readonly<Record<Keeping['how'], number>> = {
  chain: LINK_SHARE,
  finalizer: 0,
  race: RACER_SHARE,
  local: LOCAL_SHARE,
};

/** Live heap that rises without a collection in reach. */
export interface Rising {
  readonly bytesPerSecond: number;
  readonly observation: string;
  readonly sites: readonly AllocationSite[];
  readonly files: readonly { readonly scriptId: string; readonly url: string }[];
  readonly evidenceIds: readonly string[];
}

/** Neither a FinalizationRegistry nor a promise shows what it holds: the line that gives it to them does. */
export async function* keptByCode(see: OperatorView, rising: Rising): Step<NotificationDraft | undefined> {
  for (const { scriptId, url } of rising.files.slice(0, MOST_FILES)) {
    const script = yield* sourceOf(see, scriptId);
    if (!script) continue;
    for (const keeping of [...keepingsOf(script.text), ...lastingLocals(script.text)]) {
      const isSure = keeping.how === 'finalizer';
      const own = sitesOf(keeping, { scriptId, text: script.text }, rising.sites);
      const share = isSure ? 1 : own.reduce((sum, site) => sum + site.share, 0);
      if (share < (own.some(isRace) ? REACTION_SHARE : LEAST_SHARE[keeping.how])) continue;
      const spot = { scriptId, url, line: keeping.line0, column: keeping.column0 };
      const named = keeping.function === undefined ? spot : { ...spot, functionName: keeping.function };
      return draftOf(keeping, { rising, share, culprit: locate(script, named, see.target.cwd) });
    }
  }
  return undefined;
}

/** What survived of the allocations of the function around the line; a bundle may be one line, so columns count. */
function sitesOf({ how, around }: Keeping, { scriptId, text }: Read, sites: readonly AllocationSite[]) {
  return sites.filter(({ frame }) => {
    if (frame.scriptId !== scriptId) return false;
    const chain = functionsAround(text, { line0: frame.lineNumber, column0: frame.columnNumber });
    // What a loop keeps may be made by a callback in it.
    const near = how === 'local' ? chain : chain.slice(0, 1);
    return near.some(site => site.line0 === around?.line0 && site.column0 === around.column0);
  });
}

/** The bytes are a race's own: its reactions. */
export const isRace = ({ leaf }: AllocationSite): boolean => /^(race|any)$/.test(leaf?.functionName ?? '');

interface Read {
  readonly scriptId: string;
  readonly text: string;
}

interface Found {
  readonly rising: Rising;
  readonly share: number;
  readonly culprit: ReturnType<typeof locate>;
}

function draftOf({ how, code }: Keeping, { rising, share, culprit }: Found): NotificationDraft {
  const words = WORDS[how];
  return {
    anomalyType: words.type,
    faultClass: words.faultClass,
    severity: severityOf(rising.bytesPerSecond, undefined),
    title: `${words.title(`${culprit.function ?? 'the code'}${at(culprit)}`)}: live heap grows by ${sayBytes(rising.bytesPerSecond)}/s`,
    context: `No collection in reach explains the growth. \`${code}\``,
    observation:
      how === 'finalizer'
        ? rising.observation
        : `${rising.observation} ${sayShare(share)} of what survived was allocated around this line.`,
    hypothesis: words.hypothesis,
    culprit,
    fix: words.fix,
    metrics: [{ name: 'live heap growth', value: Math.round(rising.bytesPerSecond), unit: 'B/s' }],
    evidenceIds: [...rising.evidenceIds],
    mechanism: true,
    confidence: 'medium',
  };
}

interface KeepingWords {
  readonly type: string;
  readonly faultClass: FaultClass;
  readonly title: (who: string) => string;
  readonly hypothesis: string;
  readonly fix: string;
}

const CHAIN: KeepingWords = {
  type: 'promise-chain',
  faultClass: 'memory.leak.promise',
  title: who => `${who} hangs each job on the promise of the one before it, faster than they settle`,
  hypothesis: 'A chain of promises is a queue without a bound: every job that waits keeps what it was called with.',
  fix: 'Bound the queue: count what waits and refuse or slow down the callers, or write several at once.',
};

const FINALIZER: KeepingWords = {
  type: 'self-held-finalizer',
  faultClass: 'memory.leak.closure',
  title: who =>
    `${who} gives a FinalizationRegistry a value that holds the object it waits for, so that it is never collected`,
  hypothesis: 'The registry keeps the value strongly until the object is gone, and the value keeps the object.',
  fix: 'Hand over only what the cleaning up needs (an id, a handle), never the object itself or a function that looks at it.',
};

const RACE: KeepingWords = {
  type: 'race-against-a-lasting-promise',
  faultClass: 'memory.leak.promise',
  title: who => `${who} races against a promise that was there before and goes on waiting`,
  hypothesis:
    'Promise.race leaves a reaction on each promise it was given. One that does not settle keeps all of them, with the values that the races ended with and what their callbacks refer to.',
  fix: 'Race against something that ends with the call: an AbortSignal whose listener is taken off, a timeout that is cleared, or one listener for all calls.',
};

const LOCAL: KeepingWords = {
  type: 'filled-in-a-loop',
  faultClass: 'memory.leak.collection',
  title: who => `${who} fills a collection in a loop that goes on for ever and takes nothing out`,
  hypothesis:
    'A variable of a function that never returns lives as long as the process: it is a cache without a bound.',
  fix: 'Take out what is done with, or bound it: an LRU with max and ttl, two generations, or a window of the last ids.',
};

const WORDS: Readonly<Record<Keeping['how'], KeepingWords>> = {
  chain: CHAIN,
  finalizer: FINALIZER,
  race: RACE,
  local: LOCAL,
};
