import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join, resolve, sep } from 'node:path';
import { type McpServer, ResourceTemplate } from '@modelcontextprotocol/sdk/server/mcp.js';
import { z } from 'zod';
import { runHeapJob } from '../commands/heap/run-job.js';
import { answerText } from '../commands/heap/text.js';
import type { HeapQuestion } from '../heap/index.js';
import { LensError } from '../model/error.js';
import type { Report } from '../model/report.js';
import { briefReport, reportShape } from './brief-report.js';
import { addTool } from './tool.js';

const MOST_RESOURCE_BYTES = 256 * 1024;
/** A run's id as lens makes it; nothing that could climb out of the folder. */
const RUN_ID = /^[\w.-]+$/;

/** Tools and resources over what is kept on disk: nothing here touches a process. */
export function addRunTools(server: McpServer, home: string): void {
  addReports(server, home);
  addHeapFiles(server);
  addResources(server, home);
}

function addReports(server: McpServer, home: string): void {
  addTool(server, {
    name: 'lens_list_runs',
    title: 'List kept runs',
    description: 'Investigations kept on this machine, newest first.',
    input: { limit: z.number().int().min(1).max(50).default(10), offset: z.number().int().min(0).default(0) },
    output: {
      total: z.number(),
      runs: z.array(z.object({ run: z.string(), verdict: z.string(), summary: z.string() })),
    },
    passive: true,
    run: async ({ limit, offset }) => {
      const runs = finishedRuns(home);
      const page = runs.slice(offset, offset + limit).map(run => {
        const { verdict, summary } = reportOf(home, run);
        return { run, verdict, summary };
      });
      return { total: runs.length, runs: page };
    },
  });
  addTool(server, {
    name: 'lens_report',
    title: 'Read a report',
    description: 'The conclusions of a kept run.',
    input: { run: z.string().regex(RUN_ID) },
    output: reportShape,
    passive: true,
    run: async ({ run }) => briefReport(reportOf(home, run)),
  });
}

function finishedRuns(home: string): string[] {
  try {
    return readdirSync(home)
      .filter(
        name => RUN_ID.test(name) && statSync(join(home, name, 'report.json'), { throwIfNoEntry: false })?.isFile(),
      )
      .sort()
      .reverse();
  } catch {
    // No run was ever kept.
    return [];
  }
}

function reportOf(home: string, run: string): Report {
  // lens wrote it; what others put there fails below as a missing field.
  return JSON.parse(readRunFile(home, run, 'report.json')) as Report;
}

function readRunFile(home: string, run: string, file: string): string {
  const folder = resolve(home, run);
  const path = resolve(folder, file);
  if (!RUN_ID.test(run) || run === '..' || !path.startsWith(folder + sep))
    throw new LensError('usage', 'There is no such run.');
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw new LensError('file-unreadable', `Run ${run} has no ${file}.`, 'lens_list_runs lists the runs.', { cause });
  }
}

const ASKS = ['summary', 'classes', 'strings', 'waiting', 'retainers', 'dominators', 'paths'] as const;

function addHeapFiles(server: McpServer): void {
  addTool(server, {
    name: 'lens_heap_file',
    title: 'Ask about a heapsnapshot file',
    description:
      'A .heapsnapshot file of V8: summary with suspects, classes, repeated strings, async functions that wait, and for a node id its retainers, dominated nodes or retaining path. Lists are paged.',
    input: {
      path: z.string().describe('path of the file on this machine'),
      ask: z.enum(ASKS).default('summary'),
      id: z.number().int().optional().describe('node id, for retainers, dominators and paths'),
      limit: z.number().int().min(1).max(100).default(20),
      offset: z.number().int().min(0).default(0),
    },
    output: { text: z.string() },
    passive: true,
    run: async ({ path, ask, id, limit, offset }) => {
      const cwd = process.cwd();
      const result = await runHeapJob({
        kind: 'question',
        path: resolve(path),
        question: questionOf(ask, id, limit, offset),
        cwd,
      });
      if (result.kind !== 'question') throw new Error('The file was compared instead of asked.');
      return { text: answerText(result.answer, { path, cwd }) };
    },
  });
}

function questionOf(ask: (typeof ASKS)[number], id: number | undefined, limit: number, offset: number): HeapQuestion {
  if (ask === 'summary') return { ask, rows: limit };
  if (ask === 'paths') {
    if (id === undefined) throw new Error('paths needs an id.');
    return { ask, id, offset, limit };
  }
  if (ask === 'classes' || ask === 'strings' || ask === 'waiting') return { ask, offset, limit };
  return { ask, offset, limit, ...(id !== undefined && { id }) };
}

const LISTED_RUNS = 20;

function addResources(server: McpServer, home: string): void {
  const list = () => ({
    resources: finishedRuns(home)
      .slice(0, LISTED_RUNS)
      .flatMap(run =>
        ['report.md', 'report.json'].map(file => ({ uri: `lens://runs/${run}/${file}`, name: `${run} ${file}` })),
      ),
  });
  const template = new ResourceTemplate('lens://runs/{run}/{+file}', { list });
  const about = {
    title: 'Files of a run',
    description: 'report.md, report.json, run.ndjson, and readings under evidence/',
  };
  server.registerResource('run', template, about, async (uri, { run, file }) => {
    const text = readRunFile(home, String(run), String(file));
    const mimeType = String(file).endsWith('.md') ? 'text/markdown' : 'application/json';
    const shown = text.length > MOST_RESOURCE_BYTES ? `${text.slice(0, MOST_RESOURCE_BYTES)}\n… cut` : text;
    return { contents: [{ uri: uri.href, mimeType, text: shown }] };
  });
}
