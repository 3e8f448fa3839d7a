import { expect, test } from 'vitest';
import type { Host } from '../../src/model/evidence/host.js';
import type { Evidence, EvidenceKind } from '../../src/model/evidence/index.js';
import type { ProcessReading } from '../../src/model/evidence/process.js';
import type { NotificationDraft } from '../../src/model/notification.js';
import type { Conclusion, OperatorView, Step } from '../../src/model/skill.js';
import { system } from '../../src/skills/system.js';

const GB = 2 ** 30;

const host: Host = {
  takenAt: 0,
  seconds: 2,
  cpus: 4,
  load: [1, 1, 1],
  cpuBusyShare: 0.4,
  stolenShare: 0,
  mainThread: { ranShare: 0.6, waitedShare: 0.02 },
  memory: { totalBytes: 16 * GB, availableBytes: 8 * GB, swapTotalBytes: 0, swapFreeBytes: 0 },
  pressure: {},
  cgroup: {
    version: 2,
    memory: { limitBytes: 2 * GB, usedBytes: 1.9 * GB, workingSetBytes: 1 * GB, oomKills: 0 },
    cpu: { quotaCpus: 2, periods: 20, throttledPeriods: 1, throttledMs: 8 },
  },
  disks: [{ path: '/data', totalBytes: 100 * GB, availableBytes: 40 * GB, totalInodes: 1000, freeInodes: 900 }],
};

const process: ProcessReading = {
  takenAt: 0,
  uptimeSeconds: 100,
  cpuMs: 1000,
  rssBytes: 0.3 * GB,
  swapBytes: 0,
  voluntarySwitches: 0,
  involuntarySwitches: 0,
  threads: [],
  fds: { total: 60, limit: 1024, byKind: { socket: 40, file: 20 } },
  sockets: { tcp: { ESTABLISHED: 40 }, unix: 0, udp: 0, listening: [], unreadBytes: 0, unsentBytes: 0 },
  children: [],
};

/** Plays the playbook over these readings, one after the other for the host. */
function conclude(hosts: readonly (Host | undefined)[], own: ProcessReading = process) {
  const notes: NotificationDraft[] = [];
  let asked = 0;
  const evidence = (kind: EvidenceKind, data: unknown) =>
    ({ id: `${kind}-1`, kind, status: data ? 'ok' : 'unavailable', reason: 'no /proc', data }) as Evidence;
  // biome-ignore lint/correctness/useYield: a step of the playbook that needs no tool call here
  async function* step<T>(value: T): Step<T> {
    return value;
  }
  const see = {
    ask: (kind: EvidenceKind) =>
      step(evidence(kind, kind === 'host' ? hosts[Math.min(asked++, hosts.length - 1)] : own)),
    snapshot: () => step(undefined),
    setState: () => step(undefined),
    notify: (draft: NotificationDraft) => step(String(notes.push(draft))),
  };
  // The playbook uses no more of the view than this.
  const playing = system.playbook(see as unknown as OperatorView);
  return playing.next({ ok: true, value: undefined }).then(({ value }) => ({ conclusion: value as Conclusion, notes }));
}

test('a host with room is silent, and says its numbers', async () => {
  const { conclusion, notes } = await conclude([host]);
  expect(notes).toEqual([]);
  expect(conclusion).toMatchObject({ outcome: 'healthy', summary: expect.stringContaining('1 of 20 periods') });
});

test('a cpu quota that runs out is named with its periods', async () => {
  const cpu = { quotaCpus: 0.5, periods: 20, throttledPeriods: 14, throttledMs: 900 };
  const { conclusion, notes } = await conclude([{ ...host, cgroup: { version: 2, cpu } }]);
  expect(conclusion.outcome).toBe('found');
  expect(notes).toMatchObject([{ faultClass: 'host.cpu-throttled', severity: 'critical', mechanism: true }]);
  expect(notes[0]?.observation).toContain('14 of 20 periods, for 900 ms');
});

test('periods that end early without a standstill to notice are no finding', async () => {
  const cpu = { quotaCpus: 0.5, periods: 20, throttledPeriods: 14, throttledMs: 30 };
  expect((await conclude([{ ...host, cgroup: { version: 2, cpu } }])).notes).toEqual([]);
});

test('a crowd of one window is a moment, of two a cause', async () => {
  const crowded: Host = { ...host, cpuBusyShare: 1, mainThread: { ranShare: 0.2, waitedShare: 0.7 } };
  expect((await conclude([crowded, host])).notes).toEqual([]);
  expect((await conclude([crowded, crowded])).notes).toMatchObject([
    { faultClass: 'host.cpu-throttled', confidence: 'low' },
  ]);
});

test("memory of the container is the host's cause only when others use it", async () => {
  const memory = { limitBytes: GB, usedBytes: GB, workingSetBytes: 0.96 * GB, oomKills: 2 };
  const full: Host = { ...host, cgroup: { version: 2, memory } };
  expect((await conclude([full])).notes).toMatchObject([{ faultClass: 'host.memory', severity: 'critical' }]);
  expect((await conclude([full], { ...process, rssBytes: 0.9 * GB })).notes).toEqual([]);
});

test('a machine without memory, a full disk and used up inodes are each named', async () => {
  const disk = { path: '/var/log', totalBytes: 10 * GB, availableBytes: 1e6, totalInodes: 1000, freeInodes: 900 };
  const inodes = { path: '/spool', totalBytes: 10 * GB, availableBytes: 5 * GB, totalInodes: 1000, freeInodes: 2 };
  const memory = { totalBytes: 16 * GB, availableBytes: 0.2 * GB, swapTotalBytes: 0, swapFreeBytes: 0 };
  const { notes } = await conclude([{ ...host, memory, disks: [disk, inodes] }]);
  expect(notes.map(note => note.faultClass)).toEqual(['host.memory', 'host.disk', 'host.disk']);
  expect(notes[1]?.title).toContain('/var/log');
  expect(notes[2]?.title).toContain('2 of 1 000 inodes');
});

test('descriptors near their limit are named with the kind that fills it', async () => {
  const fds = { total: 1000, limit: 1024, byKind: { socket: 900, file: 100 } };
  const { notes } = await conclude([host], { ...process, fds });
  expect(notes).toMatchObject([{ faultClass: 'handles.leak.socket', severity: 'critical' }]);
});

test('a host that cannot be read is inconclusive, not healthy', async () => {
  expect((await conclude([undefined])).conclusion.outcome).toBe('inconclusive');
});
