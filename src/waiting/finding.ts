import type { AsyncDump } from '../model/evidence/async-dump.js';
import type { Holder } from '../model/evidence/holders.js';
import type { AgentPool } from '../model/evidence/in-flight.js';
import type { FaultClass } from '../model/fault.js';
import type { RouteFlow } from './flow.js';
import type { CallGroup } from './outgoing.js';
import type { Overlap } from './overlap.js';
import type { PlaceWaits } from './places.js';
import type { WaitGroup } from './stuck.js';
import type { Frame, Waits } from './waits.js';

/** A cause among what is waited for. Exactly one skill owns each class. */
export interface Finding {
  readonly faultClass: FaultClass;
  readonly confidence: 'high' | 'medium' | 'low';
  /** The user frame that waits, innermost first; may be empty. */
  readonly user: readonly Frame[];
  readonly place: Frame | undefined;
  /** Where the promise that doesn't come was made. */
  readonly maker: Frame | undefined;
  readonly makerUser: readonly Frame[];
  readonly package: string | undefined;
  /** Packages on the stack of the wait, innermost first; where nothing of the application's stands there, one that it calls. */
  readonly packages?: readonly string[];
  /** Other places that wait for the same. */
  readonly others: readonly Frame[];
  /** Where those wait who hold what the others wait for. */
  readonly holding: readonly Frame[];
  readonly routes: readonly string[];
  readonly requests: number;
  readonly oldestMs: number;
  readonly flow: RouteFlow | undefined;
  readonly holder?: Holder;
  readonly agent?: AgentPool;
  readonly call?: CallGroup;
  readonly waits?: PlaceWaits;
  /** Few round trips, but they make a request slow: a fault only where a loop makes them. */
  readonly few?: true;
  /** Host names that are still looked up, one of them, and how long the oldest has been. */
  readonly lookups?: { readonly count: number; readonly oldestMs: number; readonly host: string };
  /** Each waits for an answer under an id of its own. */
  readonly replies?: true;
  /** Runs of a timer's job that lie over each other: no request waits for them. */
  readonly overlap?: Overlap;
  /** Each that comes is given a later turn: one turn every so many milliseconds, and the longest wait for one. */
  readonly paced?: { readonly everyMs: number; readonly longestMs: number };
  /** Sockets of the pool that moved no byte over the window: connections that are held and not used. */
  readonly silent?: { readonly peer: string; readonly count: number };
  /** Nobody was seen waiting, because nothing began in the window or callbacks wait: only the holder tells. */
  readonly standstill?: true;
  /** Told by where functions stand that began to wait before the window: how long they wait is not known. */
  readonly fromBefore?: true;
}

/** What every cause is told from. */
export interface Context {
  readonly dump: AsyncDump;
  readonly waits: Waits;
  readonly routes: readonly RouteFlow[];
  readonly calls: readonly CallGroup[];
  readonly places: readonly PlaceWaits[];
  readonly holders: readonly Holder[];
  /** Pools and locks were looked for, so that one that is not among them is not there. */
  readonly isSearched: boolean;
  readonly groups: readonly WaitGroup[];
  readonly old: number;
}

/** A finding before its cause is known. */
export type Base = Omit<Finding, 'faultClass' | 'confidence'>;
