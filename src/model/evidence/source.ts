export interface SourceParams {
  /** Empty when only the url is known, as in a stack frame. */
  readonly scriptId: string;
  readonly url?: string;
  /** Scripts that will be asked for next: they are fetched with this one, so that the target is disturbed once. */
  readonly also?: readonly string[];
}

/** The text V8 compiled, from the target's own memory, and its source map where one can be read. */
export interface ScriptSource {
  readonly scriptId: string;
  readonly url: string;
  readonly text: string;
  readonly sourceMapUrl?: string;
  /** The source map's JSON text, from a data: url or from a local file beside the script; sources filled in where possible. */
  readonly sourceMap?: string;
}
