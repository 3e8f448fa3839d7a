import { createHash } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { basename } from 'node:path';
import type { AttachTarget } from '../../inspector/attach.js';
import { type NodeProcess, readNodeProcess } from '../../inspector/node-processes.js';

/** A process that is to be watched. */
export interface Found {
  readonly pid: number;
  readonly name: string;
  /** The same for every process with this command in this directory: how a restarted one is known again. */
  readonly fingerprint: string;
  /** Where its inspector listens, when it was named so; `pid` is 0 until lens has connected. */
  readonly address?: Exclude<AttachTarget, { readonly pid: number }>;
}

export type Selection =
  | { readonly by: 'address'; readonly address: NonNullable<Found['address']> }
  | { readonly by: 'all' }
  | { readonly by: 'name'; readonly pattern: string }
  | { readonly by: 'tree'; readonly pid: number }
  | { readonly by: 'fingerprint'; readonly fingerprint: string };

/** Wrappers start what is meant and then only wait. */
const WRAPPER = /\b(npm|npx|yarn|pnpm)(-cli\.js)?\b/;

/** A process may still be its parent's copy, or become another by exec, when it is this young to the census. */
const SETTLES_MS = 5_000;

interface Known {
  readonly seenAt: number;
  readonly process: NodeProcess | undefined;
}

/**
 * Looks again and again which processes are selected and alive, but lens itself and what started it. Each process is
 * read while it is new; afterwards only its being there counts: fifty of them cost nothing then.
 */
export class Census {
  readonly #known = new Map<number, Known>();

  constructor(private readonly selection: Selection) {}

  async look(now: number): Promise<Found[]> {
    if (this.selection.by === 'address') return [foundAt(this.selection.address)];
    const names = await readdir('/proc').catch(() => []);
    const pids = new Set(names.filter(name => /^\d+$/.test(name)).map(Number));
    for (const pid of this.#known.keys()) if (!pids.has(pid)) this.#known.delete(pid);
    await Promise.all([...pids].map(pid => this.#read(pid, now)));
    const all = [...this.#known.values()].flatMap(({ process }) => process ?? []);
    return all
      .filter(each => each.pid !== process.pid && each.pid !== process.ppid && !WRAPPER.test(each.command))
      .filter(each => isMeant(each, this.selection, all))
      .map(foundOf);
  }

  /** The process has ended; its number may soon be another's. */
  forget(pid: number): void {
    this.#known.delete(pid);
  }

  async #read(pid: number, now: number): Promise<void> {
    const before = this.#known.get(pid);
    if (before && now - before.seenAt > SETTLES_MS) return;
    this.#known.set(pid, { seenAt: before?.seenAt ?? now, process: await readNodeProcess(pid) });
  }
}

export function foundOf(process: NodeProcess): Found {
  return { pid: process.pid, name: nameOf(process), fingerprint: fingerprintOf(process) };
}

function foundAt(address: NonNullable<Found['address']>): Found {
  const name = sayAddress(address);
  return { pid: 0, name, fingerprint: hashOf(name), address };
}

export const sayAddress = (address: NonNullable<Found['address']>): string =>
  'url' in address
    ? address.url.replace(/^wss?:\/\/([^/]+).*$/, '$1')
    : `${address.host ?? '127.0.0.1'}:${address.port}`;

function isMeant(each: NodeProcess, selection: Selection, all: readonly NodeProcess[]): boolean {
  switch (selection.by) {
    case 'address':
      return false; // found by its address, never by a look at processes
    case 'all':
      return each.mayAttach;
    case 'name':
      return each.command.includes(selection.pattern);
    case 'tree':
      return isBelow(each, selection.pid, all);
    case 'fingerprint':
      return fingerprintOf(each) === selection.fingerprint;
    default:
      return selection satisfies never;
  }
}

function isBelow(each: NodeProcess, root: number, all: readonly NodeProcess[]): boolean {
  if (each.pid === root || each.parentPid === root) return true;
  const parent = all.find(other => other.pid === each.parentPid);
  return parent !== undefined && parent.pid !== each.pid && isBelow(parent, root, all);
}

/** What stands in the command line after Node and its options: a script, shown with its folder. */
function nameOf({ command, cwd }: NodeProcess): string {
  const script = command
    .split(' ')
    .slice(1)
    .find(word => !word.startsWith('-'));
  if (script === undefined) return basename(cwd ?? 'node');
  const parts = script.split('/');
  return parts.slice(-2).join('/');
}

/** Each worker of a cluster gets an inspector's port of its own, and its successor the next one. */
const INSPECTOR_OPTION = /\s--(inspect|debug)(-\w+)*(=\S+)?/g;

function fingerprintOf({ command, cwd }: NodeProcess): string {
  return hashOf(`${command.replace(INSPECTOR_OPTION, '')}\n${cwd ?? ''}`);
}

const hashOf = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 12);
