/** The process as the kernel sees it; nothing was asked of the process itself. Linux only. */
export interface ProcessReading {
  readonly takenAt: number;
  readonly uptimeSeconds: number;
  /** User plus system time since it began, in milliseconds. */
  readonly cpuMs: number;
  readonly rssBytes: number;
  readonly swapBytes: number;
  /** Sums over the mappings; absent where they may not be read. */
  readonly mappings?: {
    /** Shared pages counted by share. */
    readonly pssBytes: number;
    readonly anonymousBytes: number;
    readonly privateDirtyBytes: number;
    /** Freed by the allocator, not yet taken back by the kernel. */
    readonly lazyFreeBytes: number;
  };
  readonly voluntarySwitches: number;
  readonly involuntarySwitches: number;
  readonly threads: readonly { readonly name: string; readonly state: string; readonly cpuMs: number }[];
  readonly fds: {
    readonly total: number;
    /** Soft limit (RLIMIT_NOFILE); absent: unlimited or unreadable. */
    readonly limit?: number;
    /** socket, pipe, file, deleted file, device, eventpoll, eventfd, inotify, … */
    readonly byKind: { readonly [kind: string]: number };
  };
  readonly sockets: {
    /** By TCP state: ESTABLISHED, CLOSE_WAIT, … */
    readonly tcp: { readonly [state: string]: number };
    readonly unix: number;
    readonly udp: number;
    /** Connections that wait to be accepted, by listening port. */
    readonly listening: readonly { readonly address: string; readonly port: number; readonly waiting: number }[];
    /** Bytes received by the kernel and not read by the program, and written and not taken by the peer. */
    readonly unreadBytes: number;
    readonly unsentBytes: number;
  };
  readonly children: readonly {
    readonly pid: number;
    readonly command: string;
    /** One letter; Z is a zombie that the process does not collect. */
    readonly state: string;
    readonly seconds: number;
  }[];
}
