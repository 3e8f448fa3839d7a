import { createServer } from 'node:net';
import { expect, test } from 'vitest';
import { chainOf, parseCpuMax, readCgroup } from '../../src/inspector/proc/cgroup.js';
import { fdKind } from '../../src/inspector/proc/fds.js';
import { parseCpuTicks, parsePressure } from '../../src/inspector/proc/host.js';
import { parseLimits } from '../../src/inspector/proc/limits.js';
import { availableMemory, parseMeminfo, parseRollup } from '../../src/inspector/proc/memory.js';
import { parseVersionHeader } from '../../src/inspector/proc/node-version.js';
import { listeningSockets, parseAddress, parseTcp } from '../../src/inspector/proc/sockets.js';
import { parseStatus } from '../../src/inspector/proc/status.js';
import { parseStat, parseSyscall, pollsMainLoop } from '../../src/inspector/proc/thread.js';
import { parseSchedstat } from '../../src/inspector/proc/threads.js';

test('a row of net/tcp names state, ends, queues and inode', () => {
  const text = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:240D 00000000:0000 0A 00000000:00000003 00:00000000 00000000     0        0 4242 1 0 100 0 0 10 0
   1: 0100007F:1F90 0200A8C0:C001 08 0000000A:00000100 00:00000000 00000000     0        0 77 1 0 20 4 30 10 -1`;
  expect(parseTcp(text)).toEqual([
    expect.objectContaining({
      state: 'LISTEN',
      localAddress: '127.0.0.1',
      localPort: 9229,
      receiveQueue: 3,
      inode: 4242,
    }),
    expect.objectContaining({ state: 'CLOSE_WAIT', remoteAddress: '192.168.0.2', sendQueue: 10, receiveQueue: 256 }),
  ]);
});

test('IPv6 addresses are read word by word', () => {
  expect(parseAddress('00000000000000000000000001000000')).toBe('::1');
  expect(parseAddress('00000000000000000000000000000000')).toBe('::');
  expect(parseAddress('0000000000000000FFFF00000100007F')).toBe('127.0.0.1');
});

test('the sockets on which a process listens are its own only', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise(resolve => server.once('listening', resolve));
  const { port } = server.address() as { port: number };
  expect((await listeningSockets(process.pid)).map(socket => socket.localPort)).toContain(port);
  expect((await listeningSockets(1)).map(socket => socket.localPort)).not.toContain(port);
  server.close();
});

test('a name with blanks and brackets does not shift the fields of stat', () => {
  const numbers = Array.from({ length: 44 }, (_, i) => i + 5).join(' ');
  const stat = parseStat(`7 (a (b) c) S 1 ${numbers}`);
  expect(stat).toMatchObject({ name: 'a (b) c', state: 'S', parentPid: 1, cpuMs: (14 + 15) * 10, startTicks: 22 });
  expect(parseStat('garbage')).toBe(undefined);
});

test('status tells state, owner, masks and the pid inside a container', () => {
  const status = parseStatus(
    'Name:\tnode\nState:\tT (stopped)\nPPid:\t3\nUid:\t1000\t1001\t0\t0\nNSpid:\t900\t7\nVmRSS:\t  2048 kB\nSigBlk:\tfffffffe7ffbfeff\nSigCgt:\t0000000100004602\n',
  );
  expect(status).toMatchObject({ state: 'T', uid: 1001, innerPid: 7, rssBytes: 2 ** 21 });
  expect(status.caughtSignals & (1n << 9n)).toBe(1n << 9n);
});

test('a poll of a younger loop is a synchronous wait, not an idle main loop', () => {
  const thread = (fd: number) => ({
    state: 'S',
    cpuMs: 0,
    syscall: parseSyscall(`281 0x${fd.toString(16)} 0x1 0x400 0x5 0x0 0x8 0x7f 0x7f`, 'x64'),
    waitChannel: 'ep_poll',
  });
  expect(pollsMainLoop(thread(13), [9, 3, 13])).toBe(true);
  expect(pollsMainLoop(thread(22), [9, 3, 13, 22])).toBe(false);
  expect(pollsMainLoop({ ...thread(13), state: 'R' }, [3, 9, 13])).toBe(false);
  expect(parseSyscall('running')).toBe(undefined);
  const hidden = { state: 'S', cpuMs: 0, syscall: undefined };
  expect(pollsMainLoop({ ...hidden, waitChannel: 'ep_poll' }, [3])).toBe(true);
  expect(pollsMainLoop({ ...hidden, waitChannel: 'pipe_read' }, [3])).toBe(false);
  expect(pollsMainLoop({ ...hidden, waitChannel: undefined }, [3])).toBe(false);
});

test('controllers are found in version 1, version 2 and inside a container', () => {
  const v1 = '29 23 0:26 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n';
  expect(chainOf('memory', '4:memory:/a/b\n0::/\n', v1)).toEqual({
    version: 1,
    folders: ['/sys/fs/cgroup/memory/a/b', '/sys/fs/cgroup/memory/a', '/sys/fs/cgroup/memory'],
  });
  const v2 = '29 23 0:26 /kubepods/pod1 /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n';
  expect(chainOf('cpu', '0::/kubepods/pod1/c\n', v2)).toEqual({
    version: 2,
    folders: ['/sys/fs/cgroup/c', '/sys/fs/cgroup'],
  });
  expect(chainOf('cpu', '0::/\n', '')).toBe(undefined);
  expect(parseCpuMax('150000 100000\n')).toBe(1.5);
  expect(parseCpuMax('max 100000\n')).toBe(undefined);
});

test('what is left of memory is never more than the machine has', async () => {
  const left = await availableMemory(process.pid);
  expect(left).toBeGreaterThan(0);
  expect(left).toBeLessThanOrEqual((await import('node:os')).totalmem());
  expect((await readCgroup('self'))?.memory?.usedBytes ?? 1).toBeGreaterThan(0);
});

test('the small files of /proc are read, and torn ones are not guessed at', () => {
  expect(parseMeminfo('MemTotal: 100 kB\nMemAvailable: 40 kB\nSwapTotal: 8 kB\nSwapFree: 2 kB\n')).toEqual({
    totalBytes: 102400,
    availableBytes: 40960,
    swapTotalBytes: 8192,
    swapFreeBytes: 2048,
  });
  expect(parseMeminfo('')).toBe(undefined);
  expect(parseRollup('Rss: 10 kB\nPss: 5 kB\nAnonymous: 4 kB\n')).toMatchObject({ rssBytes: 10240, pssBytes: 5120 });
  expect(parseRollup('')).toBe(undefined);
  expect(parseLimits('Max open files            1024                 4096                 files\n')).toEqual({
    openFiles: 1024,
  });
  expect(parseLimits('Max open files            unlimited            unlimited            files\n')).toEqual({});
  expect(parsePressure('some avg10=1.50 avg60=0 avg300=0 total=1\nfull avg10=0.25 avg60=0 avg300=0 total=1')).toEqual({
    some10: 1.5,
    full10: 0.25,
  });
  expect(parsePressure('')).toBe(undefined);
  expect(parseCpuTicks('cpu  10 0 10 70 10 0 0 5 0 0\ncpu0 1')).toEqual({ total: 105, idle: 80, stolen: 5 });
  expect(parseSchedstat('2000000 1000000 7')).toEqual({ ranMs: 2, waitedMs: 1 });
  expect(parseSchedstat('0 0 0')).toBe(undefined);
  expect(
    parseVersionHeader('#define NODE_MAJOR_VERSION 22\n#define NODE_MINOR_VERSION 3\n#define NODE_PATCH_VERSION 1\n'),
  ).toBe('v22.3.1');
  expect([
    fdKind('socket:[1]'),
    fdKind('anon_inode:[eventpoll]'),
    fdKind('/var/log/a'),
    fdKind('/a (deleted)'),
  ]).toEqual(['socket', 'eventpoll', 'file', 'deleted file']);
});
