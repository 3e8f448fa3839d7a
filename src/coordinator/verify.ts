import type { Evidence } from '../model/evidence/index.js';
import { isUsable } from '../model/evidence/index.js';
import type { CodeLocation } from '../model/location.js';
import type { Notification, NotificationDraft } from '../model/notification.js';
import type { Snapshot } from '../model/snapshot.js';
import { type Facts, factsOf, hasNumberIn, sameFile } from './facts-read.js';
import { divideHedged } from './hedging.js';
import { namedPlaces } from './named-places.js';
import { confirmingRanges, type QuotedNumber, quotedNumbers } from './quoted-numbers.js';

export type ProblemCode =
  | 'no-evidence'
  | 'unknown-evidence'
  | 'unusable-evidence'
  | 'unknown-snapshot'
  | 'unconfirmed-number'
  | 'hedged-fact'
  | 'no-fact'
  | 'unknown-file'
  | 'line-beyond-file'
  | 'unearned-grounding'
  | 'unknown-notification';

/** A claim that didn't hold, in one sentence that a planner and a person can act on. */
export interface Problem {
  readonly code: ProblemCode;
  readonly message: string;
}

export interface VerifyContext {
  /** Absent: snapshot ids are not checked. */
  readonly snapshots?: ReadonlyMap<string, Snapshot>;
  /** Answers that code computed for the author in this run (sandbox results): their numbers may be quoted too. */
  readonly answers?: readonly unknown[];
  /** Rules compute their metrics and places in code, so these support their sentences; a model's are claims. Default: the notification's own. */
  readonly author?: 'rules' | 'model';
}

export interface Verified {
  /** False when the notification says nothing that can stand: no usable evidence, or no fact at all. */
  readonly ok: boolean;
  readonly problems: readonly Problem[];
  /** With what didn't hold taken out, marked, and the confidence lowered. */
  readonly notification: Notification;
}

type EvidenceById = ReadonlyMap<string, Evidence>;
type Confidence = 'high' | 'medium' | 'low';
export const LOWER: Record<Confidence, Confidence> = { high: 'medium', medium: 'low', low: 'low' };
/** Problems after which nothing is left to stand on. */
const FATAL: ReadonlySet<ProblemCode> = new Set(['no-evidence', 'no-fact']);
/** A misplaced word is put in its place; the claim itself is as good as before. */
const HARMLESS: ReadonlySet<ProblemCode> = new Set(['hedged-fact', 'unusable-evidence']);

/** Checks what an operator said against what was read; never invents, only takes out, lowers and marks. */
export function verifyNotification(said: Notification, evidence: EvidenceById, context: VerifyContext = {}): Verified {
  const by: VerifyContext = { ...context, author: context.author ?? said.author ?? 'rules' };
  const ids = checkIds(said, evidence, by);
  const words = checkWords(ids.notification);
  const places = checkPlaces(words.notification, evidence, by);
  const numbers = checkNumbers(places.notification, evidence, by);
  const problems = [ids, words, places, numbers].flatMap(check => check.problems);
  return {
    ok: !problems.some(problem => FATAL.has(problem.code)),
    problems,
    notification: marked(numbers.notification, problems, by.author),
  };
}

export interface CheckedDraft {
  readonly ok: boolean;
  readonly problems: readonly string[];
  readonly draft: NotificationDraft;
}

/** The same before it is sent, so that its author can correct it. */
export function verifyDraft(draft: NotificationDraft, evidence: EvidenceById, context: VerifyContext): CheckedDraft {
  const unsent = { id: '', operator: '', detectedAt: 0, traceId: '' };
  const { ok, problems, notification } = verifyNotification(
    { snapshotIds: [], ...draft, ...unsent },
    evidence,
    context,
  );
  const { id: _, operator: __, detectedAt: ___, traceId: ____, ...checked } = notification;
  return { ok, problems: problems.map(problem => problem.message), draft: checked };
}

interface Check {
  readonly problems: readonly Problem[];
  readonly notification: Notification;
}

function checkIds(said: Notification, evidence: EvidenceById, { snapshots }: VerifyContext): Check {
  const problems: Problem[] = [];
  const evidenceIds = said.evidenceIds.filter(id => {
    if (!evidence.has(id)) problems.push({ code: 'unknown-evidence', message: `Evidence ${id} does not exist.` });
    return evidence.has(id);
  });
  const snapshotIds = said.snapshotIds.filter(id => {
    const exists = snapshots?.has(id) ?? true;
    if (!exists) problems.push({ code: 'unknown-snapshot', message: `Snapshot ${id} does not exist.` });
    return exists;
  });
  for (const id of evidenceIds) problems.push(...usability(evidence.get(id)));
  if (!evidenceIds.some(id => isUsable(evidence.get(id))) && !snapshotIds.some(id => snapshots?.has(id))) {
    problems.push({ code: 'no-evidence', message: 'No usable evidence or snapshot is cited.' });
  }
  return { problems, notification: { ...said, evidenceIds, snapshotIds } };
}

function usability(evidence: Evidence | undefined): Problem[] {
  if (!evidence || evidence.status === 'ok' || evidence.status === 'partial') return [];
  const message = `Evidence ${evidence.id} is ${evidence.status} and supports nothing.`;
  return [{ code: 'unusable-evidence', message }];
}

function checkWords(said: Notification): Check {
  const context = divideHedged(said.context);
  const observation = divideHedged(said.observation);
  const guesses = [context.guesses, observation.guesses].filter(Boolean).join(' ');
  const problems: Problem[] = [];
  if (guesses) problems.push({ code: 'hedged-fact', message: `Stated as fact, but a guess: "${guesses}"` });
  if (!observation.facts) problems.push({ code: 'no-fact', message: 'The observation states no fact.' });
  if (!guesses || !observation.facts) return { problems, notification: said };
  const hypothesis = [said.hypothesis, guesses].filter(Boolean).join(' ');
  return {
    problems,
    notification: { ...said, context: context.facts, observation: observation.facts, hypothesis },
  };
}

function checkPlaces(said: Notification, evidence: EvidenceById, { author }: VerifyContext): Check {
  const read = [...evidence.values()].filter(isUsable).map(reading => factsOf(reading.data));
  const culprit = said.culprit && placeProblem(said.culprit, read);
  const related = said.related?.filter(place => !placeProblem(place, read));
  if (author !== 'model') return { problems: culprit ? [culprit] : [], notification: said };
  const named = namedPlaces([said.title, said.context, said.observation].join(' ')).flatMap(
    place => placeProblem(place, read) ?? [],
  );
  const problems = [...(culprit ? [culprit] : []), ...named];
  const { culprit: claimed, related: _, ...rest } = said;
  return {
    problems,
    notification: { ...rest, ...(claimed && !culprit && { culprit: claimed }), ...(related?.length && { related }) },
  };
}

function placeProblem(place: CodeLocation, read: readonly Facts[]): Problem | undefined {
  const where = `${place.file}:${place.line}`;
  const inFiles = read.some(facts => [...facts.files].some(file => sameFile(file, place.file)));
  const lines = read.flatMap(facts => [...facts.lineCounts].filter(([file]) => sameFile(file, place.file)));
  if (!inFiles && lines.length === 0) {
    return { code: 'unknown-file', message: `${where} is in nothing that was read.` };
  }
  if (lines.length === 0 || lines.some(([, count]) => place.line <= count)) return undefined;
  return { code: 'line-beyond-file', message: `${where} is beyond the end of that file.` };
}

function checkNumbers(said: Notification, evidence: EvidenceById, context: VerifyContext): Check {
  const facts = citedFacts(said, evidence, context);
  const claims = claimedNumbers(said, context.author === 'model');
  const confirmed = claims.filter(number => isConfirmed(number, facts));
  const wanting = claims.filter(number => !confirmed.includes(number) && !isDerived(number, confirmed));
  const problems = [...new Set(wanting.map(number => number.text))].map<Problem>(text => ({
    code: 'unconfirmed-number',
    message: `"${text}" is in none of the cited evidence.`,
  }));
  if (context.author !== 'model') return { problems, notification: said };
  const metrics = said.metrics.filter(metric => isConfirmed(metricNumber(metric.value), facts));
  return { problems, notification: { ...said, metrics } };
}

function citedFacts(said: Notification, evidence: EvidenceById, context: VerifyContext): Facts[] {
  const readings = said.evidenceIds.flatMap(id => evidence.get(id) ?? []);
  const pictures = said.snapshotIds.flatMap(id => context.snapshots?.get(id) ?? []);
  const computed = context.author === 'model' ? [] : [said.metrics, said.culprit, said.related];
  // A snapshot's own evidence is cited with it.
  const beneath = pictures.flatMap(picture => picture.evidenceIds.flatMap(id => evidence.get(id) ?? []));
  return [...readings, ...beneath, ...pictures, ...computed, ...(context.answers ?? [])].map(factsOf);
}

function claimedNumbers(said: Notification, exact: boolean): QuotedNumber[] {
  return [said.title, said.context, said.observation].flatMap(text => quotedNumbers(text ?? '', exact));
}

function metricNumber(value: number): QuotedNumber {
  const tolerance = Math.abs(value) * 0.02;
  return { text: String(value), value, dimension: 'plain', tolerance, rate: true };
}

/** Counting to two is not a measurement: "one of two servers". */
const TRIVIAL = 2;

function isConfirmed(number: QuotedNumber, facts: readonly Facts[]): boolean {
  if (number.dimension === 'plain' && Number.isInteger(number.value) && Math.abs(number.value) <= TRIVIAL) return true;
  for (const [low, high] of confirmingRanges(number)) {
    if (facts.some(read => hasNumberIn(read, low, high))) return true;
  }
  return false;
}

/** More quoted numbers than this in one notification are not combined with each other. */
const MOST_COMBINED = 24;

/** True for a difference, sum, share, ratio or rate of numbers that the same text quotes and the evidence confirms. */
function isDerived(number: QuotedNumber, confirmed: readonly QuotedNumber[]): boolean {
  const among = confirmed.slice(0, MOST_COMBINED);
  const spans = number.rate ? among.filter(item => item.dimension === 'time' && item.value > 0) : [];
  const near = (value: number) => Math.abs(Math.abs(number.value) - value) <= number.tolerance * 2;
  return among.some(a => among.some(b => combinations(a, b, number, spans).some(near)));
}

/** What a and b give in the dimension of the number in question. */
function combinations(a: QuotedNumber, b: QuotedNumber, asked: QuotedNumber, spans: readonly QuotedNumber[]): number[] {
  const [x, y] = [Math.abs(a.value), Math.abs(b.value)];
  if (a.dimension !== b.dimension) {
    return a.dimension === asked.dimension && b.dimension === 'plain' && y > 0 ? [x * y, x / y] : [];
  }
  const change = Math.abs(x - y);
  const asPart = y > 0 && (asked.dimension === 'share' || asked.dimension === 'plain');
  const parts = asPart ? [x / y, (100 * x) / y, (100 * change) / y] : [];
  if (a.dimension !== asked.dimension) return parts;
  return [...parts, change, x + y, ...spans.flatMap(span => perWindow(change, span).concat(perWindow(x, span)))];
}

const perWindow = (amount: number, span: QuotedNumber) =>
  [1000, 60_000, 3_600_000].map(windowMs => (amount / span.value) * windowMs);

function marked(said: Notification, problems: readonly Problem[], author: VerifyContext['author']): Notification {
  // Checked before it was sent, and again at the end: what is known of it counts once.
  const fresh = problems.filter(problem => !said.marks?.includes(problem.message));
  if (fresh.length === 0) return said;
  const marks = [...new Set([...(said.marks ?? []), ...fresh.map(problem => problem.message)])];
  if (fresh.every(problem => HARMLESS.has(problem.code))) return { ...said, marks };
  // A rule's number that can't be found is a bug of ours; a model's is a claim, and no alarm.
  const severity = author === 'model' ? 'info' : said.severity;
  return { ...said, marks, severity, confidence: LOWER[said.confidence ?? 'medium'] };
}

/** Checks words that answer a person: the ids they cite exist, their numbers are in what was read. */
export function verifyAnswer(text: string, evidence: EvidenceById, known: readonly unknown[]): Problem[] {
  const facts = [...[...evidence.values()].filter(isUsable), ...known].map(factsOf);
  const read = [...evidence.values()].filter(isUsable).map(reading => factsOf(reading.data));
  const places = [...read, ...known.map(factsOf)];
  const unread = [...text.matchAll(CITED)]
    .map(match => match[1]!)
    .filter(id => !evidence.has(id) && !known.some(part => JSON.stringify(part).includes(`"${id}"`)));
  const claims = quotedNumbers(text.replace(CITED, ' '), true);
  const confirmed = claims.filter(number => isConfirmed(number, facts));
  const wanting = claims.filter(number => !confirmed.includes(number) && !isDerived(number, confirmed));
  return [
    ...namedPlaces(text).flatMap(place => placeProblem(place, places) ?? []),
    ...unread.map<Problem>(id => ({ code: 'unknown-evidence', message: `[${id}] does not exist.` })),
    ...wanting.map<Problem>(({ text: said }) => ({
      code: 'unconfirmed-number',
      message: `"${said}" is in nothing that was read.`,
    })),
  ];
}

/** An id as the prompt asks for it: [vitals-3]. */
const CITED = /\[(?!secret-)([a-z][\w-]*-\d+)\]/gi;
