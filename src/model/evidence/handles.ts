import type { ScriptPosition } from '../location.js';

/** What a creator can be asked for; each names the async_hooks type or the door of `node:fs` behind it. */
export const HANDLE_KINDS = ['timer', 'socket', 'child', 'watcher', 'file', 'worker', 'other'] as const;
export type HandleKind = (typeof HANDLE_KINDS)[number];

export interface HandlesParams {
  /** Length of the window, in seconds; one reading a second. Default 6. */
  readonly seconds?: number;
  /** Also record, for the length of the window, where handles of these kinds are created (async_hooks and `fs.open`). */
  readonly creators?: readonly HandleKind[];
  /** Of timers, only those with these durations, in milliseconds. */
  readonly timerMs?: readonly number[];
}

/** How many there were at each reading of the window, oldest first. */
export type Counts = readonly number[];

export interface TimerGroup {
  readonly ms: number;
  /** setInterval. */
  readonly repeat: boolean;
  /** Where the callback is defined (url unknown here); absent for native callbacks. */
  readonly callback?: Omit<ScriptPosition, 'url'>;
  /** The callback's name, or the first characters of its text. */
  readonly name: string;
  readonly counts: Counts;
}

/** Sockets with one peer (`out`), or accepted by one listener (`in`), or unconnected (`udp`, `pipe`). */
export interface SocketGroup {
  readonly direction: 'in' | 'out' | 'pipe' | 'udp';
  /** host:port of the peer, or the local port of the listener. */
  readonly peer: string;
  readonly counts: Counts;
  /** Opened within the window and still open at its end. */
  readonly born: number;
  /** Closed within the window. */
  readonly gone: number;
  /** Those of `count` at the end that moved no byte for two seconds and carry no http exchange. */
  readonly idle: number;
  /** The same among `born`, of those at least two seconds old. */
  readonly idleBorn: number;
  readonly settledBorn: number;
  /** Carrying an http exchange at the end. */
  readonly busy: number;
  /** The peer has closed its side, the program has not (CLOSE_WAIT). */
  readonly halfClosed: Counts;
  readonly bytesRead: number;
  readonly bytesWritten: number;
}

/** TCP connections as the kernel has them, also those that don't keep the loop alive (idle ones of an http agent). */
export interface ConnectionGroup {
  readonly direction: 'in' | 'out' | 'udp';
  /** address:port of the peer, or the local port of the listener; empty for UDP, which has no connections. */
  readonly peer: string;
  readonly counts: Counts;
  /** The peer has closed, the program has not. */
  readonly closeWait: Counts;
  readonly born: number;
  readonly gone: number;
}

/** Handles without a peer: child processes, watchers, terminals, ports. */
export interface OtherGroup {
  readonly kind: HandleKind;
  readonly type: string;
  /** File of a child, path of a watcher, where known. */
  readonly name?: string;
  readonly counts: Counts;
  readonly born: number;
  readonly gone: number;
  /** Of the children, those whose output fills its pipe. */
  readonly unread?: Counts;
  readonly pids?: readonly number[];
}

export interface Listener {
  readonly address: string;
  readonly connections: number;
}

/** One line of the target's descriptor table, folded by what it points at. */
export interface DescriptorGroup {
  readonly kind: 'file' | 'socket' | 'pipe' | 'event' | 'inotify' | 'device' | 'other';
  /** A file's path or the directory shared by many; the kind again for all else. */
  readonly target: string;
  readonly counts: Counts;
}

export interface Descriptors {
  readonly total: Counts;
  readonly groups: readonly DescriptorGroup[];
  /** Soft limit (nofile). */
  readonly limit?: number;
}

/** A place in the stack of a creation; `url` and position as V8 has them. */
export interface CreatorFrame extends ScriptPosition {
  readonly functionName: string;
}

/** Creations of one kind with one stack, within the window; of those that closed again only the last few are counted. */
export interface Creator {
  readonly kind: HandleKind;
  readonly type: string;
  readonly count: number;
  /** Of those whose fate was followed: still open at the end of the window. */
  readonly alive: number;
  readonly followed: number;
  /** Innermost first; Node's own and lens' frames left out. */
  readonly frames: readonly CreatorFrame[];
}

/** What keeps the loop alive and how it changed over the window. */
export interface Handles {
  readonly seconds: number;
  /** Seconds since the first reading, one per reading. */
  readonly at: readonly number[];
  /** Age of the process at the end of the window. */
  readonly uptimeSeconds: number;
  readonly timers: readonly TimerGroup[];
  readonly timerTotal: Counts;
  readonly sockets: readonly SocketGroup[];
  readonly others: readonly OtherGroup[];
  readonly listeners: readonly Listener[];
  /** Operations under way by type, at the end. */
  readonly requests: { readonly [type: string]: number };
  /** getActiveResourcesInfo by type, at each reading. */
  readonly resources: { readonly [type: string]: Counts };
  /** /proc/PID/fd; undefined off Linux. */
  readonly descriptors?: Descriptors;
  /** /proc/PID/net/tcp; undefined off Linux. */
  readonly connections?: readonly ConnectionGroup[];
  /** Present when asked for. */
  readonly creators?: readonly Creator[];
  /** Outgoing http requests begun while creators were recorded (http, https, fetch). */
  readonly clientRequests?: number;
  /** True when there were too many to look at each. */
  readonly truncated: boolean;
}
