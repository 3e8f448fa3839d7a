import type {
  ConnectionGroup,
  Counts,
  Descriptors,
  HandleKind,
  Handles,
  OtherGroup,
  SocketGroup,
  TimerGroup,
} from '../model/evidence/handles.js';
import type { FaultClass } from '../model/fault.js';
import { heldUp } from './handles-unread.js';

/** Fewer new ones in two windows together are the program's ordinary comings and goings. */
const LEAST_GROWTH: { readonly [K in Suspect['kind']]: number } = {
  timer: 4,
  socket: 5,
  file: 5,
  child: 3,
  watcher: 4,
  other: 5,
};
/** Enough in the first window to look a second time. */
const FIRST_GROWTH = 2;
/** A leak never gives back: more than this share of the growth lost between two readings is traffic. */
const MAX_DROP_SHARE = 0.1;
/** A cache or pool that fills slows down; a leak goes on at least at this share of its earlier rate. */
const STEADY_SHARE = 0.4;
/** Of connections opened and still open after two seconds, this share moves no byte: nobody uses them. */
const UNUSED_SHARE = 0.6;
/** One timer per connection is a heartbeat: growth that connections explain to this share is theirs. */
const EXPLAINED_SHARE = 0.7;
/** Closed against opened in the same window: above it connections are made for each piece of work, and closed. */
const CHURN_SHARE = 0.3;
/** A one-shot timer that lives this long is worth a look; shorter ones are timeouts of work under way. */
const LONG_TIMER_MS = 60_000;
/** A long-lived one-shot ends by itself: only more of them than any expiry of cached entries needs is a fault. */
const MANY_TIMERS = 50_000;

/** Something that only ever grew over the readings. */
export interface Suspect {
  /** `other` is a message port: of the rest none can be told from what Node makes for itself. */
  readonly kind: Exclude<HandleKind, 'worker'>;
  /** The same in the next window. */
  readonly key: string;
  readonly faultClass: FaultClass;
  readonly counts: Counts;
  readonly growth: number;
  readonly perSecond: number;
  /** What a sentence calls it: "interval of 5 s", "connection to db:5432". */
  readonly what: string;
  readonly timer?: TimerGroup;
  readonly socket?: SocketGroup;
  readonly other?: OtherGroup;
  readonly target?: string;
  /** A one-shot whose callback starts it again: the callback's lines, 0-based. */
  readonly rearmedBy?: { readonly scriptId: string; readonly from0: number; readonly to0: number };
}

/** Below this many connections for each request, a pool is filling; a request that makes its own brings one each time. */
const CONNECTIONS_PER_REQUEST = 0.5;

/** Everything in one reading that may be a leak, the fastest growing first. */
export function suspectsIn(data: Handles, least: number = FIRST_GROWTH): Suspect[] {
  const children = data.others.filter(({ kind }) => kind === 'child').flatMap(group => childSuspect(data, group));
  const watchers = data.others.filter(({ kind }) => kind === 'watcher').flatMap(group => watcherSuspect(data, group));
  const ports = data.others.filter(({ type }) => type === 'MessagePort').flatMap(group => portSuspect(data, group));
  const sockets = withoutTwins([
    ...data.sockets.flatMap(group => socketSuspect(data, group)),
    ...(data.connections ?? []).flatMap(group => connectionSuspect(data, group)),
  ]);
  const timers = data.timers.flatMap(group => timerSuspect(data, group));
  const files = data.descriptors ? fileSuspects(data, data.descriptors) : [];
  return [...timers, ...sockets, ...files, ...children, ...watchers, ...ports]
    .filter(({ growth }) => growth >= least)
    .sort((a, b) => b.perSecond - a.perSecond);
}

/** What grew in both windows, at an undiminished rate, and enough of it; told with the numbers of both. */
export function confirmed(first: readonly Suspect[], second: readonly Suspect[]): Suspect[] {
  return second.flatMap(now => {
    const before = first.find(({ kind, key }) => kind === now.kind && key === now.key);
    if (before === undefined || now.perSecond < before.perSecond * STEADY_SHARE) return [];
    const counts = [...before.counts, ...now.counts];
    const growth = growthOf(counts);
    return growth >= LEAST_GROWTH[now.kind] && onlyGrows(counts) ? [{ ...now, counts, growth }] : [];
  });
}

function timerSuspect(data: Handles, timer: TimerGroup): Suspect[] {
  if (!onlyGrows(timer.counts) || timer.callback === undefined) return [];
  const perSecond = rate(data, timer.counts);
  if (isPerConnection(data, timer) || !(timer.repeat || isEndless(data, timer, perSecond))) return [];
  return [timerLeak(data, timer, `${timer.repeat ? 'interval' : 'timer'} of ${sayDuration(timer.ms)}`)];
}

const timerLeak = (data: Handles, timer: TimerGroup, what: string): Suspect => ({
  kind: 'timer',
  key: `${timer.ms} ${timer.repeat} ${timer.name}`,
  faultClass: 'handles.leak.timer',
  ...measure(data, timer.counts),
  what,
  timer,
});

/** A growing group of one-shots that would be a leak if they start themselves again; undefined when it isn't growing. */
export function rearmedSuspect(data: Handles, timer: TimerGroup, least: number = FIRST_GROWTH): Suspect | undefined {
  if (timer.repeat || timer.callback === undefined || !onlyGrows(timer.counts)) return undefined;
  if (growthOf(timer.counts) < least || isPerConnection(data, timer)) return undefined;
  return timerLeak(data, timer, `timer of ${sayDuration(timer.ms)} that starts itself again`);
}

/** Connections grew as much: each brings its own timers, and takes them along when it closes. */
function isPerConnection({ sockets, connections = [] }: Handles, { counts }: TimerGroup): boolean {
  const gained = (groups: readonly { readonly counts: Counts }[]) =>
    groups.reduce((sum, group) => sum + Math.max(0, growthOf(group.counts)), 0);
  return Math.max(gained(sockets), gained(connections)) >= growthOf(counts) * EXPLAINED_SHARE;
}

/** One-shots end by themselves; so many of them, for so long, that the process may not live to see it. */
function isEndless({ uptimeSeconds }: Handles, { ms }: TimerGroup, perSecond: number): boolean {
  return ms >= LONG_TIMER_MS && uptimeSeconds * 1000 < ms && (perSecond * ms) / 1000 >= MANY_TIMERS;
}

function socketSuspect(data: Handles, socket: SocketGroup): Suspect[] {
  const faultClass = 'handles.leak.socket';
  if (socket.peer === 'connecting') return [];
  const key = `${socket.direction} ${socket.peer}`;
  if (socket.direction === 'pipe' && isOfChildren(data, socket)) return [];
  if (onlyGrows(socket.halfClosed)) {
    const what = `connection whose peer has hung up (${sayPeer(socket)})`;
    return [
      { kind: 'socket', key: `${key} half-closed`, faultClass, ...measure(data, socket.halfClosed), what, socket },
    ];
  }
  // Who connects to us and stays silent is the peer's affair.
  if (socket.direction === 'in' || !onlyGrows(socket.counts) || !isUnused(socket)) return [];
  return [{ kind: 'socket', key, faultClass, ...measure(data, socket.counts), what: sayPeer(socket), socket }];
}

/** A child brings up to three pipes: they are its, and the child is the suspect. */
function isOfChildren(data: Handles, { counts }: SocketGroup): boolean {
  const children = data.others.filter(({ kind }) => kind === 'child');
  return children.reduce((sum, child) => sum + Math.max(0, growthOf(child.counts)), 0) * 3 >= growthOf(counts);
}

/**
 * Connections that the kernel knows and the program's own list doesn't: unref'ed, that is idle in an http agent. A
 * pool that fills under rising load looks the same, but makes few connections for many requests.
 */
function connectionSuspect(
  data: Handles,
  { direction, peer, counts, closeWait, born, gone }: ConnectionGroup,
): Suspect[] {
  const faultClass = 'handles.leak.socket';
  if (direction === 'udp') {
    if (!onlyGrows(counts) || gone > born * CHURN_SHARE) return [];
    return [{ kind: 'socket', key: 'udp ', faultClass, ...measure(data, counts), what: 'UDP socket' }];
  }
  const where = direction === 'in' ? `to port ${peer}` : `to ${peer}`;
  if (onlyGrows(closeWait)) {
    const what = `connection ${where} whose peer has hung up`;
    return [{ kind: 'socket', key: `${direction} ${peer} half-closed`, faultClass, ...measure(data, closeWait), what }];
  }
  if (direction === 'in' || !onlyGrows(counts) || gone > born * CHURN_SHARE) return [];
  const active = data.sockets.filter(group => group.direction === 'out' && portOf(group.peer) === portOf(peer));
  const activeGrowth = active.reduce((sum, group) => sum + Math.max(0, growthOf(group.counts)), 0);
  if (growthOf(counts) - activeGrowth < growthOf(counts) * UNUSED_SHARE) return [];
  if (data.clientRequests !== undefined && growthOf(counts) < data.clientRequests * CONNECTIONS_PER_REQUEST) return [];
  const what = `connection ${where}`;
  return [{ kind: 'socket', key: `out ${peer} unused`, faultClass, ...measure(data, counts), what }];
}

const portOf = (peer: string): string => peer.slice(peer.lastIndexOf(':') + 1);

/** The same connections seen by the program and by the kernel are one suspect: the program's word comes first. */
function withoutTwins(suspects: readonly Suspect[]): Suspect[] {
  return suspects.filter(
    (suspect, i) => !suspects.slice(0, i).some(earlier => portOf(lastWord(earlier)) === portOf(lastWord(suspect))),
  );
}

const lastWord = ({ key }: Suspect): string => key.replace(/ (half-closed|unused)$/, '').replace(/^(in|out) /, '');

function isUnused({ born, gone, idleBorn, settledBorn }: SocketGroup): boolean {
  return gone <= born * CHURN_SHARE && settledBorn > 0 && idleBorn >= settledBorn * UNUSED_SHARE;
}

const sayPeer = ({ direction, peer }: SocketGroup): string =>
  direction === 'in'
    ? `connection to port ${peer}`
    : direction === 'udp'
      ? 'UDP socket'
      : peer === ''
        ? `${direction} socket`
        : `connection to ${peer}`;

function childSuspect(data: Handles, group: OtherGroup): Suspect[] {
  const held = heldUp(group);
  const counts = held ?? group.counts;
  if (!onlyGrows(counts) || (!held && group.gone > group.born * CHURN_SHARE)) return [];
  const what = `child process \`${group.name ?? ''}\``;
  return [
    {
      kind: 'child',
      key: group.name ?? '',
      faultClass: 'handles.leak.child',
      ...measure(data, counts),
      what,
      other: group,
    },
  ];
}

function watcherSuspect(data: Handles, group: OtherGroup): Suspect[] {
  if (!onlyGrows(group.counts)) return [];
  const what = group.type === 'StatWatcher' ? 'file watcher (watchFile)' : 'file watcher';
  return [
    {
      kind: 'watcher',
      key: group.type,
      faultClass: 'handles.leak.watcher',
      ...measure(data, group.counts),
      what,
      other: group,
    },
  ];
}

/** What a worker thread brings along: its own port, stdin's and stdout's. */
const PORTS_OF_A_WORKER = 3;

function portSuspect(data: Handles, group: OtherGroup): Suspect[] {
  const workers = data.others.filter(({ kind }) => kind === 'worker');
  const theirs = workers.reduce((sum, { counts }) => sum + Math.max(0, growthOf(counts)), 0) * PORTS_OF_A_WORKER;
  if (!onlyGrows(group.counts) || growthOf(group.counts) <= theirs) return [];
  if (group.gone > group.born * CHURN_SHARE) return [];
  const [faultClass, what] = ['handles.leak.port', 'message port'] as const;
  return [{ kind: 'other', key: group.type, faultClass, ...measure(data, group.counts), what, other: group }];
}

/** Sockets, pipes and watchers have suspects of their own: left are files, and what no other reading explains. */
function fileSuspects(data: Handles, { groups }: Descriptors): Suspect[] {
  return groups
    .filter(({ kind, counts }) => (kind === 'file' || kind === 'device' || kind === 'other') && onlyGrows(counts))
    .map(({ target, counts }) => ({
      kind: 'file',
      key: target,
      faultClass: 'handles.leak.fd',
      ...measure(data, counts),
      what: `open file (\`${target}\`)`,
      target,
    }));
}

/** Rises, and never gives back more than a little of it. */
export function onlyGrows(counts: Counts): boolean {
  const growth = growthOf(counts);
  if (growth <= 0) return false;
  const drops = counts.reduce((sum, count, i) => sum + Math.max(0, (counts[i - 1] ?? count) - count), 0);
  const steps = counts.filter((count, i) => i > 0 && count > (counts[i - 1] ?? count)).length;
  // One jump is an event, not a leak.
  return drops <= growth * MAX_DROP_SHARE && steps >= Math.min(2, growth);
}

const growthOf = (counts: Counts): number => (counts.at(-1) ?? 0) - (counts[0] ?? 0);
const rate = ({ seconds }: Handles, counts: Counts): number => growthOf(counts) / Math.max(1, seconds);
const measure = (data: Handles, counts: Counts) => ({
  counts,
  growth: growthOf(counts),
  perSecond: rate(data, counts),
});

export function sayDuration(ms: number): string {
  if (ms >= 3_600_000) return `${Math.round(ms / 360_000) / 10} h`;
  if (ms >= 120_000) return `${Math.round(ms / 6_000) / 10} min`;
  return ms >= 1000 ? `${Math.round(ms / 100) / 10} s` : `${Math.round(ms)} ms`;
}
