import type { RawFrame } from '../stack.js';

export interface RawEnding {
  readonly code: number | null;
  readonly signal?: string;
  readonly lifetimeMs?: number;
  /** The program ended the thread by `terminate`. */
  readonly terminated?: boolean;
}

export interface RawOffspring {
  readonly kind: 'child' | 'worker';
  readonly name: string;
  readonly spawned: number;
  readonly endings: readonly RawEnding[];
  readonly frames: readonly RawFrame[];
}
