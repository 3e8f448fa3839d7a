// target.mjs MEGABYTES FOLDER    A server-like heap of small objects that gains a little, and a clock for standstills.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeHeapSnapshot } from 'node:v8';

const [megabytes = '20', folder = '.'] = process.argv.slice(2);
const TICK_MS = 5;
const sessions = new Map();
const seen = new WeakMap();
const open = id => {
  const session = { id, token: `token ${id}`, tags: [`a${id}`, 'b'], at: { hour: id % 24 } };
  sessions.set(`s${id}`, session);
  if (id % 10 === 0) seen.set(session, { at: id });
};
let next = 0;
while (process.memoryUsage().heapUsed < Number(megabytes) * 1e6) for (let i = 0; i < 2000; i++) open(next++);
setInterval(() => open(next++), 20);

// What the kernel let this thread wait for a core is not the target's standstill: other work of a busy machine.
const SCHEDSTAT = '/proc/self/schedstat';
const queuedMs = existsSync(SCHEDSTAT) ? () => Number(readFileSync(SCHEDSTAT, 'latin1').split(' ')[1]) / 1e6 : () => 0;
let queued = queuedMs();
let last = performance.now();
let longest = 0;
let stood = 0;
let cpu = process.cpuUsage();
setInterval(() => {
  const now = performance.now();
  const waited = queuedMs();
  const late = now - last - TICK_MS - (waited - queued);
  queued = waited;
  if (late > TICK_MS) stood += late;
  longest = Math.max(longest, late);
  last = now;
}, TICK_MS);

process.on('message', word => {
  if (word === 'snapshot') writeHeapSnapshot(join(folder, `v8-${process.pid}.heapsnapshot`));
  if (word === 'reset') [longest, stood, cpu] = [0, 0, process.cpuUsage()];
  // The clock ticks once more, so that a standstill that has just ended counts.
  setTimeout(() => {
    const used = process.cpuUsage(cpu);
    const heapMb = Math.round(process.memoryUsage().heapUsed / 1e6);
    const cpuMs = Math.round((used.user + used.system) / 1000);
    process.send({ heapMb, longestMs: Math.round(longest), stoodMs: Math.round(stood), cpuMs });
  }, 4 * TICK_MS);
});
setTimeout(() => process.send('ready'), 2000); // the collector settles
