import { spawn } from 'node:child_process';
import { readlink } from 'node:fs/promises';
import { Duplex } from 'node:stream';

/** Copies bytes between stdio and a socket: run inside the target's network namespace, where lens itself is not. */
const RELAY = `const [host, port] = process.argv.slice(1);
const socket = require('net').connect(Number(port), host);
socket.on('error', () => process.exit(1));
process.stdin.pipe(socket).pipe(process.stdout);`;

/** True when the process has a network of its own: its ports are not reachable by plain connections. */
export async function inOtherNetwork(pid: number): Promise<boolean> {
  const [mine, its] = await Promise.all([namespace('self'), namespace(pid)]);
  return mine !== undefined && its !== undefined && mine !== its;
}

/** A connection to a port as the target's own network sees it. Needs root and nsenter; a failure ends the stream. */
export function connectInside(pid: number, port: number, host: string): Duplex {
  const argv = ['-t', String(pid), '-n', process.execPath, '-e', RELAY, host, String(port)];
  const child = spawn('nsenter', argv, {
    stdio: ['pipe', 'pipe', 'ignore'],
    env: { ...process.env, NODE_OPTIONS: '' },
  });
  const stream = Duplex.from({ readable: child.stdout, writable: child.stdin });
  child.once('error', error => stream.destroy(error));
  child.once('close', () => stream.destroy());
  stream.once('close', () => child.kill());
  return stream;
}

async function namespace(pid: number | 'self'): Promise<string | undefined> {
  return readlink(`/proc/${pid}/ns/net`).catch(() => undefined);
}
