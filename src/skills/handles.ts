import { z } from 'zod';
import type { Descriptors, HandleKind, Handles } from '../model/evidence/handles.js';
import { isUsable } from '../model/evidence/index.js';
import type { Json } from '../model/json.js';
import type { CodeLocation } from '../model/location.js';
import type { Metric, NotificationDraft } from '../model/notification.js';
import type { Severity } from '../model/severity.js';
import type { Conclusion, OperatorView, Step } from '../model/skill.js';
import { defineQuery, defineSkill } from '../model/skill.js';
import type { SnapshotData } from '../model/snapshot.js';
import { acceptorOf } from './acceptor.js';
import { creatorOf } from './handles-creator.js';
import { confirmed, type Suspect, sayDuration, suspectsIn } from './handles-growth.js';
import { rearmedIn } from './handles-rearmed.js';
import { unreadChild } from './handles-unread.js';
import { place, sourceOf } from './place.js';
import { unread } from './unread.js';

const SECONDS = 6;
/** The second look is longer: it must see a slow leak go on, and catch some being made. */
const SECOND_SECONDS = 8;
const PATIENT_SECONDS = 14;
/** Time until the descriptor table is full (SEEDS: saturation risk of ports). */
const CRITICAL_MINUTES = 15;
const CRITICAL_TABLE_SHARE = 0.9;
const MAX_NOTIFICATIONS = 4;

const handlesNeed = { kind: 'handles', params: { seconds: SECONDS } } as const;

export const handles = defineSkill({
  id: 'handles',
  title: 'Handles',
  description: 'Timers, sockets, file descriptors, children and watchers: how many, whose, and whether they pile up',
  scope:
    'Resources that the program opens and must close again. Not memory (heap, collections), not what requests wait for (async).',
  words: [
    'handle',
    'handles',
    'timer',
    'timers',
    'interval',
    'socket',
    'sockets',
    'fd',
    'fds',
    'emfile',
    'descriptor',
    'descriptors',
    'leak',
    'watcher',
    'connections',
    'files',
  ],
  needs: { handles: handlesNeed },
  snapshot: ({ handles: data }) => (data === undefined ? undefined : numbersOf(data)),
  rules: [],
  playbook,
  queries: [
    defineQuery({
      name: 'handles_list',
      doc: 'Timers, sockets, children, watchers and listeners in groups, with their counts over a few seconds.',
      params: z.object({ seconds: z.number().int().min(1).max(30).default(2) }),
      async run({ seconds }, probe) {
        const reading = await probe.ask('handles', { seconds });
        return isUsable(reading)
          ? asJson(listOf(reading.data))
          : { status: reading.status, reason: reading.reason ?? '' };
      },
    }),
    defineQuery({
      name: 'handles_growth',
      doc: 'Only what grew over the window without giving back, with its rate per second.',
      params: z.object({ seconds: z.number().int().min(2).max(30).default(SECONDS) }),
      async run({ seconds }, probe) {
        const reading = await probe.ask('handles', { seconds });
        if (!isUsable(reading)) return { status: reading.status, reason: reading.reason ?? '' };
        return asJson(
          suspectsIn(reading.data, 1).map(({ what, growth, perSecond, counts }) => ({
            what,
            growth,
            perSecond,
            counts,
          })),
        );
      },
    }),
    defineQuery({
      name: 'handle_creators',
      doc: 'Where handles of one kind are made: records stacks in the target for a few seconds.',
      params: z.object({
        kind: z.enum(['timer', 'socket', 'child', 'watcher', 'file', 'worker', 'other']),
        seconds: z.number().int().min(2).max(15).default(SECOND_SECONDS),
      }),
      async run({ kind, seconds }, probe) {
        const reading = await probe.ask('handles', { seconds, creators: [kind] });
        return isUsable(reading)
          ? asJson(reading.data.creators ?? [])
          : { status: reading.status, reason: reading.reason ?? '' };
      },
    }),
    defineQuery({
      name: 'descriptors',
      doc: 'File descriptors by what they point at, and the limit (Linux).',
      params: z.object({}),
      async run(_, probe) {
        const reading = await probe.ask('handles', { seconds: 1 });
        if (!isUsable(reading)) return unread(reading);
        const { descriptors } = reading.data;
        return descriptors
          ? asJson(descriptors)
          : { status: 'unavailable', reason: 'Descriptors are read from /proc.' };
      },
    }),
  ],
  prompt:
    'Many handles are no fault; handles that only ever grow are. Growth that connections explain (a heartbeat each) or that slows down is healthy.',
});

async function* playbook(see: OperatorView): Step<Conclusion> {
  const first = yield* see.ask('handles', handlesNeed.params);
  if (!isUsable(first)) return { outcome: 'inconclusive', summary: `Handles could not be read: ${first.reason ?? ''}` };
  const snapshot = yield* see.snapshot();
  const early = [...suspectsIn(first.data), ...(yield* rearmedIn(see, first.data))];
  if (early.length === 0) return { outcome: 'healthy', summary: healthySentence(first.data) };

  yield* see.think(`Only growing so far: ${early.map(({ what, growth }) => `${growth} more × ${what}`).join(', ')}.`);
  const second = yield* see.ask('handles', lookCloser(early, see.urgent));
  if (!isUsable(second))
    return { outcome: 'inconclusive', summary: `Handles could not be read again: ${second.reason ?? ''}` };
  const later = [...suspectsIn(second.data, 1), ...(yield* rearmedIn(see, second.data, 1))];
  const leaks = confirmed(early, later).slice(0, MAX_NOTIFICATIONS);
  if (leaks.length === 0) return { outcome: 'healthy', summary: healthySentence(second.data) };

  for (const leak of leaks) {
    const draft = yield* draftOf(see, leak, second.data);
    yield* see.setState(draft.severity === 'critical' ? 'critical' : 'warning', draft.title ?? draft.observation);
    yield* see.notify({
      ...draft,
      evidenceIds: [first.id, second.id],
      ...(snapshot === undefined ? {} : { snapshotIds: [snapshot.id] }),
    });
  }
  return { outcome: 'found', summary: leaks.map(leak => `${observe(leak)}.`).join(' ') };
}

function lookCloser(suspects: readonly Suspect[], urgent: boolean) {
  const creators = [...new Set<HandleKind>(suspects.map(({ kind }) => kind))];
  const timerMs = [...new Set(suspects.flatMap(({ timer }) => (timer ? [timer.ms] : [])))];
  const slow = suspects.every(({ growth }) => growth < SECONDS);
  const seconds = slow || urgent ? PATIENT_SECONDS : SECOND_SECONDS;
  return { seconds, creators, ...(timerMs.length > 0 ? { timerMs } : {}) };
}

type Draft = Omit<NotificationDraft, 'evidenceIds'>;

async function* draftOf(see: OperatorView, leak: Suspect, data: Handles): Step<Draft> {
  const made = yield* creatorOf(see, leak, data.creators ?? []);
  const culprit = made?.culprit ?? (yield* acceptorOf(see, leak));
  const callback = yield* callbackOf(see, leak);
  const where = culprit ?? callback;
  const forecast = forecastOf(leak, data.descriptors);
  return {
    anomalyType: `${leak.kind}-growth`,
    faultClass: leak.faultClass,
    severity: forecast.severity,
    title: `${titleOf(leak)}${where ? `, by ${sayPlace(where)}` : ''}`,
    context:
      `Read once a second in two windows; the process is up ${sayDuration(data.uptimeSeconds * 1000)}. ${forecast.sentence}`.trim(),
    observation: `${capitalized(observe(leak))}.`,
    hypothesis: HYPOTHESIS[leak.kind],
    ...(where === undefined ? {} : { culprit: where }),
    ...relatedTo(culprit, [callback, made?.related]),
    fix: fixOf(leak),
    ...unreadChild(leak),
    metrics: [...metricsOf(leak), ...forecast.metrics],
    mechanism: culprit !== undefined,
    confidence: culprit === undefined ? (callback === undefined ? 'low' : 'medium') : 'high',
  };
}

function titleOf(leak: Suspect): string {
  switch (leak.kind) {
    case 'timer':
      return leak.rearmedBy
        ? `More and more rounds of one timer (${sayDuration(leak.timer?.ms ?? 0)}) go on side by side: each starts itself again, and none is ended`
        : `${capitalized(leak.what)} is started again and again and never cleared`;
    case 'socket':
      return `${capitalized(leak.what)} is opened again and again and never closed`;
    case 'file':
      return `Files are opened and never closed (\`${leak.target ?? ''}\`)`;
    case 'child':
      return `${capitalized(leak.what)} is started again and again and does not end`;
    case 'watcher':
      return `${capitalized(leak.what)} is added again and again and never closed`;
    case 'other':
      return `${capitalized(leak.what)} is opened again and again and never closed`;
  }
}

const PLURAL: { readonly [K in Suspect['kind']]: string } = {
  timer: 'timers',
  socket: 'sockets',
  file: 'open files',
  child: 'child processes',
  watcher: 'watchers',
  other: 'message ports',
};

const HYPOTHESIS: { readonly [K in Suspect['kind']]: string } = {
  timer: 'Each piece of work starts a timer of its own, and the path that should clear it is missing or not reached.',
  socket: 'Connections are opened for each piece of work instead of being shared, and not closed afterwards.',
  file: 'A path through the code (often the error path) returns without closing what it opened.',
  child: 'Children are started faster than they end, or nobody tells them to end.',
  watcher: 'A watcher is added for each piece of work instead of once.',
  other:
    'A MessageChannel or BroadcastChannel is opened for each piece of work; an open one keeps its listeners alive.',
};

function fixOf({ kind, timer, rearmedBy }: Suspect): string {
  if (rearmedBy !== undefined)
    return 'Keep the timer of the round under way, and clear it (clearTimeout) before another round is begun: on reconnects, too.';
  if (kind === 'timer' && timer?.repeat === false)
    return 'Keep the timer and call clearTimeout as soon as the race is decided.';
  return {
    timer: 'Keep what setInterval returns and call clearInterval when the work ends, or use one interval for all.',
    socket:
      'Share one connection or pool (one http.Agent for the program), and call destroy() or end() when done, on errors too.',
    file: 'Close in a finally block (or use stream.pipeline, which closes on errors), on every path.',
    child: 'Limit how many run at once, and end children with a timeout (the timeout option of spawn, or kill()).',
    watcher: 'Keep one watcher per path and call close() when it is no longer needed.',
    other: 'Share one channel, or call close() on it as soon as the answer has come, on timeouts too.',
  }[kind];
}

const observe = ({ what, counts, growth, perSecond }: Suspect): string =>
  `${what}: ${counts[0] ?? 0} grew to ${counts.at(-1) ?? 0} over ${counts.length} readings, ${growth} more and hardly any less, ${round(perSecond)} per second`;

function metricsOf({ kind, counts, growth, perSecond, socket, timer }: Suspect): Metric[] {
  return [
    { name: `${PLURAL[kind]} at first`, value: counts[0] ?? 0, unit: 'handles' },
    { name: PLURAL[kind], value: counts.at(-1) ?? 0, unit: 'handles' },
    { name: 'growth', value: growth, unit: 'handles' },
    { name: 'rate', value: round(perSecond), unit: 'per second' },
    { name: 'readings', value: counts.length, unit: 'readings' },
    ...(timer ? [{ name: 'duration', value: timer.ms, unit: 'ms' }] : []),
    ...(socket ? [{ name: 'idle', value: socket.idle, unit: 'sockets' }] : []),
  ];
}

/** How soon the descriptor table is full; timers and message ports take no descriptor. */
function forecastOf(
  { kind, perSecond }: Suspect,
  table: Descriptors | undefined,
): { severity: Severity; sentence: string; metrics: Metric[] } {
  const total = table?.total.at(-1);
  if (kind === 'timer' || kind === 'other' || table?.limit === undefined || total === undefined)
    return { severity: 'warning', sentence: '', metrics: [] };
  const minutes = (table.limit - total) / perSecond / 60;
  const critical = minutes < CRITICAL_MINUTES || total >= table.limit * CRITICAL_TABLE_SHARE;
  return {
    severity: critical ? 'critical' : 'warning',
    sentence: `The descriptor table holds ${total} of at most ${table.limit}; at this rate it is full in ${sayDuration(minutes * 60_000)}.`,
    metrics: [
      { name: 'descriptors', value: total, unit: 'descriptors' },
      { name: 'descriptor limit', value: table.limit, unit: 'descriptors' },
      { name: 'time until full', value: Math.round(minutes * 60_000), unit: 'ms' },
    ],
  };
}

function relatedTo(
  culprit: CodeLocation | undefined,
  places: readonly (CodeLocation | undefined)[],
): { related?: CodeLocation[] } {
  const others = places.filter(place => place !== undefined && place !== culprit);
  // The filter leaves places only.
  return culprit === undefined || others.length === 0 ? {} : { related: others as CodeLocation[] };
}

async function* callbackOf(see: OperatorView, { timer }: Suspect): Step<CodeLocation | undefined> {
  if (timer?.callback === undefined) return undefined;
  const script = yield* sourceOf(see, timer.callback.scriptId);
  return script === undefined ? undefined : yield* place(see, { ...timer.callback, url: script.url });
}

function healthySentence(data: Handles): string {
  const sockets = data.sockets.reduce((sum, { counts }) => sum + (counts.at(-1) ?? 0), 0);
  const children = data.others
    .filter(({ kind }) => kind === 'child')
    .reduce((sum, { counts }) => sum + (counts.at(-1) ?? 0), 0);
  const fds = data.descriptors?.total.at(-1);
  const table =
    fds === undefined
      ? ''
      : `, ${fds} descriptors${data.descriptors?.limit === undefined ? '' : ` of ${data.descriptors.limit}`}`;
  return `Nothing piles up over ${sayDuration(data.seconds * 1000)}: ${data.timerTotal.at(-1) ?? 0} timers, ${sockets} sockets, ${children} child processes${table}.`;
}

function numbersOf(data: Handles): SnapshotData {
  const sum = (groups: readonly { readonly counts: readonly number[] }[]) =>
    groups.reduce((all, { counts }) => all + (counts.at(-1) ?? 0), 0);
  const grew = suspectsIn(data, 1)[0];
  return {
    timers: data.timerTotal.at(-1) ?? 0,
    intervals: sum(data.timers.filter(({ repeat }) => repeat)),
    socketsIn: sum(data.sockets.filter(({ direction }) => direction === 'in')),
    socketsOut: sum(data.sockets.filter(({ direction }) => direction === 'out')),
    socketsIdle: data.sockets.reduce((all, { idle }) => all + idle, 0),
    children: sum(data.others.filter(({ kind }) => kind === 'child')),
    watchers: sum(data.others.filter(({ kind }) => kind === 'watcher')),
    listeners: data.listeners.length,
    requests: Object.values(data.requests).reduce((all, count) => all + count, 0),
    ...(data.descriptors === undefined ? {} : { descriptors: data.descriptors.total.at(-1) ?? 0 }),
    ...(data.descriptors?.limit === undefined ? {} : { descriptorLimit: data.descriptors.limit }),
    ...(grew === undefined ? {} : { fastestGrowing: grew.what, fastestGrowth: grew.growth }),
    uptimeSeconds: Math.round(data.uptimeSeconds),
  };
}

const listOf = ({ timers, sockets, others, listeners, requests }: Handles) => ({
  timers: timers.slice(0, 20),
  sockets: sockets.slice(0, 20),
  others: others.slice(0, 20),
  listeners,
  requests,
});

// Evidence is plain JSON by contract; its readonly interfaces only lack the index signature.
const asJson = (value: unknown): Json => value as Json;
const round = (value: number): number => Math.round(value * 100) / 100;
const capitalized = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);
const sayPlace = ({ function: name, file, line }: CodeLocation): string =>
  `${name ? `\`${name}\` (` : ''}${file}:${line}${name ? ')' : ''}`;
