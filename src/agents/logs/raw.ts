import type { RawFrame } from '../stack.js';

export interface RawGroup {
  readonly level: string;
  readonly template: string;
  readonly via: 'console' | 'stream' | 'fd';
  readonly example: string;
  readonly count: number;
  readonly bytes: number;
  readonly activeSeconds: number;
  readonly frames: readonly RawFrame[];
}

export interface RawEntry {
  readonly at: number;
  readonly level: string;
  readonly message: string;
}

export interface RawLogs {
  readonly windowMs: number;
  readonly lines: number;
  readonly bytes: number;
  /** Lines that were looked at. */
  readonly read: number;
  readonly writeMs: number;
  readonly pendingBytes: number;
  readonly groups: readonly RawGroup[];
  /** Newest first. */
  readonly recent: readonly RawEntry[];
}
