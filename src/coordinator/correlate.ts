import type { Insight } from '../model/insight.js';
import type { CodeLocation } from '../model/location.js';
import type { Notification } from '../model/notification.js';
import { SEVERITIES } from '../model/severity.js';
import { isInevitable, mechanismBetween } from './mechanisms.js';
import { isUnproven } from './unproven.js';

/** Lines this near in one file are one place: a holder's declaration and the call beside it. */
const SAME_PLACE_LINES = 3;

/** One cause with what follows from it. */
interface Cluster {
  readonly cause: Notification;
  readonly same: Notification[];
  readonly effects: { readonly notification: Notification; readonly because: string }[];
}

/** Notifications → ranked insights: consequences stand under their cause, two sights of one place are one insight. */
export function correlate(notifications: readonly Notification[], newId: (prefix: string) => string): Insight[] {
  const open = [...notifications].sort(strongerFirst);
  const clusters = mergeSame(open.filter(notification => !isUnproven(notification)));
  const causes = absorbEffects(clusters);
  const apart = open.filter(isUnproven).map<Cluster>(cause => ({ cause, same: [], effects: [] }));
  return [...causes, ...apart].map((cluster, index) => insightOf(cluster, index + 1, newId));
}

function mergeSame(sorted: readonly Notification[]): Cluster[] {
  const clusters: Cluster[] = [];
  for (const notification of sorted) {
    const at = clusters.findIndex(c => sameCause(c.cause, notification));
    const twin = clusters[at];
    if (twin && isDeeper(notification, twin.cause))
      clusters[at] = { cause: notification, same: [twin.cause, ...twin.same], effects: twin.effects };
    else if (twin) twin.same.push(notification);
    else clusters.push({ cause: notification, same: [], effects: [] });
  }
  return clusters;
}

/** Of two sights of one place the one that brings the other about is the cause, whichever is louder. */
function isDeeper(a: Notification, b: Notification): boolean {
  if (a.severity === 'info' || a.confidence === 'low') return false;
  const explains = mechanismBetween(a.faultClass, b.faultClass) !== undefined;
  return explains && mechanismBetween(b.faultClass, a.faultClass) === undefined;
}

function sameCause(a: Notification, b: Notification): boolean {
  if (a.culprit && b.culprit) {
    const related = [...(a.related ?? []), a.culprit];
    const near = related.some(place => samePlace(place, b.culprit));
    return near && (a.faultClass === b.faultClass || sameFamily(a, b));
  }
  // A nameless sight of the same fault adds numbers, not a second fault.
  return a.faultClass === b.faultClass && !b.culprit && (!a.culprit || b.mechanism !== true);
}

function sameFamily(a: Notification, b: Notification): boolean {
  return a.faultClass.split('.')[0] === b.faultClass.split('.')[0] || related(a, b);
}

function related(a: Notification, b: Notification): boolean {
  return (mechanismBetween(a.faultClass, b.faultClass) ?? mechanismBetween(b.faultClass, a.faultClass)) !== undefined;
}

function samePlace(a: CodeLocation, b: CodeLocation | undefined): boolean {
  return b !== undefined && a.file === b.file && Math.abs(a.line - b.line) <= SAME_PLACE_LINES;
}

/** Strongest cause first: each later cluster that a known mechanism explains goes under it, unless its own proof is as good. */
function absorbEffects(clusters: readonly Cluster[]): Cluster[] {
  const order = [...clusters].sort(
    (a, b) => depth(b, clusters) - depth(a, clusters) || strongerFirst(a.cause, b.cause),
  );
  const kept: Cluster[] = [];
  for (const cluster of order) {
    const cause = kept.find(c => explains(c.cause, cluster.cause));
    if (!cause) {
      kept.push(cluster);
      continue;
    }
    const because = mechanismBetween(cause.cause.faultClass, cluster.cause.faultClass) ?? '';
    for (const notification of [cluster.cause, ...cluster.same]) cause.effects.push({ notification, because });
    cause.effects.push(...cluster.effects);
  }
  return kept.sort(
    (a, b) => strength(b.cause) - strength(a.cause) || reach(b, kept) - reach(a, kept) || earlierFirst(a, b),
  );
}

/** How many of the others it may have brought about, though each is proven in its own place. */
function reach({ cause }: Cluster, all: readonly Cluster[]): number {
  return all.filter(other => isDeeper(cause, other.cause)).length;
}

const earlierFirst = (a: Cluster, b: Cluster): number => a.cause.detectedAt - b.cause.detectedAt;

/** How many of the others this one would explain: a cause of many stands before a cause of few. */
function depth(cluster: Cluster, all: readonly Cluster[]): number {
  return all.filter(other => other !== cluster && explains(cluster.cause, other.cause)).length;
}

function explains(cause: Notification, effect: Notification): boolean {
  if (mechanismBetween(cause.faultClass, effect.faultClass) === undefined) return false;
  if (SEVERITIES.indexOf(cause.severity) === 0 && SEVERITIES.indexOf(effect.severity) > 0) return false;
  return !standsAlone(cause, effect);
}

/** A finding with a proven culprit elsewhere is a second fault, not a consequence. */
function standsAlone(cause: Notification, effect: Notification): boolean {
  if (!effect.culprit || !cause.culprit) return false;
  if (isInevitable(cause.faultClass, effect.faultClass) || samePackage(cause, effect)) return false;
  if (isThrownByCall(cause, effect)) return false;
  if (mechanismBetween(effect.faultClass, cause.faultClass) !== undefined) return !sharesFile(cause, effect);
  return effect.mechanism === true && effect.confidence === 'high' && !sharesFile(cause, effect);
}

/** A client library throws for every call that fails; the one who calls on and on is the cause. */
function isThrownByCall(cause: Notification, effect: Notification): boolean {
  return (
    cause.faultClass === 'downstream.retries' &&
    effect.faultClass === 'exceptions.storm' &&
    effect.culprit?.package !== undefined
  );
}

/** What piles up inside the library that is waited in is the waiting itself. */
function samePackage(cause: Notification, effect: Notification): boolean {
  return effect.culprit?.package !== undefined && effect.culprit.package === cause.culprit?.package;
}

function sharesFile(a: Notification, b: Notification): boolean {
  const files = new Set([a.culprit, ...(a.related ?? [])].map(place => place?.file));
  return [b.culprit, ...(b.related ?? [])].some(place => place !== undefined && files.has(place.file));
}

const CONFIDENCE = ['low', 'medium', 'high'] as const;

function strength(n: Notification): number {
  const severity = SEVERITIES.indexOf(n.severity);
  const confidence = CONFIDENCE.indexOf(n.confidence ?? (n.mechanism ? 'high' : 'medium'));
  return severity * 100 + confidence * 10 + (n.mechanism ? 5 : 0) + (n.culprit ? 3 : 0);
}

function strongerFirst(a: Notification, b: Notification): number {
  return strength(b) - strength(a) || a.detectedAt - b.detectedAt;
}

function insightOf(cluster: Cluster, rank: number, newId: (prefix: string) => string): Insight {
  const { cause, same, effects } = cluster;
  const all = [cause, ...same, ...effects.map(e => e.notification)];
  const operators = new Set([cause, ...same].map(n => n.operator));
  const grounded = cause.mechanism === true || operators.size > 1;
  // Full write buffers don't say who writes; what piles up in them does.
  const sights = [...same, ...effects.map(effect => effect.notification).filter(n => n.mechanism === true)];
  const culprit = cause.culprit ?? sights.find(n => n.culprit)?.culprit;
  const fix = cause.fix ?? same.find(n => n.fix)?.fix;
  return {
    id: newId('insight'),
    rank,
    title: cause.title ?? cause.observation,
    faultClass: cause.faultClass,
    severity: loudest([cause, ...same]),
    confidence: confidenceOf(cause, grounded),
    correlation:
      effects.length > 0 ? 'causal' : same.length > 0 ? 'symptomatic' : overlapInTime(all) ? 'temporal' : 'symptomatic',
    summary: summaryOf(cluster),
    matchedObservations: all.map(n => n.observation),
    grounded,
    ...(cause.hypothesis === undefined ? {} : { rootCause: cause.hypothesis }),
    ...(culprit === undefined ? {} : { culprit }),
    ...(relatedOf(cluster).length === 0 ? {} : { related: relatedOf(cluster) }),
    ...(fix === undefined ? {} : { fix }),
    notificationIds: all.map(n => n.id),
    evidenceIds: [...new Set(all.flatMap(n => n.evidenceIds))],
    ...(cause.marks && cause.marks.length > 0 ? { marks: cause.marks } : {}),
  };
}

function loudest(all: readonly Notification[]): Insight['severity'] {
  return (
    [...all].sort((a, b) => SEVERITIES.indexOf(b.severity) - SEVERITIES.indexOf(a.severity))[0]?.severity ?? 'info'
  );
}

function confidenceOf(cause: Notification, grounded: boolean): Insight['confidence'] {
  const claimed = cause.confidence ?? (cause.mechanism ? 'high' : 'medium');
  if (grounded) return claimed;
  return claimed === 'high' ? 'medium' : 'low';
}

function overlapInTime(all: readonly Notification[]): boolean {
  return all.length > 1;
}

function relatedOf({ cause, same }: Cluster): CodeLocation[] {
  const places = [...(cause.related ?? []), ...same.flatMap(n => (n.culprit ? [n.culprit] : []))];
  return places.filter(
    (place, i) => !samePlaceExactly(place, cause.culprit) && places.findIndex(p => samePlaceExactly(p, place)) === i,
  );
}

function samePlaceExactly(a: CodeLocation, b: CodeLocation | undefined): boolean {
  return b !== undefined && a.file === b.file && a.line === b.line && a.function === b.function;
}

function summaryOf({ cause, same, effects }: Cluster): string {
  const seen = [cause, ...same].map(n => n.observation);
  const followed = effects.map(
    e => `It explains what ${e.notification.operator} saw, because ${e.because}: ${e.notification.observation}`,
  );
  return [...new Set([...seen, ...followed])].join(' ');
}
