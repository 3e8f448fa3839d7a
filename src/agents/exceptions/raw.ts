/** One error as the listener saw it; the stack is text, as the error carries it. */
export interface RawError {
  readonly type: string;
  readonly message: string;
  readonly stack: string;
  readonly count: number;
}

export interface RawExceptions {
  readonly windowMs: number;
  readonly uncaught: { readonly count: number; readonly errors: readonly RawError[] };
  readonly rejections: { readonly listening: boolean; readonly count: number; readonly errors: readonly RawError[] };
}
