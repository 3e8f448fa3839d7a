import type { PartHost } from '../host.js';
import { own } from '../peek.js';
import type { RawGroup } from './raw.js';

/** What one active handle is, in words that stay the same from reading to reading. */
export interface Described {
  readonly kind: RawGroup['kind'];
  readonly type: string;
  readonly direction: string;
  readonly name: string;
  readonly pid?: number;
  /** Bytes moved so far; undefined for handles that move none. */
  readonly read?: number;
  readonly written?: number;
  readonly busy: boolean;
  readonly halfClosed: boolean;
}

export interface Describer {
  describe(handle: object): Described | undefined;
  /** The native handle beneath; undefined once closed. */
  native(handle: object): object | undefined;
  listener(handle: object): { address: string; connections: number } | undefined;
}

type Net = typeof import('node:net');
type Getter = (self: object) => unknown;

const KINDS: { readonly [type: string]: RawGroup['kind'] } = {
  ChildProcess: 'child',
  FSWatcher: 'watcher',
  FSEvent: 'watcher',
  StatWatcher: 'watcher',
  Worker: 'worker',
};

/** Reads handles through getters of Node's own classes taken now, so that no code of the program runs. */
export function describer(host: PartHost): Describer {
  const { Socket, Server } = host.require('node:net') as Net;
  const dgram = host.require('node:dgram') as typeof import('node:dgram');
  const proto = Socket.prototype;
  const socketGet = {
    native: getter(proto, '_handle'),
    address: getter(proto, 'remoteAddress'),
    port: getter(proto, 'remotePort'),
    localPort: getter(proto, 'localPort'),
    bytesRead: getter(proto, 'bytesRead'),
    bytesWritten: getter(proto, 'bytesWritten'),
  };
  const address = plain(Server.prototype, 'address');

  const native = (handle: object): object | undefined => {
    const found = handle instanceof Socket ? socketGet.native(handle) : own(handle, '_handle');
    return isObject(found) ? found : undefined;
  };

  const socket = (handle: object): Described => {
    const inbound = isObject(own(handle, 'server')) || isObject(own(handle, '_server'));
    const direction = isPipe(native(handle)) ? 'pipe' : inbound ? 'in' : 'out';
    return {
      kind: 'socket',
      type: constructorName(handle),
      direction,
      name: direction === 'pipe' ? '' : inbound ? String(socketGet.localPort(handle) ?? '') : peer(handle),
      read: numberOf(socketGet.bytesRead, handle),
      written: numberOf(socketGet.bytesWritten, handle),
      busy: isBusy(handle),
      halfClosed: isHalfClosed(handle),
    };
  };

  const peer = (handle: object): string => {
    const host_ = own(handle, '_host') ?? socketGet.address(handle);
    const port = socketGet.port(handle);
    return typeof host_ === 'string' && port !== undefined ? `${host_}:${port}` : 'connecting';
  };

  return {
    native,
    describe(handle) {
      if (handle instanceof Server) return undefined;
      if (handle instanceof Socket) return isStandardStream(handle) ? undefined : socket(handle);
      const type = constructorName(handle);
      const plainHandle = { type, direction: '', busy: false, halfClosed: false };
      if (handle instanceof dgram.Socket) return { ...plainHandle, kind: 'socket', direction: 'udp', name: '' };
      const pid = number(own(handle, 'pid'));
      const kind = KINDS[type] ?? 'other';
      const name = kind === 'child' ? String(own(handle, 'spawnfile') ?? '') : '';
      const isChild = kind === 'child';
      return { ...plainHandle, kind, name, busy: isChild && isUnread(handle), ...(isChild && pid > 0 ? { pid } : {}) };
    },
    listener(handle) {
      if (!(handle instanceof Server)) return undefined;
      const at = address(handle) as { address?: string; port?: number } | string | null;
      const text = typeof at === 'string' ? at : at ? `${at.address}:${at.port}` : '';
      return { address: text, connections: number(own(handle, '_connections')) };
    },
  };
}

/** A child whose output fills its pipe, because nobody reads it, writes no further and does not end. */
const isUnread = (child: object): boolean =>
  ['stdout', 'stderr'].some(name => {
    const state = own(own(child, name), '_readableState');
    const [length, limit] = [own(state, 'length'), own(state, 'highWaterMark')];
    return typeof length === 'number' && typeof limit === 'number' && limit > 0 && length >= limit;
  });

/** Class name from the prototype's own `constructor`, without looking at anything that could be a getter. */
export function constructorName(handle: object): string {
  const name = own(own(Object.getPrototypeOf(handle), 'constructor'), 'name');
  return typeof name === 'string' && name !== '' ? name : 'Object';
}

/** stdin, stdout and stderr: the program's own, never a leak. */
function isStandardStream(handle: object): boolean {
  const fd = own(handle, 'fd');
  return typeof fd === 'number' && fd >= 0 && fd <= 2;
}

const isPipe = (native: object | undefined): boolean => native !== undefined && constructorName(native) === 'Pipe';

/** In an http exchange: a client's request, or a server connection's response, is attached. */
const isBusy = (handle: object): boolean => isObject(own(handle, '_httpMessage'));

function isHalfClosed(handle: object): boolean {
  const readable = own(handle, '_readableState');
  const writable = own(handle, '_writableState');
  return flag(readable, 'ended') && !flag(writable, 'ending') && !flag(writable, 'destroyed');
}

/** A stream state's flag: an own field in Node 18, an accessor over bits on Node's own prototype later. */
function flag(state: unknown, name: string): boolean {
  if (!isObject(state)) return false;
  const direct = own(state, name);
  if (direct !== undefined) return direct === true;
  const get = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(state), name)?.get;
  return get?.call(state) === true;
}

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null;
const number = (value: unknown): number => (typeof value === 'number' ? value : 0);

/** Node's getter stumbles when a write is under way. */
function numberOf(get: (handle: object) => unknown, handle: object): number {
  try {
    return number(get(handle));
  } catch {
    return 0;
  }
}

function getter(prototype: object, key: string): Getter {
  const get = Object.getOwnPropertyDescriptor(prototype, key)?.get;
  return self => get?.call(self);
}

function plain(prototype: object, key: string): Getter {
  const method = Object.getOwnPropertyDescriptor(prototype, key)?.value as (() => unknown) | undefined;
  return self => method?.call(self);
}
