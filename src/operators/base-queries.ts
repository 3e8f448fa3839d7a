import { z } from 'zod';
import { type Evidence, type EvidenceKind, isUsable } from '../model/evidence/index.js';
import type { Json } from '../model/json.js';
import { defineQuery, type Query } from '../model/skill.js';
import type { TargetInfo } from '../model/target.js';

export interface BaseSeat {
  readonly target: TargetInfo;
  readonly now: () => number;
  /** Every reading of this run by its id. */
  readonly evidence: () => ReadonlyMap<string, Evidence>;
}

/** Kinds that any model may ask for anew, with windows that every target bears. Others come through a skill's queries. */
const WINDOWS: {
  readonly [K in EvidenceKind]?: { readonly least: number; readonly most: number; readonly extra?: object };
} = {
  vitals: { least: 2, most: 20 },
  'cpu-profile': { least: 2, most: 10, extra: { intervalUs: 1000 } },
  'heap-sampling': { least: 5, most: 20, extra: { intervalBytes: 65_536 } },
  'collection-growth': { least: 10, most: 30 },
  handles: { least: 3, most: 20 },
  'async-dump': { least: 3, most: 5 },
  threadpool: { least: 1, most: 5 },
  exceptions: { least: 2, most: 20 },
  logs: { least: 2, most: 20 },
  console: { least: 2, most: 20 },
  'in-flight': { least: 0, most: 0 },
  process: { least: 0, most: 0 },
  host: { least: 0, most: 0 },
  workers: { least: 0, most: 0 },
};
const KINDS = Object.keys(WINDOWS) as [EvidenceKind, ...EvidenceKind[]];

const LONGEST_LIST = 20;
const LONGEST_TEXT = 300;
const DEEPEST = 6;

/** The queries that every skill has beside its own. */
export function baseQueries(seat: BaseSeat): readonly Query[] {
  return [
    defineQuery({
      name: 'getCurrentTime',
      doc: 'The time.',
      params: z.object({}),
      run: async () => ({ unixMs: seat.now(), iso: new Date(seat.now()).toISOString() }),
    }),
    defineQuery({
      name: 'getTargetInfo',
      doc: 'What is known of the process.',
      params: z.object({}),
      run: async () => plain(seat.target),
    }),
    defineQuery({
      name: 'readings',
      doc: 'The readings of this run: id, kind, status.',
      params: z.object({
        limit: z.number().int().min(1).max(100).default(50),
        offset: z.number().int().min(0).default(0),
      }),
      run: async ({ limit, offset }) =>
        [...seat.evidence().values()]
          .slice(offset, offset + limit)
          .map(({ id, kind, status, reason }) => ({ id, kind, status, ...(reason && { reason }) })),
    }),
    defineQuery({
      name: 'reading',
      doc: 'Part of one reading; `path` walks into it ("samples.0"); lists are paged.',
      params: z.object({
        id: z.string(),
        path: z.string().default(''),
        limit: z.number().int().min(1).max(200).default(LONGEST_LIST),
        offset: z.number().int().min(0).default(0),
      }),
      run: async ({ id, path, limit, offset }) => partOf(seat, id, path, limit, offset),
    }),
    defineQuery({
      name: 'read',
      doc: 'Takes a new reading; answers with its id and a digest.',
      params: z.object({ kind: z.enum(KINDS), seconds: z.number().default(5) }),
      run: async ({ kind, seconds }, probe) => {
        const { least, most, extra } = WINDOWS[kind]!;
        const window = most === 0 ? {} : { seconds: Math.min(Math.max(least, seconds), most), ...extra };
        // WINDOWS holds what each kind is asked with.
        const evidence: Evidence = await probe.ask(kind, window as never);
        const { id, status, reason } = evidence;
        if (!isUsable(evidence)) return { id, kind, status, reason: reason ?? '' };
        return { id, kind, status, ...(reason && { reason }), data: digest(evidence.data) };
      },
    }),
  ];
}

function partOf(seat: BaseSeat, id: string, path: string, limit: number, offset: number): Json {
  const evidence = seat.evidence().get(id);
  if (!evidence) throw new Error(`No reading ${id}; readings() lists them.`);
  let part: unknown = evidence.data;
  for (const key of path.split('.').filter(Boolean)) {
    if (typeof part !== 'object' || part === null || !Object.hasOwn(part, key))
      throw new Error(`${path} is not in ${id}.`);
    // Checked above: an own key of an object.
    part = (part as Record<string, unknown>)[key];
  }
  if (!Array.isArray(part)) return digest(part, limit);
  return { total: part.length, offset, items: part.slice(offset, offset + limit).map(item => digest(item)) };
}

/** JSON with long lists, long texts and deep nests cut, each with a word about what is left out. */
export function digest(value: unknown, most = LONGEST_LIST, depth = 0): Json {
  if (typeof value === 'string') return value.length > LONGEST_TEXT ? `${value.slice(0, LONGEST_TEXT)}…` : value;
  if (typeof value === 'number') return Number.isFinite(value) ? value : null;
  if (typeof value === 'boolean' || value === null) return value;
  if (typeof value !== 'object') return null;
  if (depth >= DEEPEST) return Array.isArray(value) ? `[${value.length} items]` : '{…}';
  if (Array.isArray(value)) return listDigest(value, most, depth);
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, item]) => item !== undefined)
      .map(([key, item]) => [key, digest(item, most, depth + 1)]),
  );
}

function listDigest(list: readonly unknown[], most: number, depth: number): Json {
  const shown = list.slice(0, most).map(item => digest(item, most, depth + 1));
  return list.length > most ? [...shown, `… ${list.length - most} more`] : shown;
}

/** Plain data through JSON: what doesn't survive it isn't there. */
function plain(value: object): Json {
  return JSON.parse(JSON.stringify(value));
}
