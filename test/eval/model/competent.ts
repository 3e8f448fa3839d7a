// A mind that works as its prompt asks: reads what the rules read, checks it with a script of its own, says it in its
// own words with the ids, and correlates. It knows nothing of the programs: all it says comes out of the conversation.
import { z } from 'zod';
import type { Conversation, Said } from './conversation.js';

const Draft = z.object({
  faultClass: z.string(),
  severity: z.enum(['info', 'warning', 'critical']),
  observation: z.string(),
  culprit: z.object({ file: z.string(), line: z.number() }).optional(),
  evidenceIds: z.array(z.string()),
});
type Draft = z.infer<typeof Draft>;

const Noticed = Draft.extend({
  id: z.string(),
  title: z.string().optional(),
  fix: z.string().optional(),
  mechanism: z.boolean().optional(),
  confidence: z.enum(['high', 'medium', 'low']).optional(),
});
type Noticed = z.infer<typeof Noticed>;

export function competent(conversation: Conversation): Said {
  if (!conversation.mayCall) return { text: 'inconclusive: the time was over.' };
  return conversation.system.startsWith('You coordinate') ? correlating(conversation) : operating(conversation);
}

/** Read, check, say. */
function operating({ turn, opening, answers }: Conversation): Said {
  const noticed = opening.split('\n').flatMap(line => noticedOn(line) ?? []);
  if (noticed.length === 0) return { calls: [asConcluded(opening)] };
  if (turn === 0) return { calls: [{ tool: 'execute', input: { code: checking(noticed.slice(0, MOST_CHECKED)) } }] };
  if (turn === 1) return saying(noticed, answers);
  const back = answers.filter(({ failed }) => failed).map(({ text }) => text);
  return back.length > 0 && turn < MOST_TURNS ? correcting(noticed, back.join(' ')) : { calls: [ENDED] };
}

const done = (outcome: string, summary: string) => ({ tool: 'done', input: { outcome, summary } });
const ENDED = done('found', 'The cause is in the notification.');
const MOST_CHECKED = 6;
const MOST_TURNS = 4;

/** Where nothing was noticed, what the rules read stands. */
function asConcluded(opening: string) {
  const [, outcome, summary] = /The rules have concluded: <data>\n([\w-]+): (.*)/.exec(opening) ?? [];
  return done(outcome ?? 'inconclusive', summary ?? 'Nothing of mine was noticed.');
}

/** What the rules noticed stands in the first message, a line each. */
const LINE =
  /^- notification (?<id>\S+) \((?<severity>\w+), (?<faultClass>[\w.-]+), evidence (?<evidence>[^)]*)\): (?<said>.*)$/;
const PLACE = / at (?<file>\S+):(?<line>\d+)$/;

function noticedOn(line: string): Draft | undefined {
  const found = LINE.exec(line)?.groups;
  if (!found || found.severity === 'info') return undefined;
  const place = PLACE.exec(found.said ?? '')?.groups;
  const drafted = {
    faultClass: found.faultClass,
    severity: found.severity,
    observation: (found.said ?? '').replace(PLACE, ''),
    evidenceIds: (found.evidence ?? '').split(' ').filter(Boolean),
    ...(place && { culprit: { file: place.file, line: Number(place.line) } }),
  };
  return Draft.safeParse(drafted).data;
}

/** Reads what the notifications cite, and looks for their places in it. */
function checking(noticed: readonly Draft[]): string {
  const asked = noticed.map(({ evidenceIds, culprit }) => [evidenceIds, culprit?.file.split('/').pop() ?? '']);
  return `const found = [];
for (const [ids, name] of ${JSON.stringify(asked)}) {
  const read = await Promise.all(ids.map(async id => JSON.stringify(await reading({ id, limit: 200 }))));
  found.push({ read: read.filter(text => text.length > 2).length, named: read.some(text => text.includes(name)) });
}
found`;
}

const Checked = z.array(z.object({ read: z.number(), named: z.boolean() }));

function saying(noticed: readonly Draft[], [answer]: Conversation['answers']): Said {
  const checked = Checked.safeParse(jsonIn(answer?.text ?? '')).data ?? [];
  const sound = noticed.flatMap((draft, at) => (checked[at]?.read ? [inOwnWords(draft, checked[at].named)] : []));
  if (sound.length === 0) return { calls: [done('inconclusive', 'What the rules cite could not be read.')] };
  return { calls: [...sound.map(input => ({ tool: 'send_notification', input })), ENDED] };
}

/** Leaves out what code could not confirm: sentences that hold a refused quotation. */
function correcting(noticed: readonly Draft[], refusal: string): Said {
  const refused = [...refusal.matchAll(/"([^"]+)"/g)].map(([, quoted = '']) => quoted);
  const drafts = noticed.map(draft => {
    const sentences = draft.observation.split(/(?<=\.)\s+|, /);
    const kept = sentences.filter(
      sentence => !refused.some(quoted => sentence.includes(quoted) || quoted.includes(sentence)),
    );
    return { ...draft, observation: kept.join(', ') || draft.faultClass };
  });
  const calls = drafts.map(draft => ({ tool: 'send_notification', input: inOwnWords(draft, true) }));
  return { calls: [...calls, ENDED] };
}

function inOwnWords({ observation, culprit, severity, faultClass, evidenceIds }: Draft, named: boolean) {
  return {
    title: `Checked: ${observation.slice(0, TITLE_CHARS)}`,
    fault_class: faultClass,
    severity,
    context: 'The cited readings were read again.',
    observation,
    evidence_ids: evidenceIds,
    confidence: named ? 'high' : 'medium',
    ...(culprit && { culprit }),
  };
}

const TITLE_CHARS = 120;

/** One insight a cause: what names the same place belongs together, and what names none follows from the surest. */
function correlating({ turn, opening }: Conversation): Said {
  const end = { tool: 'done', input: { summary: 'All is said.' } };
  const told = opening.slice(opening.indexOf('Notifications: ') + 'Notifications: '.length);
  const causes = turn === 0 ? causesOf(noticedIn(told)) : [];
  return { calls: [...causes.map(group => ({ tool: 'produce_insight', input: insightOf(group) })), end] };
}

function causesOf(noticed: readonly Noticed[]): Noticed[][] {
  const groups = new Map<string, Noticed[]>();
  const sound = noticed.filter(({ severity }) => severity !== 'info').sort((a, b) => weight(b) - weight(a));
  for (const one of sound) {
    const key = one.culprit ? `${one.culprit.file}:${one.culprit.line}` : ([...groups.keys()][0] ?? '');
    groups.set(key, [...(groups.get(key) ?? []), one]);
  }
  return [...groups.values()];
}

const weight = ({ severity, culprit, mechanism, confidence }: Noticed) =>
  Number(severity === 'critical') * 8 +
  Number(culprit !== undefined) * 4 +
  Number(mechanism === true) * 2 +
  Number(confidence === 'high');

function insightOf(group: readonly Noticed[]) {
  const [best] = group as readonly [Noticed, ...Noticed[]]; // a group begins with its first member
  return {
    title: best.title ?? best.observation,
    notification_ids: group.map(({ id }) => id),
    correlation: 'symptomatic',
    fault_class: best.faultClass,
    severity: best.severity,
    summary: best.observation,
    matched_observations: [],
    hypothesis_grounded: true,
    culprit_of: best.id,
    confidence: best.confidence ?? 'medium',
    ...(best.fix && { fix: best.fix }),
  };
}

/** An answer that was cut for its length has a beginning that can be read. */
function noticedIn(text: string): Noticed[] {
  const found = z.array(z.unknown()).safeParse(jsonIn(text)).data ?? wholeItems(text);
  return found.flatMap(item => Noticed.safeParse(item).data ?? []);
}

function wholeItems(text: string): unknown[] {
  const parts = text.split(/(?<=\}),(?=\{"(?:title|id|anomalyType|faultClass)")/);
  return parts.flatMap(part => jsonIn(part.replace(/^[^[{]*\[?/, '')) ?? []);
}

function jsonIn(text: string): unknown {
  const bare = text.replace(/^<data>\n/, '').replace(/\n<\/data>$/, '');
  try {
    return JSON.parse(bare);
  } catch {
    return undefined;
  }
}
