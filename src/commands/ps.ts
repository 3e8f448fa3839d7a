import { Command } from 'commander';
import { sayBytes } from '../base/say.js';
import { listNodeProcesses, type NodeProcess } from '../inspector/node-processes.js';
import { type Column, table, wrap } from './table.js';

const DEFAULT_WIDTH = 80;

/** The Node processes lens can see, and whether it may attach to each. */
export function psCommand(): Command {
  return new Command('ps')
    .description('Node processes lens can see, and whether it may attach')
    .option('--json', 'as JSON')
    .action(async (options: { json?: boolean }) => {
      const processes = (await listNodeProcesses()).filter(({ pid }) => pid !== process.pid);
      process.stdout.write(options.json ? `${JSON.stringify(processes, null, 2)}\n` : listing(processes));
    });
}

const columns: readonly Column<NodeProcess>[] = [
  { title: 'PID', align: 'right', cell: p => String(p.pid) },
  { title: 'NODE', cell: p => p.version ?? '-' },
  { title: 'UP', align: 'right', cell: p => sayAge(p.uptimeSeconds) },
  { title: 'RSS', align: 'right', cell: p => sayBytes(p.rssBytes) },
  { title: 'CPU', align: 'right', cell: p => `${Math.round(p.cpuPercent)} %` },
  {
    title: 'ATTACH',
    cell: p => (p.mayAttach ? (p.inspectorPort === undefined ? 'yes' : `:${p.inspectorPort}`) : 'no'),
  },
  { title: 'COMMAND', cell: p => shortCommand(p.command) },
];

/** A table, and below it a reason for each process that lens may not attach to. */
export function listing(
  processes: readonly NodeProcess[],
  width: number = process.stdout.columns ?? DEFAULT_WIDTH,
): string {
  if (processes.length === 0) return emptyHint();
  const refused = processes.filter(p => !p.mayAttach);
  const reasons = refused.flatMap(p => [
    '',
    ...wrap(`${p.whyNot ?? ''}`, width, ''),
    ...wrap(p.hint ?? '', width, '  '),
  ]);
  return `${[...table(columns, processes, width), ...reasons].join('\n')}\n`;
}

function emptyHint(): string {
  const why =
    process.platform === 'linux'
      ? 'It sees processes of its own user and container.'
      : 'It lists them on Linux only (/proc).';
  return `lens sees no Node process here. ${why} \`lens doctor\` says more.\n`;
}

/** "42 s", "7 min", "3 h", "12 d". */
export function sayAge(seconds: number): string {
  if (seconds < 60) return `${Math.round(seconds)} s`;
  if (seconds < 3600) return `${Math.round(seconds / 60)} min`;
  return seconds < 86_400 ? `${Math.round(seconds / 3600)} h` : `${Math.round(seconds / 86_400)} d`;
}

/** The folder of the node binary says little and takes the room of what runs. */
function shortCommand(command: string): string {
  return command.replace(/^\S*\//, '');
}
