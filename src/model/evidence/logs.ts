import type { CreatorFrame } from './handles.js';

export interface LogsParams {
  /** Length of the window, in seconds. Default 5. */
  readonly seconds?: number;
  /** Also find the scripts behind the frames, which stops the target for a moment (Debugger.enable). */
  readonly places?: boolean;
}

export type LogLevel = 'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'trace' | 'unknown';

/** Lines of one level with the same template. */
export interface LogGroup {
  readonly level: LogLevel;
  /** The first line with numbers, ids and quoted values replaced; redacted. */
  readonly template: string;
  /** Lines of the group in the window; scaled up where only a share of all lines was looked at. */
  readonly count: number;
  readonly bytes: number;
  /** Seconds of the window in which it appeared. */
  readonly activeSeconds: number;
  /** How it was written: `console`, `stream` (stdout or stderr), `fd` (fs.write), `file` (read from outside). */
  readonly via: 'console' | 'stream' | 'fd' | 'file';
  /** One such line, redacted and cut. */
  readonly example: string;
  /** Who wrote it, innermost first; Node's own frames left out. Empty when it was flushed later. */
  readonly frames: readonly CreatorFrame[];
}

export interface LogEntry {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly level: LogLevel;
  readonly message: string;
}

export interface Logs {
  readonly seconds: number;
  readonly lines: number;
  readonly bytes: number;
  readonly byLevel: { readonly [level in LogLevel]?: number };
  /** Most frequent first. */
  readonly groups: readonly LogGroup[];
  /** Newest first. */
  readonly recent: readonly LogEntry[];
  /** Share of the window that the main thread spent within write calls, 0..1. */
  readonly writeShare: number;
  /** What stdout and stderr hold in memory because the reader is slow, at the end. */
  readonly pendingBytes: number;
  /** Lines that were only counted, because there were too many. */
  readonly unread: number;
}
