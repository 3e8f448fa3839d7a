import { sayBytes, sayMs, sayShare } from '../base/say.js';
import { isOneByOne } from '../waiting/downstream.js';
import type { Finding } from '../waiting/finding.js';
import { poolState } from '../waiting/pools.js';
import { runningMost } from '../waiting/running.js';
import type { HeldSite } from './leak-site.js';

export interface Words {
  readonly title: string;
  /** The class' own fact, beside the flow of the route. */
  readonly seen: string;
  readonly hypothesis: string;
  readonly fix: string;
}

/** So much of a statement tells which one it is. */
const MOST_STATEMENT = 120;

type Why = HeldSite['why'] | undefined;

const nestedWords = (finding: Finding, name: string): Words => ({
  title: `A job in ${name} waits for another job of the same limiter or lock: once all places are taken by such, none ever ends`,
  seen: finding.holder ? `${finding.holder.waiting} wait in \`${finding.holder.name}.${finding.holder.queue}\`.` : '',
  hypothesis: 'The inner job can only begin when an outer one ends, and the outer one ends only after the inner one.',
  fix: 'Do not ask for the same limiter or lock while under it: call the unlimited function inside, or give the inner work a limiter of its own.',
});

const transactionWords = ({ place, waits, oldestMs }: Finding, name: string): Words => ({
  title: `${name} leaves a transaction open on one way out: what it has locked stays locked`,
  seen: `${place ? `Requests wait at ${place.function} for the database` : 'Requests wait for the database'}, up to ${sayMs(waits?.meanMs ?? oldestMs)}.`,
  hypothesis:
    'A return or an error between BEGIN and COMMIT gives the connection back to its pool with the transaction; whoever asks for a locked row waits until the connection is used or closed.',
  fix: 'End the transaction on every way out: COMMIT or ROLLBACK before each return (a helper that runs the work and ends it does both).',
});

const WORDS: { readonly [faultClass: string]: (finding: Finding, name: string, why: Why) => Words } = {
  'waiting.lock': (finding, name, why) =>
    why === 'nested'
      ? nestedWords(finding, name)
      : why === 'transaction'
        ? transactionWords(finding, name)
        : {
            title:
              why === 'waits-elsewhere'
                ? `${name} holds a lock while it waits for something else`
                : why === 'leaks'
                  ? `${name} takes a lock and does not always give it back`
                  : (finding.flow?.out ?? 0) > 0
                    ? `Requests queue for a lock in ${name}: what happens under it takes too long for one at a time`
                    : `Requests wait for a lock in ${name} that is not given back`,
            seen: finding.holder
              ? `${finding.holder.waiting} wait in \`${finding.holder.name}.${finding.holder.queue}\`.`
              : '',
            hypothesis:
              (finding.flow?.out ?? 0) > 0
                ? 'The lock goes round, but slower than requests come.'
                : 'Somebody returned or threw without releasing, or holds the lock while waiting for something that does not come.',
            fix: 'Release in a finally block that covers every way out, and do not wait for slow things while holding it.',
          },
  'waiting.unsettled': ({ place, maker, replies }, name) => ({
    title: replies
      ? `The answers that ${name} waits for do not come`
      : place || maker
        ? `A promise made in ${name} is never settled`
        : 'Requests are held that nothing will ever answer',
    seen: '',
    hypothesis: replies
      ? 'Whoever should answer (a worker thread, a peer) stands still, or answers under an id that nobody waits for.'
      : 'A path calls neither resolve nor reject: a callback that is forgotten, an event that does not come, or an early return.',
    fix: replies
      ? 'Give every question a time limit, and look at the side that should answer: what does it wait for?'
      : 'Settle the promise on every path (also on error, close and timeout), or race it with a time limit.',
  }),
  'pool.exhaustion': poolWords,
  'downstream.slow': ({ call, waits, lookups, silent }, name) =>
    lookups
      ? lookupWords(lookups, name)
      : {
          title: `${name} waits for slow answers${call ? ` from ${call.host}` : silent ? ` from ${silent.peer}` : ''}`,
          seen: call
            ? `${call.count} calls of ${call.target}: ${call.answered > 0 ? `answered after ${sayMs(call.p50Ms)} (median)` : 'none answered'}, ${call.open} still open, the oldest for ${sayMs(call.oldestOpenMs)}.`
            : silent
              ? `${silent.count} sockets to ${silent.peer} are open and moved no byte in the window.`
              : `One wait takes ${sayMs(waits?.meanMs ?? 0)} on average.`,
          hypothesis: 'The other side is slow or does not answer; the process itself only waits.',
          fix: 'Give the call a time limit and a fallback, and look at the other side.',
        },
  'downstream.retries': ({ call }, name) => ({
    title: `${name} repeats failing calls${call ? ` to ${call.host}` : ''}`,
    seen: call
      ? `${call.failed} of ${call.count} calls of ${call.target} failed, ${call.perRequest} calls per request, ${sayMs(call.gapMs)} between them.`
      : '',
    hypothesis:
      'Every failure is tried again at once or after a fixed pause, so that an ailing peer gets a multiple of the load.',
    fix: 'Limit the attempts, back off with jitter, and stop calling for a while after repeated failures (circuit breaker).',
  }),
  'downstream.chatty': ({ waits, few }, name) => ({
    title: `${name} asks ${few || (waits && isOneByOne(waits)) ? 'one after the other' : 'for each item by itself, all at once'}: ${waits?.perRequest ?? 0} round trips per request`,
    seen: waits
      ? `${waits.perRequest} waits per request at one place, ${sayMs(waits.meanMs)} each, overlap ${waits.overlap}: ${sayShare(waits.share)} of the request's ${sayMs(waits.wallMs)}.`
      : '',
    hypothesis: few
      ? 'A loop awaits each call before it begins the next: the request takes as long as all of them together.'
      : 'One call is made per item (N+1).',
    fix: few
      ? 'Where none needs the one before, begin them together (Promise.all over the list, with a limit), or ask for all in one call.'
      : 'Ask for all items in one call (a batch endpoint, IN (…), a DataLoader), or ask for each item once and with a limit.',
  }),
  'exceptions.swallowed': (_, name) => ({
    title: `Requests are left without an answer after an error past ${name}`,
    seen: 'Nothing pending belongs to them any more.',
    hypothesis: 'An error was thrown after this line and no handler answers the request.',
    fix: 'Pass the error on to the framework (next(error), reject) or answer in a catch block.',
  }),
  'queue.backlog': ({ flow, holder, overlap, paced }, name) => {
    if (paced)
      return {
        title: `Requests queue in ${name} for a rate limit: each that comes gets a later turn than the one before`,
        seen: `One turn every ${sayMs(paced.everyMs)}; the newest waits ${sayMs(paced.longestMs)} for its own.`,
        hypothesis: 'More comes than the limit lets through, and nobody is turned away.',
        fix: 'Refuse or merge what comes above the limit, cache what is asked again, or raise the limit to what the peer allows.',
      };
    if (overlap)
      return {
        title: `Runs of ${name} lie over each other: a timer begins one every ${sayMs(overlap.everyMs)} and none of the last ${overlap.runs} has ended`,
        seen: `${overlap.runs} runs began in the window, one every ${sayMs(overlap.everyMs)}; none of them ended in it.`,
        hypothesis: 'The timer does not wait for the run before, and a run takes longer than the pause between two.',
        fix: "Begin the next run when the last one has ended (setTimeout at its end, or the scheduler's own protection against overlaps).",
      };
    const seen = holder ? `${holder.waiting} wait in \`${holder.name}.${holder.queue}\`.` : '';
    if (flow && flow.out > 0)
      return {
        title: `Work queues up faster in ${name} than it is done`,
        seen,
        hypothesis: 'More is put in than the consumers take out.',
        fix: 'Bound the queue, refuse or slow down the producers, or add consumers.',
      };
    return {
      title: `What the queue of ${name} works on does not come back, and all others wait behind it`,
      seen,
      hypothesis: 'A path through the worker neither calls its callback nor settles its promise.',
      fix: 'Make the worker end on every path (also on early returns and errors), and give each job a time limit.',
    };
  },
};

const lookupWords = ({ count, oldestMs, host }: NonNullable<Finding['lookups']>, name: string): Words => ({
  title: `${name} waits for names to be resolved: its calls have not even begun`,
  seen: `${count} look-ups of host names are under way, the oldest for ${sayMs(oldestMs)}${host ? ` (${host})` : ''}.`,
  hypothesis:
    'The name server is slow, and `dns.lookup` asks it on two of the four threads of libuv: all others wait for a thread.',
  fix: "Keep connections alive, cache the addresses or resolve with `dns.resolve` (a `lookup` of one's own); mend or change the name server.",
});

function poolWords({ agent, holder, silent }: Finding, name: string, why: Why): Words {
  if (agent) {
    const unread = agent.unread > 0;
    return {
      title: unread
        ? `${name} never reads the answers of ${agent.host}, so its sockets are not given back`
        : `${name} waits for a socket: the agent's ${agent.maxSockets} are in use`,
      seen: `${agent.used} of ${agent.maxSockets || 'unlimited'} sockets to ${agent.host} are in use, ${agent.queued} requests are queued, ${agent.unread} answers are unread.`,
      hypothesis: unread
        ? 'A socket goes back to its agent only when the body has been read or destroyed.'
        : 'The agent allows fewer sockets than are needed at once, or those in use wait for answers that do not come.',
      fix: unread
        ? 'Read or destroy every body, also on an error status (response.resume(), body.cancel()).'
        : 'Give every call a time limit, so that a silent peer gives its socket back; raise maxSockets to what the peer can bear.',
    };
  }
  const unreadBytes = holder?.numbers.unreadBytes ?? 0;
  if (unreadBytes > 0) {
    return {
      title: `${name} does not read all answers it gets, so its connections are not given back`,
      seen: `${holder?.waiting ?? 0} calls wait in \`${holder?.name ?? ''}.${holder?.queue ?? ''}\`, whose connection has received ${sayBytes(unreadBytes)} that nobody reads.`,
      hypothesis: 'A connection is free again only when the body of its answer has been read or destroyed.',
      fix: 'Read or destroy every body, also on an error status (body.dump(), body.cancel(), response.resume()).',
    };
  }
  const state = holder && poolState(holder);
  if (why === 'tasks')
    return {
      title: `All ${state?.max ?? ''} workers of the pool that ${name} gives its tasks to are taken`,
      seen: `${state?.waiting ?? 0} tasks wait in \`${state?.name ?? ''}\`.`,
      hypothesis:
        'Tasks begin faster than the workers end them, or some tasks never end: an event that does not come, a promise nobody settles.',
      fix: 'Give each task a time limit, make the task settle on every path, and bound the queue of the pool.',
    };
  if (why === 'second')
    return {
      title: `${name} asks the pool for another connection while its transaction keeps one`,
      seen: `${state?.used ?? 'All'} of ${state?.max ?? 'the'} connections are in use, ${state?.waiting ?? 0} wait in \`${state?.name ?? ''}\`.`,
      hypothesis:
        'As soon as as many transactions run as the pool has connections, each waits for a connection that only another of them could give back.',
      fix: 'Hand the transaction on to what is called within it, so that it asks over the same connection; or do that work after the commit.',
    };
  const most = holder && runningMost(holder);
  const running = most
    ? ` ${most.count} of its connections are at \`${most.statement.slice(0, MOST_STATEMENT)}\`.`
    : '';
  if (why === 'running')
    return {
      title: `One query of ${name} takes most of its pool's connections, and all others wait for them`,
      seen: `\`${state?.name ?? ''}\`: ${state?.used ?? 'all'} of ${state?.max ?? 'its'} in use, ${state?.waiting ?? 0} waiting.${running}`,
      hypothesis: 'The query is slow, or is asked more often than the pool can bear.',
      fix: 'Make the query faster (an index, a smaller result, a cache) and give it a time limit; what has to be slow gets a pool of its own.',
    };
  return {
    title:
      why === 'waits-elsewhere'
        ? `${name} keeps a pool's connection while it waits for something else`
        : why === 'leaks' || silent
          ? `${name} takes connections from a pool and does not always give them back`
          : `The pool that ${name} waits for is exhausted`,
    seen: state
      ? `\`${state.name}\`: ${state.max === undefined ? 'nothing is free' : `${state.used ?? 'all'} of ${state.max} in use, ${state.idle ?? 0} idle`}, ${state.waiting} waiting.${running}`
      : '',
    hypothesis: silent
      ? `Its ${silent.count} sockets to ${silent.peer} moved no byte in the window: they are held, not used.`
      : 'Connections are held longer than the demand allows.',
    fix: 'Release in a finally block on every way out; do not hold a connection while waiting for other things; then size the pool.',
  };
}

const plainWords = ({ faultClass }: Finding, name: string): Words => ({
  title: `${faultClass} in ${name}`,
  seen: '',
  hypothesis: '',
  fix: '',
});

/** What a finding is called, and what to do about it. */
export const wordsOf = (finding: Finding, name: string, why: Why): Words =>
  (WORDS[finding.faultClass] ?? plainWords)(finding, name, why);
