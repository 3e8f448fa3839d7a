export interface ConsoleParams {
  readonly seconds: number;
}

export interface ConsoleMessages {
  readonly seconds: number;
  readonly total: number;
  readonly byLevel: { readonly [level: string]: number };
  readonly groups: readonly {
    readonly level: string;
    /** The first line with numbers and ids replaced, redacted. */
    readonly template: string;
    readonly count: number;
    readonly url?: string;
    readonly line?: number;
    readonly function?: string;
  }[];
}
