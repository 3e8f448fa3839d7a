import { spawn } from 'node:child_process';
import type { WatchEvent } from '../model/watch-event.js';
import { isAlert, Refused, type Sink } from './sink.js';

/** EX_TEMPFAIL of sysexits.h. */
const TRY_AGAIN = 75;

/**
 * Runs a shell command for each alert, with the event as JSON on its stdin and the main words in LENS_EVENT,
 * LENS_LEVEL, LENS_TARGET, LENS_PID and LENS_TITLE. Nothing of a target ever becomes part of the command line.
 */
export function commandSink({ command }: { readonly command: string }): Sink {
  return {
    name: `command ${command.split(' ', 1)[0]}`,
    batch: 1,
    wants: isAlert,
    async deliver(events, signal) {
      for (const event of events) await run(command, event, signal);
    },
  };
}

function run(command: string, event: WatchEvent, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const env = { ...process.env, ...wordsOf(event) };
    const child = spawn('/bin/sh', ['-c', command], { stdio: ['pipe', 'ignore', 'inherit'], env, signal });
    child.once('error', reject);
    child.once('exit', (code, killed) => {
      if (code === 0) resolve();
      else if (code === null || code === TRY_AGAIN) reject(new Error(`ended with ${killed ?? 'code 75'}`));
      else reject(new Refused(`ended with code ${code}; only ${TRY_AGAIN} is tried again`));
    });
    child.stdin.on('error', () => {}); // a command that reads nothing closes its stdin
    child.stdin.end(`${JSON.stringify(event)}\n`);
  });
}

function wordsOf(event: WatchEvent): { readonly [name: string]: string } {
  if (!isAlert(event)) return {};
  const { alert, target } = event;
  return {
    LENS_EVENT: event.type,
    LENS_LEVEL: alert.level,
    LENS_TARGET: target.name,
    LENS_PID: String(target.pid),
    LENS_TITLE: alert.title,
  };
}
