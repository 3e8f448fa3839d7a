import { ageSeconds, readChildren } from '../inspector/proc/children.js';
import { countKinds } from '../inspector/proc/fds.js';
import { readLimits } from '../inspector/proc/limits.js';
import { readRollup } from '../inspector/proc/memory.js';
import { countRows, fdLinks, readTcp, socketInodesOf, type TcpSocket } from '../inspector/proc/sockets.js';
import { readStatus } from '../inspector/proc/status.js';
import { readStat } from '../inspector/proc/thread.js';
import { readThreads } from '../inspector/proc/threads.js';
import { LensError } from '../model/error.js';
import type { ProcessReading } from '../model/evidence/process.js';
import type { Collector } from './collector.js';

/** Memory, threads, descriptors, sockets and children of the target, from /proc: the target does nothing for it. */
export const processCollector: Collector<'process'> = {
  kind: 'process',
  title: 'Process',
  cost: 'free',
  async collect(session, _params, context) {
    const { pid } = session.target;
    const [status, stat] = await Promise.all([readStatus(pid), readStat(pid)]);
    if (pid === 0 || !status || !stat) throw unreadable();
    const [seconds, rollup, threads, links, limits, children] = await Promise.all([
      ageSeconds(pid),
      readRollup(pid),
      readThreads(pid),
      fdLinks(pid),
      readLimits(pid),
      readChildren(pid),
    ]);
    const data: ProcessReading = {
      takenAt: context.now(),
      uptimeSeconds: seconds,
      cpuMs: stat.cpuMs,
      rssBytes: status.rssBytes,
      swapBytes: status.swapBytes,
      ...(rollup && { mappings: rollup }),
      voluntarySwitches: status.voluntarySwitches,
      involuntarySwitches: status.involuntarySwitches,
      threads: threads.map(({ name, state, cpuMs }) => ({ name, state, cpuMs })),
      fds: {
        total: links.length,
        ...(limits.openFiles !== undefined && { limit: limits.openFiles }),
        byKind: countKinds(links),
      },
      sockets: await readSockets(pid, links),
      children,
    };
    return { data, pausedMs: 0 };
  },
};

function unreadable(): LensError {
  return new LensError(
    'target-not-permitted',
    'The process is not visible in /proc: it is on another machine, or this is not Linux.',
  );
}

async function readSockets(pid: number, links: readonly string[]): Promise<ProcessReading['sockets']> {
  const inodes = socketInodesOf(links);
  const [tcp, unix, udp] = await Promise.all([
    readTcp(pid),
    countRows(pid, ['net/unix'], inodes),
    countRows(pid, ['net/udp', 'net/udp6'], inodes),
  ]);
  const own = tcp.filter(socket => inodes.has(socket.inode));
  const listening = own.filter(socket => socket.state === 'LISTEN');
  const connected = own.filter(socket => socket.state !== 'LISTEN');
  return {
    tcp: byState(own),
    unix,
    udp,
    // For a listening socket the receive queue counts connections, not bytes.
    listening: listening.map(s => ({ address: s.localAddress, port: s.localPort, waiting: s.receiveQueue })),
    unreadBytes: connected.reduce((sum, socket) => sum + socket.receiveQueue, 0),
    unsentBytes: connected.reduce((sum, socket) => sum + socket.sendQueue, 0),
  };
}

function byState(sockets: readonly TcpSocket[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { state } of sockets) counts[state] = (counts[state] ?? 0) + 1;
  return counts;
}
