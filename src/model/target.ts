/** How a person names the process: exactly one way. */
export type TargetSpec =
  | { readonly by: 'pid'; readonly pid: number }
  | { readonly by: 'port'; readonly port: number; readonly host: string }
  | { readonly by: 'url'; readonly url: string }
  | { readonly by: 'name'; readonly pattern: string }
  | { readonly by: 'command'; readonly argv: readonly string[] }
  | { readonly by: 'only' };

/** What is known of the process a run looks at. `pid` 0 means: behind a port of another machine. */
export interface TargetInfo {
  readonly pid: number;
  readonly nodeVersion: string;
  readonly command: string;
  readonly entry?: string;
  readonly name?: string;
  readonly cwd: string;
  readonly startedAt?: number;
  readonly platform: string;
  readonly arch?: string;
  readonly execArgv?: readonly string[];
  readonly url?: string;
}
