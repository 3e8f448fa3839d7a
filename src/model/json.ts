/** What survives JSON: the only values that cross from a target, into a run file, or to a model. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };
