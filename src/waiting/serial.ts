import {
  CHATTY_OVERLAP,
  CHATTY_WAITS,
  fromPlace,
  isDriven,
  isRemote,
  SLOW_CALL_MS,
  talksToPeers,
} from './downstream.js';
import type { Context, Finding } from './finding.js';
import { type PlaceWaits, waitsByPlace } from './places.js';

/** Fewer steps than this are what a handler has to do. */
const LEAST_STEPS = 5;
/** Of the request nearly all must be these steps. */
const NEARLY_ALL = 0.8;
/** Requests read to their end: a count of steps from fewer is an anecdote. */
const LEAST_READ = 3;

/** Too few round trips to be called many, each quick enough, and together a request of a second and more. */
export function oneAfterTheOther({ waits, routes, calls, dump }: Context): Finding[] {
  const driven = talksToPeers(dump);
  return waitsByPlace(waits, 'finished')
    .filter(isSlowBySteps)
    .filter(place => isRemote(place) || (driven && isDriven(place)) || calls.some(call => call.requests > 0))
    .slice(0, 1)
    .map(
      place =>
        ({
          ...fromPlace(place, routes),
          faultClass: 'downstream.chatty',
          confidence: 'medium',
          package: place.called,
          waits: place,
          few: true,
        }) as const,
    );
}

const isSlowBySteps = ({ requests, perRequest, overlap, share, wallMs, meanMs }: PlaceWaits): boolean =>
  requests >= LEAST_READ &&
  perRequest >= LEAST_STEPS &&
  perRequest <= CHATTY_WAITS &&
  overlap <= CHATTY_OVERLAP &&
  share >= NEARLY_ALL &&
  wallMs >= SLOW_CALL_MS &&
  meanMs < SLOW_CALL_MS;
