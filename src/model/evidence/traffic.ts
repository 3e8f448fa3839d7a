import type { NewSockets, OutgoingCall, ServedRequest } from './async-dump.js';
import type { InFlight } from './in-flight.js';

export interface TrafficParams {
  /** Length of the window, in seconds. Default 3. */
  readonly seconds?: number;
}

/** Requests in and out of a window, from diagnostics channels alone: no hooks, no stacks. */
export interface Traffic {
  readonly windowMs: number;
  readonly before: InFlight;
  readonly after: InFlight;
  readonly requests: readonly ServedRequest[];
  readonly finishedBefore: readonly { readonly method: string; readonly route: string; readonly count: number }[];
  readonly calls: readonly OutgoingCall[];
  readonly sockets: readonly NewSockets[];
}
