// Draws frame after frame as a long night would, and prints what is left in memory: run by soak.test.ts in a process of
// its own, since React must be the production build and the collector at hand.
import { mount } from '../../src/commands/ink-stage.js';
import { Show } from '../../src/commands/show.js';
import { FrameSink } from '../../src/commands/terminal.js';
import { events } from './world.js';

/** A half of what is drawn. An hour live is 1800 vitals: `node --expose-gc --import tsx test/tui/soak.ts 900`. */
const FRAMES = Number(process.argv[2] ?? 300);
const collect = (globalThis as { gc?: () => void }).gc ?? (() => undefined);
const show = new Show({ ascii: false, color: true, size: () => ({ columns: 80, rows: 24 }) });
let drawn = 0;
const unmount = mount(show, new FrameSink(() => drawn++));
for (const event of events) show.event(event);

const first = await draw();
const cpu = process.cpuUsage();
const second = await draw();
const { user, system } = process.cpuUsage(cpu);
unmount();
const measures = performance.getEntriesByType('measure').length;
process.stdout.write(
  JSON.stringify({ first, second, drawn, measures, cpuMsPerFrame: (user + system) / 1000 / FRAMES }),
);

async function draw(): Promise<number> {
  const last = events.at(-1)!;
  for (let i = 0; i < FRAMES; i++) {
    const vitals = { rssBytes: 5e7 + i, heapUsedBytes: 1e7 + i * 1000, elu: (i % 10) / 10, cpuPercent: i % 100 };
    show.event({ type: 'vitals.read', at: last.at + i, runId: last.runId, traceId: '', vitals });
    show.refresh();
    await new Promise(resolve => setImmediate(resolve));
  }
  collect();
  await new Promise(resolve => setTimeout(resolve, 50));
  collect();
  return process.memoryUsage().heapUsed;
}
