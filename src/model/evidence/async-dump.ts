import type { InFlight } from './in-flight.js';

export interface AsyncDumpParams {
  /** Length of the window, 3 to 5 seconds. Default 4. */
  readonly seconds?: number;
}

/** A stack frame as V8 names it; `url` is empty for built-ins (Promise.all, Array.map). Line and column are 1-based. */
export interface AsyncFrame {
  readonly function: string;
  readonly url: string;
  readonly line: number;
  readonly column: number;
  /** Below an await: this frame is suspended, not called. */
  readonly suspended: boolean;
  /** The package it belongs to where the url doesn't tell: a bundle carries packages in the application's own file. */
  readonly package?: string;
}

/** One asynchronous resource that was made in the window. Times are milliseconds since the window began. */
export interface AsyncRecord {
  readonly id: number;
  /** PROMISE, Timeout, TCPCONNECTWRAP, …, or HTTPSTART: the moment a socket was given to an http.request. */
  readonly type: string;
  readonly executionId: number;
  /** For an await or a then: the promise that it waits for. */
  readonly triggerId: number;
  /** Index into `requests`, 0 when it belongs to none. */
  readonly request: number;
  readonly at: number;
  /** When it settled or was called; 0 while pending, -1 when it was cancelled. */
  readonly end: number;
  /** Indices into `frames`, innermost first. */
  readonly stack: readonly number[];
  readonly detail?: AsyncDetail;
}

/** What a native resource tells about itself. */
export interface AsyncDetail {
  readonly ms?: number;
  readonly repeats?: boolean;
  readonly cancelled?: boolean;
  readonly unref?: boolean;
  readonly peer?: string;
  readonly path?: string;
  readonly done?: boolean;
  /** What the stream still has to write when the window ended. */
  readonly bytes?: number;
}

/** A request that a server of the target received in the window. */
export interface ServedRequest {
  readonly index: number;
  readonly method: string;
  readonly route: string;
  readonly at: number;
  /** 0 while open. */
  readonly end: number;
  readonly status: number;
  /** The client went away before the answer was finished. */
  readonly aborted: boolean;
  /** Its resources were recorded (a request is recorded whole or not at all). */
  readonly recorded: boolean;
  readonly headersSent: boolean;
  readonly bodyIncomplete: boolean;
}

/** A request the target sent in the window, by node:http or undici (global fetch included). */
export interface OutgoingCall {
  readonly library: 'http' | 'undici';
  readonly at: number;
  /** When the answer's headers came; 0 while waiting. */
  readonly answeredAt: number;
  readonly end: number;
  /** Index into `requests`, 0 when it belongs to none. */
  readonly request: number;
  readonly method: string;
  readonly host: string;
  readonly path: string;
  /** Tells equal addresses of the window (host and whole path, without the query) from different ones, and no more. */
  readonly target?: number;
  /** -1 for an error, 0 while waiting. */
  readonly status: number;
  readonly state: 'no-answer' | 'reading' | 'unread' | 'done' | 'failed';
}

/** New outgoing sockets of the window, by peer. */
export interface NewSockets {
  readonly peer: string;
  readonly count: number;
  readonly open: number;
  readonly requests: number;
}

export interface AsyncDumpTotals {
  readonly inits: number;
  readonly records: number;
  /** Records refused by the budget of all, and of one request. */
  readonly dropped: number;
  readonly droppedPerRequest: number;
  readonly unrecordedRequests: number;
  readonly errors: number;
}

/** What was made, waited for and settled in a window of a few seconds, with the stacks of those who wait. */
export interface AsyncDump {
  readonly windowMs: number;
  readonly before: InFlight;
  readonly after: InFlight;
  readonly totals: AsyncDumpTotals;
  readonly frames: readonly AsyncFrame[];
  readonly records: readonly AsyncRecord[];
  readonly requests: readonly ServedRequest[];
  /** Requests begun before the window and finished in it. */
  readonly finishedBefore: readonly { readonly method: string; readonly route: string; readonly count: number }[];
  readonly calls: readonly OutgoingCall[];
  readonly sockets: readonly NewSockets[];
  readonly rejections: readonly {
    readonly count: number;
    readonly message: string;
    readonly stack: readonly string[];
  }[];
}
