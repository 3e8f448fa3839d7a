import type { AsyncDump, AsyncRecord, OutgoingCall, ServedRequest } from '../../src/model/evidence/async-dump.js';
import type { InFlight } from '../../src/model/evidence/in-flight.js';

/** A dump of a window of four seconds, made by hand: one route, frames by name (`then` alone is a built-in). */
export class MadeDump {
  private readonly names: string[] = [];
  private readonly records: AsyncRecord[] = [];
  private readonly requests: ServedRequest[] = [];
  readonly calls: OutgoingCall[] = [];

  /** `end` 0: under way. */
  request(at: number, end = 0): number {
    const index = this.requests.length + 1;
    const route = { method: 'GET', route: '/items', status: end ? 200 : 0, aborted: false, recorded: true };
    this.requests.push({ index, at, end, headersSent: end > 0, bodyIncomplete: false, ...route });
    return index;
  }

  /** `stack`: `function@file` innermost first; files of packages stand in `node_modules/`. */
  record(request: number, type: string, stack: readonly string[], more: Partial<AsyncRecord> = {}): number {
    const id = more.id ?? this.records.length + 1;
    const row = { id, type, executionId: 0, triggerId: 0, request, at: 0, end: 0, ...more };
    this.records.push({ ...row, stack: stack.map(name => this.frame(name)) });
    return id;
  }

  dump(): AsyncDump {
    const open = this.requests.filter(({ end }) => end === 0).length;
    // Only what the analysis reads.
    const scan = {
      routes: [{ method: 'GET', route: '/items', count: open, heldCount: 0, heldMs: 0, headersSent: 0 }],
      ...{ agents: [], peers: [], outgoing: [], stalled: [] },
    } as unknown as InFlight;
    return {
      ...{
        windowMs: 4000,
        before: { ...scan, routes: [] },
        after: scan,
        finishedBefore: [],
        sockets: [],
        rejections: [],
      },
      ...{ requests: this.requests, records: this.records, calls: this.calls },
      frames: this.names.map((name, i) => {
        const [called = '', file] = name.split('@');
        return { function: called, url: urlOf(file), line: i + 1, column: 1, suspended: false };
      }),
      totals: { inits: 0, records: 0, dropped: 0, droppedPerRequest: 0, unrecordedRequests: 0, errors: 0 },
    };
  }

  private frame(name: string): number {
    const known = this.names.indexOf(name);
    return known >= 0 ? known : this.names.push(name) - 1;
  }
}

const urlOf = (file: string | undefined): string =>
  file === undefined || file.startsWith('node:') ? (file ?? '') : `file:///app/${file}`;
