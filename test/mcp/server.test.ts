import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Launched, launch } from '../launch.js';

const SECRET = 'zK8-quite-private-41';
const LEAKY = `
const sessions = new Map();
setInterval(() => sessions.set(Symbol(), new Array(3000).fill(0)), 10);
console.log('ready');
`;

let client: Client;
let target: Launched;
let home: string;

/** What a tool says: its structured answer, checked by the client against the tool's own schema. */
async function call(name: string, args: object = {}) {
  const result = await client.callTool({ name, arguments: { ...args } }, undefined, { timeout: 60_000 });
  const [first] = result.content as { text: string }[];
  return { failed: result.isError === true, text: first?.text ?? '', value: result.structuredContent as never };
}

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'lens-mcp-'));
  target = await launch(LEAKY, { env: { DATABASE_URL: `postgres://app:${SECRET}@db/x` } });
  client = new Client({ name: 'test', version: '1' });
  await client.connect(
    new StdioClientTransport({
      command: process.execPath,
      args: ['--import', 'tsx', 'src/cli.ts', 'mcp'],
      env: { PATH: process.env.PATH ?? '', HOME: home, XDG_STATE_HOME: home },
    }),
  );
});

afterAll(async () => {
  await client?.close();
  await target?.[Symbol.asyncDispose]();
  await rm(home, { recursive: true, force: true });
});

describe('lens mcp, driven by the official client', () => {
  test('offers a small set of typed, annotated, non-destructive tools', async () => {
    const { tools } = await client.listTools();
    expect(tools.length).toBeGreaterThanOrEqual(10);
    expect(tools.length).toBeLessThanOrEqual(20);
    for (const tool of tools) {
      expect(tool.name).toMatch(/^lens_/);
      expect(tool.outputSchema).toBeDefined();
      expect(tool.annotations).toMatchObject({ destructiveHint: false, openWorldHint: false });
    }
    expect(tools.find(tool => tool.name === 'lens_attach')?.annotations?.readOnlyHint).toBe(false);
    expect(tools.find(tool => tool.name === 'lens_report')?.annotations?.readOnlyHint).toBe(true);
  });

  test('finds a process, attaches, reads, computes, pages, and lets go', async () => {
    const { value: listed } = await call('lens_list_processes', { limit: 100 });
    expect((listed as { processes: { pid: number }[] }).processes.map(one => one.pid)).toContain(target.pid);
    expect((await call('lens_attach', { pid: target.pid })).value).toMatchObject({ target: { pid: target.pid } });

    const { value: read } = await call('lens_read', { pid: target.pid, kind: 'vitals', seconds: 2 });
    const { id, status } = (read as { reading: { id: string; status: string } }).reading;
    expect(status).toBe('ok');
    const { value: page } = await call('lens_reading', { pid: target.pid, id, path: 'samples', limit: 1 });
    expect(page).toMatchObject({ part: { offset: 0, items: [{ rssBytes: expect.any(Number) }] } });

    const code = `const v = await reading({ id: ${JSON.stringify(id)}, path: 'loopDelay' }); v.maxMs >= v.minMs`;
    expect((await call('lens_execute', { pid: target.pid, skill: 'heap', code })).value).toEqual({ answer: true });
    const { value: snapshot } = await call('lens_snapshot', { pid: target.pid, skill: 'runtime' });
    expect(snapshot).toMatchObject({ snapshot: { skill: 'runtime', evidenceIds: [expect.any(String)] } });

    expect((await call('lens_detach', { pid: target.pid })).value).toEqual({
      wasAttached: true,
      inspectorClosed: true,
      residue: [],
    });
  });

  test('investigates: the cause with its line, progress on the way, the run as resources', async () => {
    const steps: string[] = [];
    const result = await client.callTool(
      { name: 'lens_investigate', arguments: { pid: target.pid, reason: 'memory grows', skills: ['heap'] } },
      undefined,
      { timeout: 90_000, onprogress: progress => void steps.push(progress.message ?? '') },
    );
    const report = result.structuredContent as {
      run: string;
      verdict: string;
      insights: { fault_class: string; culprit?: { line: number } }[];
      resources: string[];
    };
    expect(report.verdict).toBe('critical');
    expect(report.insights[0]).toMatchObject({ fault_class: 'memory.leak.collection' });
    expect(steps.join()).toContain('heap:');
    const { contents } = await client.readResource({ uri: report.resources[0]! });
    expect((contents[0] as { text: string }).text).toContain('sessions');
    const { resources } = await client.listResources();
    expect(resources.map(one => one.uri)).toContain(report.resources[0]);
    expect((await call('lens_report', { run: report.run })).value).toMatchObject({ verdict: 'critical' });
    expect((await call('lens_list_runs')).value).toMatchObject({ total: 1, runs: [{ run: report.run }] });
  });

  test('secrets of the process stay hidden', async () => {
    const code = 'await getTargetInfo()';
    const info = await call('lens_execute', { pid: target.pid, skill: 'runtime', code });
    const host = await call('lens_read', { pid: target.pid, kind: 'process' });
    expect(info.text + host.text).not.toContain(SECRET);
    await call('lens_detach', { pid: target.pid });
  });

  test('mistakes are answered with what would be right', async () => {
    const query = await call('lens_query', { pid: target.pid, skill: 'heap', query: 'nope' });
    expect(query).toMatchObject({ failed: true, text: expect.stringMatching(/it has: .*getTargetInfo/) });
    const wrong = await call('lens_execute', { pid: target.pid, skill: 'heap', code: 'await nope()' });
    expect(wrong).toMatchObject({ failed: true, text: expect.stringMatching(/Functions here: /) });
    expect(await call('lens_attach', { pid: 2 ** 22 - 7 })).toMatchObject({ failed: true });
    expect(await call('lens_report', { run: '..' })).toMatchObject({ failed: true });
    expect(await call('lens_heap_file', { path: '/etc/hostname' })).toMatchObject({ failed: true });
    await expect(client.readResource({ uri: 'lens://runs/..%2f..%2fetc/passwd' })).rejects.toThrow();
    await call('lens_detach', { pid: target.pid });
  });

  test('has a prompt for an investigation', async () => {
    const { messages } = await client.getPrompt({ name: 'investigate', arguments: { symptom: 'slow', pid: '7' } });
    expect((messages[0]!.content as { text: string }).text).toContain('pid 7');
  });
});
