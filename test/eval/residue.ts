// What lens left behind in a target, seen from outside and, once lens has gone, from inside.

import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import type { Stage } from './stage.js';

const PROBE = new URL('./residue-probe.mjs', import.meta.url).pathname;
const PROBE_LIMIT_MS = 8000;
const LISTEN = '0A';

/** The ports a process listens on, from its own /proc files. */
export function listeningPorts(pid: number): number[] {
  const own = new Set(socketInodes(pid));
  return ['tcp', 'tcp6']
    .flatMap(kind => rows(`/proc/${pid}/net/${kind}`))
    .flatMap(row => {
      const [, local, , state, , , , , , inode] = row.trim().split(/\s+/);
      return state === LISTEN && own.has(inode ?? '') ? [Number.parseInt(local?.split(':')[1] ?? '0', 16)] : [];
    });
}

function rows(file: string): string[] {
  try {
    return readFileSync(file, 'utf8').trim().split('\n').slice(1);
  } catch {
    return [];
  }
}

function socketInodes(pid: number): string[] {
  try {
    return readdirSync(`/proc/${pid}/fd`).flatMap(fd => {
      try {
        return /^socket:\[(\d+)\]/.exec(readlinkSync(`/proc/${pid}/fd/${fd}`))?.[1] ?? [];
      } catch {
        return []; // closed meanwhile
      }
    });
  } catch {
    return [];
  }
}

/** Sentences, one for each thing that is not as before. Empty: nothing was found. */
export function residue(stage: Stage, portsBefore: readonly number[]): string[] {
  const opened = listeningPorts(stage.pid).filter(port => !portsBefore.includes(port));
  const left = opened.map(port => `port ${port} is still open`);
  return opened.length > 0 ? left : [...left, ...insideOf(stage)];
}

/** Opens the inspector once more and looks for lens' symbol, globals, hooks and listeners. */
function insideOf(stage: Stage): string[] {
  const argv = [...stage.inside, process.execPath, PROBE, String(stage.pid)];
  const { stdout } = spawnSync(argv[0]!, argv.slice(1), { timeout: PROBE_LIMIT_MS, encoding: 'utf8' });
  const line = stdout?.trim().split('\n').at(-1);
  if (!line?.startsWith('[')) return []; // a target that can't answer (hung) can't be asked
  return JSON.parse(line) as string[]; // written by residue-probe.mjs
}
