import type { OutgoingCall } from '../model/evidence/async-dump.js';
import type { CallGroup } from './outgoing.js';
import { type Frame, placeKey, type Wait, type Waits } from './waits.js';

/** The user code that waits for a group of outgoing calls, innermost first. */
export interface Caller {
  readonly user: readonly Frame[];
  readonly wait: Wait;
}

/** An await begins within the same turn as its call, a little after; queues and sockets may put the call later. */
const AFTER_MS = 3;
const MOST_CALLS = 200;

/** Who most often waits around these calls, or those of some requests: the innermost await of the program's own that spans each. */
export function callerOf(waits: Waits, group: CallGroup, among?: ReadonlySet<number>): Caller | undefined {
  const calls = waits.dump.calls.filter(
    call => call.request > 0 && (among?.has(call.request) ?? true) && call.host === group.host,
  );
  const alike = calls.filter(call => `${call.method} ${call.host}${call.path}` === group.target);
  // Of most requests little is kept: who calls the same host by another path is better than nobody.
  return callerAmong(waits, alike.slice(-MOST_CALLS)) ?? callerAmong(waits, calls.slice(-MOST_CALLS));
}

const callerAmong = (waits: Waits, calls: readonly OutgoingCall[]): Caller | undefined =>
  mostOf(calls.flatMap(call => awaitBeside(waits, call) ?? [])) ??
  mostOf(calls.flatMap(call => awaitAround(waits, call) ?? []));

/** The place that most of these stand at. */
function mostOf(found: readonly Wait[]): Caller | undefined {
  const votes = new Map<string, { count: number; caller: Caller }>();
  for (const wait of found) {
    const key = placeKey(wait.user[0]);
    const vote = votes.get(key) ?? { count: 0, caller: { user: wait.user, wait } };
    votes.set(key, vote);
    vote.count++;
  }
  return [...votes.values()].sort((a, b) => b.count - a.count)[0]?.caller;
}

/** Of the awaits that begin with the call the innermost. Of most requests only what is still pending has been kept. */
const awaitBeside = (waits: Waits, call: OutgoingCall): Wait | undefined =>
  awaitsAround(waits, call)
    .filter(wait => wait.at >= call.at - AFTER_MS)
    .sort((a, b) => b.user.length - a.user.length || a.id - b.id)[0];

/** Where the call began later than its await, of a queue say, the newest before it. */
const awaitAround = (waits: Waits, call: OutgoingCall): Wait | undefined =>
  awaitsAround(waits, call).sort((a, b) => b.at - a.at || b.user.length - a.user.length)[0];

function awaitsAround(waits: Waits, call: OutgoingCall): Wait[] {
  const end = call.answeredAt || call.end;
  return waits
    .ofRequest(call.request)
    .filter(
      wait =>
        wait.user.length > 0 &&
        isWaiting(wait) &&
        wait.at <= call.at + AFTER_MS &&
        (wait.pending || (end > 0 && wait.end >= end - AFTER_MS)),
    );
}

const isWaiting = (wait: Wait): boolean =>
  wait.kind === 'await' || wait.kind === 'then' || wait.kind === 'executor' || wait.type === 'HTTPCLIENTREQUEST';
