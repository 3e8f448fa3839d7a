import type { SandboxLimits } from './limits.js';

/** What crosses between lens and the worker that holds the virtual machine: strings and numbers only. */
export type ToWorker =
  | { readonly type: 'run'; readonly code: string; readonly names: readonly string[]; readonly limits: SandboxLimits }
  | { readonly type: 'answer'; readonly id: number; readonly json: string }
  | { readonly type: 'failure'; readonly id: number; readonly message: string };

export type FromWorker =
  | { readonly type: 'call'; readonly id: number; readonly name: string; readonly args: string }
  /** Nothing left to compute until a query answers. */
  | { readonly type: 'waiting' }
  | { readonly type: 'done'; readonly outcome: ScriptOutcome; readonly reusable: boolean };

/** `json` holds the script's value; `undefined` and functions are null. */
export type ScriptOutcome =
  | { readonly json: string; readonly log: readonly string[] }
  | { readonly error: string; readonly log: readonly string[] };
