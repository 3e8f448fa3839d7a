import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { Command } from 'commander';
import { LensError } from '../model/error.js';
import { packageRoot } from '../package-root.js';
import { runToEnd } from './investigation.js';
import { type RunOptions, withRunOptions } from './run.js';

const READY_WITHIN_MS = 20_000;

/** Starts the bundled sick server under its own traffic, investigates it like any other process, and ends it. */
export function demoCommand(): Command {
  return withRunOptions(new Command('demo'))
    .description('start a bundled sick server, investigate it, print the report')
    .action(async (options: RunOptions) => {
      const program = fileURLToPath(new URL('fixtures/apps/demo/server.mjs', packageRoot));
      // Its own port for the inspector, so that the demo also works where 9229 is taken.
      const child = spawn(process.execPath, ['--inspect-port=0', program], { stdio: ['pipe', 'pipe', 'ignore'] });
      try {
        await ready(child);
        process.stderr.write(`demo server started: pid ${child.pid}, ${program}\n`);
        const code = await runToEnd({ pid: child.pid ?? 0 }, { ...options, failOn: 'never' });
        process.exitCode = code;
      } finally {
        child.kill();
      }
    });
}

async function ready(child: ReturnType<typeof spawn>): Promise<void> {
  const late = AbortSignal.timeout(READY_WITHIN_MS);
  if (!child.stdout) throw new Error('the demo server has no stdout');
  const lines = createInterface({ input: child.stdout });
  try {
    await Promise.race([once(lines, 'line', { signal: late }), once(child, 'exit', { signal: late }).then(died)]);
  } catch (cause) {
    throw new LensError(
      'target-not-found',
      'The demo server did not start.',
      'Run it by hand to see why: node fixtures/apps/demo/server.mjs',
      { cause },
    );
  }
}

function died(): never {
  throw new Error('it ended at once');
}
