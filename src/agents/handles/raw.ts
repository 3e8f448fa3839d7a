import type { RawFrame } from '../stack.js';

/** Everything of one kind with one name at one reading; for one asker's window. */
export interface RawGroup {
  readonly kind: 'socket' | 'child' | 'watcher' | 'worker' | 'other';
  readonly type: string;
  readonly direction: string;
  readonly name: string;
  count: number;
  born: number;
  gone: number;
  idle: number;
  idleBorn: number;
  settledBorn: number;
  busy: number;
  halfClosed: number;
  bytesRead: number;
  bytesWritten: number;
  readonly pids: number[];
}

export interface RawLocation {
  readonly scriptId: string;
  readonly lineNumber: number;
  readonly columnNumber: number;
}

export interface RawTimers {
  readonly key: string;
  readonly ms: number;
  readonly repeat: boolean;
  readonly name: string;
  readonly count: number;
  readonly location?: RawLocation | undefined;
}

export interface RawReading {
  readonly now: number;
  readonly uptimeSeconds: number;
  readonly groups: readonly RawGroup[];
  readonly timers: readonly RawTimers[];
  readonly timerTotal: number;
  readonly listeners: readonly { readonly address: string; readonly connections: number }[];
  readonly resources: { readonly [type: string]: number };
  readonly requests: { readonly [type: string]: number };
  readonly truncated: boolean;
  /** Why the timers could not be read. */
  readonly timerFault?: string | undefined;
}

export interface RawCreator {
  readonly type: string;
  readonly count: number;
  readonly followed: number;
  readonly alive: number;
  readonly frames: readonly RawFrame[];
}

export interface RawCreators {
  readonly creators: readonly RawCreator[];
  readonly clientRequests: number;
}
