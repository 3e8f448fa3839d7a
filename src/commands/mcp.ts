import { Command } from 'commander';
import { runsHome } from '../stores/run-directory.js';

/** `lens mcp`: the read-only tools on stdio. stdout belongs to the protocol. */
export function mcpCommand(): Command {
  return new Command('mcp')
    .description('serve the read-only tools to an assistant, on stdio (Model Context Protocol)')
    .action(async () => {
      const { serveStdio } = await import('../mcp/server.js');
      const stop = new AbortController();
      for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(name, () => stop.abort());
      await serveStdio(runsHome(process.env), stop.signal);
    });
}
