import type { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import type { RequestHandlerExtra } from '@modelcontextprotocol/sdk/shared/protocol.js';
import type { CallToolResult, ServerNotification, ServerRequest } from '@modelcontextprotocol/sdk/types.js';
import { z } from 'zod';
import { Redactor } from '../base/redact.js';
import { LensError } from '../model/error.js';

export interface LensTool<I extends z.ZodRawShape, O extends z.ZodRawShape> {
  readonly name: `lens_${string}`;
  readonly title: string;
  readonly description: string;
  readonly input: I;
  readonly output: O;
  /** True when it asks nothing of a target; otherwise it opens an inspector and takes a little of its time. */
  readonly passive: boolean;
  readonly run: (given: z.infer<z.ZodObject<I>>, call: ToolContext) => Promise<z.infer<z.ZodObject<O>>>;
}

export interface ToolContext {
  readonly signal: AbortSignal;
  /** Tells the host how far it is; nothing happens when the host didn't ask to know. */
  readonly progress: (message: string) => void;
}

/** A host shows a result to a model: beyond this it would cost more than it says. */
const MOST_RESULT_CHARS = 40_000;

/** Registers a tool: typed in and out, errors as text that the assistant can act on, secrets taken out. */
export function addTool<I extends z.ZodRawShape, O extends z.ZodRawShape>(
  server: McpServer,
  tool: LensTool<I, O>,
): void {
  const { name, title, description, input, output, passive } = tool;
  const annotations = {
    title,
    readOnlyHint: passive,
    destructiveHint: false,
    idempotentHint: passive,
    openWorldHint: false,
  };
  const inputSchema: z.ZodRawShape = input;
  server.registerTool(
    name,
    { title, description, inputSchema, outputSchema: output, annotations },
    async (given, extra) => {
      // The server has parsed `given` with this very schema.
      const parsed = given as z.infer<z.ZodObject<I>>;
      return answer(() => tool.run(parsed, contextOf(extra)));
    },
  );
}

type Extra = RequestHandlerExtra<ServerRequest, ServerNotification>;

function contextOf({ signal, _meta, sendNotification }: Extra): ToolContext {
  let steps = 0;
  return {
    signal,
    progress(message) {
      const progressToken = _meta?.progressToken;
      if (progressToken === undefined) return;
      const params = { progressToken, progress: ++steps, message };
      // A host that has gone is told nothing.
      sendNotification({ method: 'notifications/progress', params }).catch(() => {});
    },
  };
}

const redactor = new Redactor();

async function answer(work: () => Promise<object>): Promise<CallToolResult> {
  try {
    const value = redactor.deep(await work());
    const text = JSON.stringify(value);
    if (text.length > MOST_RESULT_CHARS)
      return failure(`The answer has ${text.length} characters: ask for a smaller page.`);
    // JSON of a record.
    return { content: [{ type: 'text', text }], structuredContent: JSON.parse(text) as Record<string, unknown> };
  } catch (error) {
    return failure(messageOf(error));
  }
}

function failure(text: string): CallToolResult {
  return { isError: true, content: [{ type: 'text', text: redactor.redact(text) }] };
}

function messageOf(error: unknown): string {
  if (error instanceof LensError) return [error.message, error.hint].filter(Boolean).join(' ');
  if (error instanceof z.ZodError) return z.prettifyError(error);
  return error instanceof Error ? error.message : String(error);
}
