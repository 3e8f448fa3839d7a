import { sayCount, sayMs } from '../base/say.js';
import { type Suspect, sortGrowth } from '../heap/growth/suspects.js';
import { boundedBy } from '../heap/growth/verdict.js';
import type { CollectionGrowth, PathStep } from '../model/evidence/collection-growth.js';
import { type Evidence, isUsable } from '../model/evidence/index.js';
import type { NotificationDraft } from '../model/notification.js';
import type { OperatorView, Step } from '../model/skill.js';
import { isUserCode } from '../source/url.js';
import type { GrowthPlace } from './growth-home.js';
import { placeGrowth } from './growth-place.js';
import { GROWTH_PARAMS, GROWTH_STAYS_MS } from './growth-window.js';
import { sourceOf } from './place.js';
import { textOf } from './waiting-place.js';

/** Growing collections looked at, the costliest first. */
const MOST_SUSPECTS = 4;
/** How far above the entries a queue may say its name: `queue.#queue.#queue`, `limiter._queues._lists[*]`. */
const NAMED_WITHIN = 5;
/** Under which names programs and packages keep work that is still to be done. */
const QUEUE = /queue|pending|wait|backlog|jobs?$|tasks?$|todo|inbox|outbox|mailbox|work(load|list)?$/i;
/** What waits for its hour waits for no consumer. */
const BY_TIME = /schedul|recurr|cron|interval|timer/i;
const QUEUE_KINDS = new Set(['Array', 'Set', 'Map', 'list', 'chain']);
/** Its own code takes from the front or the end, one at a time: a consumer, where a cache or a log has none. */
const DEQUEUES =
  /\.(?:shift|pop|dequeue|poll|removeFirst|popFront)\(|\.splice\(\s*0\s*,|\b(?:shift|dequeue)\s*\(\s*\)\s*\{/;

/** Work that is put into a queue faster than its consumers take it out; undefined when no growing collection is one. */
export async function* backlog(see: OperatorView): Step<NotificationDraft | undefined> {
  const growth = yield* see.ask('collection-growth', GROWTH_PARAMS, GROWTH_STAYS_MS);
  if (!isUsable(growth)) return undefined;
  const leaking = sortGrowth(growth.data).leaking.slice(0, MOST_SUSPECTS);
  // What waits in a queue is often held elsewhere too: by its connection, say, whose own list then grows in step.
  for (const suspect of leaking.flatMap(one => [one, ...one.inStep.slice(0, MOST_SUSPECTS)])) {
    if (!isNamedQueue(suspect) || !(yield* isConsumed(see, suspect))) continue;
    const where = yield* placeGrowth(see, suspect);
    if (where.culprit && !boundedBy(suspect, where.bounds, growth.data)) return draftOf(suspect, where, growth);
  }
  return undefined;
}

/** What is pending by its id may just be forgotten; tasks by their id stand beside the list of those ids. */
const TASKS = /queue|backlog|jobs?$|tasks?$|todo/i;

function isNamedQueue({ row }: Suspect): boolean {
  const name = queueName(row.path);
  return name !== undefined && (QUEUE_KINDS.has(row.kind) || (row.kind === 'object' && TASKS.test(name)));
}

const queueName = (path: readonly PathStep[]): string | undefined => queueNames(path)[0];
/** `_tasks` of `exports.queue._tasks`. */
const innermostName = (path: readonly PathStep[]): string | undefined => queueNames(path).at(-1);

const queueNames = (path: readonly PathStep[]): string[] =>
  path
    .slice(-NAMED_WITHIN)
    .flatMap(step => ('name' in step && step.kind !== 'root' && isQueueName(step.name) ? step.name : []));

const isQueueName = (name: string): boolean => QUEUE.test(name) && !BY_TIME.test(name);

/** By the code beside the queue: of the class that owns it, else of the script with its variable. */
async function* isConsumed(see: OperatorView, { row, holder }: Suspect): Step<boolean> {
  const owner = row.ownerCode && (yield* sourceOf(see, row.ownerCode.scriptId));
  if (owner && DEQUEUES.test(owner.text)) return true;
  const home = holder.variable
    ? yield* sourceOf(see, holder.variable.seenBy.scriptId)
    : holder.moduleFile && (yield* textOf(see, holder.moduleFile));
  if (!home) return false;
  // A queue that the variable's own file never mentions is inside of a package's object, and packages that queue do run.
  const isPackages = owner === undefined || !isUserCode(owner.url);
  return DEQUEUES.test(home.text) || (isPackages && !home.text.includes(innermostName(row.path) ?? ''));
}

/** `limiter._queues` of `limiter._queues._lists[5]._last.prev`. */
function queueText(text: string, name: string | undefined): string {
  const end = name === undefined ? -1 : text.indexOf(name) + name.length;
  return end > 0 && name !== undefined && text.includes(name) ? text.slice(0, end) : text;
}

function draftOf(
  { row, holder }: Suspect,
  { culprit, related, fedBy }: GrowthPlace,
  growth: Evidence<CollectionGrowth>,
): NotificationDraft {
  const name = `\`${queueText(holder.text, queueName(row.path))}\``;
  const rate = sayCount(row.perSecond);
  const owner = holder.package === undefined ? '' : ` of package ${holder.package}`;
  const first = row.sizes.find(size => size !== null) ?? 0;
  const seconds = growth.status === 'unavailable' ? 0 : growth.data.seconds;
  return {
    anomalyType: 'queue-grows',
    faultClass: 'queue.backlog',
    severity: 'warning',
    title: `Work waits in ${name}${owner} and more comes in than is done: ${rate} more a second`,
    context: `Its consumers take from it while it grows; watched for ${sayMs(seconds * 1000)}.`,
    observation: `${sayCount(first)} waiting became ${sayCount(row.size)}, ${rate} more each second.`,
    hypothesis: `${fedBy ? `${fedBy.place.function ?? fedBy.place.file} puts work in` : 'Work is put in'} without waiting for it or looking at the length of the queue.`,
    ...(culprit && { culprit }),
    ...(related.length > 0 && { related }),
    fix: 'Bound the queue and refuse or slow down whoever feeds it when it is full; then add consumers or make one job cheaper.',
    metrics: [
      { name: 'waiting', value: row.size, unit: 'jobs', baseline: first },
      { name: 'more each second', value: row.perSecond, unit: '1/s' },
      { name: 'window', value: seconds, unit: 's' },
    ],
    evidenceIds: [growth.id],
    mechanism: true,
    confidence: 'high',
  };
}
