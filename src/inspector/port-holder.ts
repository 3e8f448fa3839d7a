import { readdir } from 'node:fs/promises';
import { lockHolder, wasLeftByLens } from './lock.js';
import { readCommand } from './proc/children.js';
import { readTcp, socketInodes, type TcpSocket } from './proc/sockets.js';

export interface PortHolder {
  readonly pid: number;
  readonly command: string;
  /** True while a lens looks at that process. */
  readonly lens: boolean;
  /** True when a lens was killed there: the lease closes the port within seconds. */
  readonly left: boolean;
}

/** The socket that already listens on a port in the network of the target; undefined when the port is free. */
export async function takenBy(pid: number, port: number): Promise<TcpSocket | undefined> {
  if (port === 0) return undefined;
  const sockets = await readTcp(pid);
  return sockets.find(socket => socket.state === 'LISTEN' && socket.localPort === port);
}

/** Which process has a socket open; undefined when it belongs to somebody whose descriptors are hidden. */
export async function holderOf(socket: TcpSocket): Promise<PortHolder | undefined> {
  for (const name of await readdir('/proc')) {
    const pid = Number(name);
    if (!Number.isInteger(pid) || !(await socketInodes(pid)).has(socket.inode)) continue;
    return {
      pid,
      command: await readCommand(pid),
      lens: (await lockHolder(pid)) !== undefined,
      left: await wasLeftByLens(pid),
    };
  }
  return undefined;
}
