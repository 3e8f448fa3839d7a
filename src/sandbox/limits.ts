export interface SandboxLimits {
  /** Time the script itself may compute, in milliseconds; waiting for its queries is not counted. */
  readonly ownTimeMs: number;
  readonly memoryBytes: number;
  readonly stackBytes: number;
  /** Longest answer as JSON text, in characters. */
  readonly outputChars: number;
  /** Queries one script may make. */
  readonly calls: number;
  /** A query that has not answered after this long fails, in milliseconds. */
  readonly queryTimeoutMs: number;
}

/** DESIGN's fixed limits; the stack is what QuickJS survives on a worker of 4 MB, measured on Node 20. */
export const SANDBOX_LIMITS: SandboxLimits = {
  ownTimeMs: 5000,
  memoryBytes: 32 * 1024 * 1024,
  stackBytes: 256 * 1024,
  outputChars: 256 * 1024,
  calls: 50,
  queryTimeoutMs: 120_000,
};
