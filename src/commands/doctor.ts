import { Command } from 'commander';
import { type Check, checkAddress, checkMachine, checkProcess } from '../inspector/check.js';
import { EXIT } from './exit.js';
import { wrap } from './table.js';
import { whole } from './target.js';

const DEFAULT_WIDTH = 80;
const MARK: Readonly<Record<Check['state'], string>> = { ok: 'ok  ', note: 'note', fail: 'FAIL' };

interface Options {
  readonly pid?: number;
  readonly port?: number;
  readonly host: string;
  readonly json?: boolean;
}

/** Why lens can or can't attach, here or to one process; attaches to nothing. Exit code 5 when something fails. */
export function doctorCommand(): Command {
  return new Command('doctor')
    .description("why lens can't attach, here or to one process")
    .argument('[pid]', 'the process to look at', whole)
    .option('--pid <n>', 'the same', whole)
    .option('--port <n>', 'an inspector that should answer there', whole)
    .option('--host <host>', 'the host of --port', '127.0.0.1')
    .option('--json', 'as JSON')
    .action(async (argument: number | undefined, options: Options) => {
      const checks = await examine({ ...options, ...(argument !== undefined && { pid: argument }) });
      process.stdout.write(options.json ? `${JSON.stringify(checks, null, 2)}\n` : diagnosis(checks));
      if (checks.some(check => check.state === 'fail')) process.exitCode = EXIT.cannotAttach;
    });
}

async function examine({ pid, port, host }: Options): Promise<Check[]> {
  const machine = await checkMachine();
  const target = pid === undefined ? [] : await checkProcess(pid);
  const address = port === undefined ? [] : await checkAddress(host, port);
  return [...machine, ...target, ...address];
}

/** A line for each check, and under what is not well the next step. */
export function diagnosis(checks: readonly Check[], width: number = process.stdout.columns ?? DEFAULT_WIDTH): string {
  const label = Math.max(...checks.map(check => check.what.length));
  const indent = ' '.repeat(label + 8);
  const lines = checks.flatMap(({ what, state, found, hint }) => {
    const [first = '', ...rest] = wrap(found, width, indent);
    const head = `${MARK[state]}  ${what.padEnd(label)}  ${first.trimStart()}`;
    return [head, ...rest, ...(hint === undefined ? [] : wrap(`→ ${hint}`, width, indent))];
  });
  return `${lines.join('\n')}\n`;
}
