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
  if (turn === 0) return checking(opening.split('\n').flatMap(line => noticedOn(line) ?? []));
  if (turn === 1) return saying(answers);
  return { calls: [ENDED] };
}

const done = (outcome: string, summary: string) => ({ tool: 'done', input: { outcome, summary } });
const ENDED = done('found', 'The cause is in the notification.');
const ending = (outcome: string, summary: string): Said => ({ calls: [done(outcome, summary)] });

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

function checking(noticed: readonly Draft[]): Said {
  if (noticed.length === 0) return ending('inconclusive', 'Nothing of mine was noticed.');
  return { calls: noticed.slice(0, MOST_CHECKED).map(one => ({ tool: 'execute', input: { code: checked(one) } })) };
}

const MOST_CHECKED = 6;

/** Reads what a notification cites and looks for its place in it; the draft comes back beside what was found. */
function checked(one: Draft): string {
  return `const draft = ${JSON.stringify(one)};
const read = [];
for (const id of draft.evidenceIds) read.push(JSON.stringify(await reading({ id, limit: 200 })));
const name = draft.culprit && draft.culprit.file.split('/').pop();
({ draft, cited: read.length, named: name ? read.some(text => text.includes(name)) : null })`;
}

const Checked = z.object({ draft: Draft, cited: z.number(), named: z.boolean().nullable() });

function saying(answers: Conversation['answers']): Said {
  const checked = answers.flatMap(({ text }) => Checked.safeParse(jsonIn(text)).data ?? []);
  if (checked.length === 0) return ending('inconclusive', 'The readings could not be read.');
  const sent = checked.map(({ draft }) => ({ tool: 'send_notification', input: inOwnWords(draft) }));
  return { calls: [...sent, ENDED] };
}

function inOwnWords({ observation, culprit, severity, faultClass, evidenceIds }: Draft) {
  return {
    title: `Checked: ${observation.slice(0, TITLE_CHARS)}`,
    type: 'checked',
    fault_class: faultClass,
    severity,
    context: 'The cited readings were read again.',
    observation,
    snapshot_ids: [],
    evidence_ids: evidenceIds,
    confidence: 'high',
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
