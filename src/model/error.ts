/** Codes a script may rely on; each belongs to one exit code (src/commands/exit.ts). */
export type ErrorCode =
  | 'usage'
  | 'target-not-found'
  | 'target-ambiguous'
  | 'target-not-node'
  | 'target-not-permitted'
  | 'target-stopped'
  | 'target-zombie'
  | 'inspector-disabled'
  | 'inspector-not-opened'
  | 'inspector-busy'
  | 'inspector-port-taken'
  | 'inspector-unreachable'
  | 'target-locked'
  | 'target-blocked'
  | 'target-lost'
  | 'model-unavailable'
  | 'file-unreadable'
  | 'file-malformed'
  | 'storage'
  | 'timeout'
  | 'protocol';

/** An error of the user's world: one sentence with the cause, one with the next step. A bug throws a plain Error. */
export class LensError extends Error {
  override readonly name = 'LensError';
  constructor(
    readonly code: ErrorCode,
    message: string,
    readonly hint?: string,
    options?: { cause?: unknown },
  ) {
    super(message, options);
  }
}
