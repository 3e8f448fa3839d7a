import { numbersOfSample } from '../live.js';
import type { LensEvent } from '../model/event.js';
import { type Evidence, isUsable } from '../model/evidence/index.js';
import type { Vitals } from '../model/evidence/vitals.js';

/** So many single readings are a record of their own, as `lens attach` keeps one. */
const ENOUGH = 5;

/**
 * The events of a recorded run with numbers to draw: where nobody watched live, the samples of its vitals readings
 * stand in, each at its own time.
 */
export function withSampledVitals(
  events: readonly LensEvent[],
  evidence: ReadonlyMap<string, Evidence>,
): readonly LensEvent[] {
  if (events.filter(event => event.type === 'vitals.read').length >= ENOUGH) return events;
  const sampled = events.flatMap(event => {
    const reading = event.type === 'evidence.collected' ? evidence.get(event.id) : undefined;
    return reading?.kind === 'vitals' && isUsable(reading) ? samplesAsEvents(event, reading.data as Vitals) : [];
  });
  // Sorting is stable: what happened at the same millisecond keeps its order.
  return [...events, ...sampled].sort((a, b) => a.at - b.at);
}

function samplesAsEvents(event: LensEvent, vitals: Vitals): LensEvent[] {
  const end = vitals.samples.at(-1)?.at ?? 0;
  // The first sample's shares are averages since the process began: no point of a curve.
  return vitals.samples.slice(1).map(sample => ({
    type: 'vitals.read',
    at: Math.round(event.at - (end - sample.at)),
    runId: event.runId,
    traceId: event.traceId,
    vitals: { ...numbersOfSample(sample), loopDelayMs: vitals.loopDelay.maxMs, gcShare: vitals.gcShare },
  }));
}
