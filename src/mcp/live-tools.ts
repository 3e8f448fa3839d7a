import type { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { z } from 'zod';
import { Redactor } from '../base/redact.js';
import { quietRun } from '../commands/quiet-run.js';
import { listNodeProcesses } from '../inspector/node-processes.js';
import type { Json } from '../model/json.js';
import type { Skill } from '../model/skill.js';
import { baseQueries } from '../operators/base-queries.js';
import { executeScript, queriesFor } from '../operators/execute.js';
import { parseArguments, signature } from '../sandbox/arguments.js';
import { skills } from '../skills/index.js';
import type { Attached, Targets } from './attached.js';
import { briefReport, reportShape } from './brief-report.js';
import { addTool } from './tool.js';

const pid = z.number().int().positive().describe('process id, from lens_list_processes');
const skill = z.enum(skills.map(one => one.id) as [string, ...string[]]);
const json: z.ZodType<Json> = z.json();
const KINDS = [
  'vitals',
  'cpu-profile',
  'heap-sampling',
  'collection-growth',
  'handles',
  'async-dump',
  'threadpool',
  'exceptions',
  'logs',
  'console',
  'in-flight',
  'process',
  'host',
  'workers',
] as const;

const skillOf = (id: string): Skill => skills.find(one => one.id === id)!;

/** Tools that look at a running process. Each attaches by itself when that was not done. */
export function addLiveTools(server: McpServer, targets: Targets): void {
  addListing(server);
  addAttaching(server, targets);
  addReading(server, targets);
  addAsking(server, targets);
  addInvestigating(server, targets);
}

function addListing(server: McpServer): void {
  addTool(server, {
    name: 'lens_list_processes',
    title: 'List Node processes',
    description: 'Node.js processes of this machine, and whether each may be attached to.',
    input: { limit: z.number().int().min(1).max(100).default(30), offset: z.number().int().min(0).default(0) },
    output: { total: z.number(), processes: z.array(z.looseObject({ pid: z.number(), command: z.string() })) },
    passive: true,
    run: async ({ limit, offset }) => {
      const all = (await listNodeProcesses()).filter(one => one.pid !== process.pid);
      return { total: all.length, processes: all.slice(offset, offset + limit).map(one => ({ ...one })) };
    },
  });
  addTool(server, {
    name: 'lens_list_skills',
    title: 'List skills and queries',
    description: 'What lens can look at: each skill with its scope and its queries (for lens_query and lens_execute).',
    input: { skill: skill.optional().describe('only this one') },
    output: {
      skills: z.array(z.object({ id: z.string(), about: z.string(), scope: z.string(), queries: z.array(z.string()) })),
    },
    passive: true,
    run: async given => ({
      skills: skills
        .filter(one => given.skill === undefined || one.id === given.skill)
        .map(one => ({
          id: one.id,
          about: one.description,
          scope: one.scope,
          queries: one.queries.map(query => `${signature(query.name, query.params)}: ${query.doc}`),
        })),
    }),
  });
}

function addAttaching(server: McpServer, targets: Targets): void {
  addTool(server, {
    name: 'lens_attach',
    title: 'Attach to a process',
    description:
      'Opens the inspector of a running process, without a restart. It is closed again by lens_detach, after five idle minutes, and at the end.',
    input: { pid },
    output: { target: z.looseObject({ pid: z.number(), nodeVersion: z.string() }), openedInspector: z.boolean() },
    passive: false,
    run: async given => {
      const { target, session } = await targets.get(given.pid);
      return { target: { ...target }, openedInspector: session.openedInspector };
    },
  });
  addTool(server, {
    name: 'lens_detach',
    title: 'Detach from a process',
    description: 'Takes back everything lens brought into the process and closes the inspector that it opened.',
    input: { pid },
    output: { wasAttached: z.boolean(), inspectorClosed: z.boolean(), residue: z.array(z.string()) },
    passive: false,
    run: async given => {
      const detached = await targets.detach(given.pid);
      const { inspectorClosed = true, residue = [] } = detached ?? {};
      return { wasAttached: detached !== undefined, inspectorClosed, residue: [...residue] };
    },
  });
}

function addReading(server: McpServer, targets: Targets): void {
  addTool(server, {
    name: 'lens_snapshot',
    title: "Take a skill's snapshot",
    description: "One skill's numbers now, with the ids of the readings behind them.",
    input: { pid, skill },
    output: { snapshot: json.nullable() },
    passive: false,
    run: async given => ({
      snapshot: plain((await (await targets.get(given.pid)).snapshot(skillOf(given.skill))) ?? null),
    }),
  });
  addTool(server, {
    name: 'lens_read',
    title: 'Take a reading',
    description:
      'Takes one reading of the process (a CPU profile, allocations that stay, logs …) and answers with its id and a digest; lens_reading pages through it. Readings that would hurt are refused.',
    input: { pid, kind: z.enum(KINDS), seconds: z.number().min(0).max(30).default(5) },
    output: { reading: json },
    passive: false,
    run: async given => ({
      reading: await baseQuery(await targets.get(given.pid), 'read', { kind: given.kind, seconds: given.seconds }),
    }),
  });
  addTool(server, {
    name: 'lens_reading',
    title: 'Page through a reading',
    description: 'Part of a reading taken before; `path` walks into it ("samples.0"), lists are paged.',
    input: {
      pid,
      id: z.string(),
      path: z.string().default(''),
      limit: z.number().int().min(1).max(200).default(20),
      offset: z.number().int().min(0).default(0),
    },
    output: { part: json },
    passive: true,
    run: async ({ pid: of, ...params }) => ({ part: await baseQuery(await targets.get(of), 'reading', params) }),
  });
}

async function baseQuery(attached: Attached, name: string, params: object): Promise<Json> {
  const query = baseQueries(attached.seat).find(one => one.name === name)!;
  return attached.redactor.deep(await query.run(parseArguments(name, query.params, [params]), attached.probe));
}

function addAsking(server: McpServer, targets: Targets): void {
  addTool(server, {
    name: 'lens_query',
    title: "Ask a skill's query",
    description:
      'One query of a skill (lens_list_skills names them), its arguments as an object. Too large numbers are clamped.',
    input: { pid, skill, query: z.string(), params: z.record(z.string(), json).default({}) },
    output: { answer: json },
    passive: false,
    run: async given => {
      const attached = await targets.get(given.pid);
      const queries = queriesFor(skillOf(given.skill), attached.seat);
      const query = queries.find(one => one.name === given.query);
      if (!query)
        throw new Error(
          `${given.skill} has no query ${given.query}; it has: ${queries.map(one => one.name).join(', ')}.`,
        );
      const params = parseArguments(query.name, query.params, [given.params]);
      return { answer: attached.redactor.deep(await query.run(params, attached.probe)) };
    },
  });
  addTool(server, {
    name: 'lens_execute',
    title: 'Compute over queries',
    description:
      "JavaScript in a sandbox of lens (never in the process) where the skill's queries are async functions; the last expression is the answer. Filter and count there, return little.",
    input: { pid, skill, code: z.string().max(20_000) },
    output: { answer: json },
    passive: false,
    run: async given => {
      const attached = await targets.get(given.pid);
      const result = await executeScript(skillOf(given.skill), given.code, attached.probe, attached.seat);
      if (!result.ok) throw new Error(result.error);
      return { answer: plain(result.value ?? null) };
    },
  });
}

function addInvestigating(server: McpServer, targets: Targets): void {
  addTool(server, {
    name: 'lens_investigate',
    title: 'Investigate a process',
    description:
      'The whole investigation, by rules: about half a minute, then the verdict with causes, places, evidence and fixes. The run is kept: lens_report and the run resources show more.',
    input: {
      pid,
      reason: z
        .string()
        .max(500)
        .default('')
        .describe('the symptom in words: it points operators, and leaves none out'),
      skills: z.array(skill).optional().describe('only these'),
    },
    output: reportShape,
    passive: false,
    run: async (given, { signal, progress }) => {
      // One lens per target at a time.
      await targets.detach(given.pid);
      const run = await quietRun(
        { pid: given.pid },
        {
          reason: given.reason,
          signal,
          redactor: new Redactor(),
          ...(given.skills && { only: given.skills }),
          onEvent: event => {
            if (event.type === 'operator.finished') progress(`${event.result.skill}: ${event.result.summary}`);
          },
        },
      );
      run.close();
      return briefReport(run.report);
    },
  });
}

function plain(value: unknown): Json {
  return JSON.parse(JSON.stringify(value));
}
