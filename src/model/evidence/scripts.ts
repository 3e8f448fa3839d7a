import type { ScriptSource } from './source.js';

export interface ScriptsParams {
  /** The end of a file's path; absent: every script of the application itself. */
  readonly file?: string;
}

/** Scripts of the main thread and of worker threads with their texts; a file that several threads run comes once. */
export interface Scripts {
  readonly scripts: readonly ScriptSource[];
}
