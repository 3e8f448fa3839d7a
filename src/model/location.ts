/** A place in code as a person would say it. Lines and columns are 1-based and already source-mapped. */
export interface CodeLocation {
  readonly package?: string;
  readonly function?: string;
  readonly file: string;
  readonly line: number;
  readonly column?: number;
  /** How one gets there: calls or a retaining path, outermost first. */
  readonly via?: readonly string[];
  /** Source lines around the place, each with its number. */
  readonly frame?: string;
}

/** A place as V8 names it: a script and a 0-based position in the text that V8 compiled. */
export interface ScriptPosition {
  readonly scriptId: string;
  /** `file://…`, an absolute path (CommonJS), `node:…`, or empty for evaluated code. */
  readonly url: string;
  readonly line: number;
  readonly column: number;
}
