import { Command } from 'commander';
import { loadSettings, type Origin } from './settings.js';
import { table } from './table.js';

/** What lens is set to, and by which file or variable. Exit code 2 when a file has settings that lens doesn't know. */
export function configCommand(): Command {
  const print = new Command('print')
    .description('every setting with its value and where it came from')
    .option('--json', 'as JSON')
    .option('--config <file>', 'settings to use instead of the lens.config file found upwards from here')
    .action(async (options: { readonly json?: boolean; readonly config?: string }) => {
      const { origins } = await loadSettings(process.cwd(), process.env, options.config);
      const shown = origins.map(withoutSecrets);
      process.stdout.write(options.json ? `${JSON.stringify(shown, null, 2)}\n` : listing(shown));
    });
  return new Command('config').description('settings: files, environment, and what they come to').addCommand(print);
}

function listing(origins: readonly Origin[]): string {
  const columns = [
    { title: 'SETTING', cell: ({ name }: Origin) => name },
    { title: 'VALUE', cell: ({ value }: Origin) => (typeof value === 'string' ? value : JSON.stringify(value)) },
    { title: 'FROM', cell: ({ from }: Origin) => from },
  ];
  return `${table(columns, origins, Number.MAX_SAFE_INTEGER).join('\n')}\n`;
}

/** Keys, secrets and addresses of webhooks stay unsaid; a `$NAME` only points at one. */
const SECRET = /^(secret|routingKey|url|headers)$/;

function withoutSecrets(origin: Origin): Origin {
  return { ...origin, value: hidden(origin.value) };
}

function hidden(value: unknown, key = ''): unknown {
  if (Array.isArray(value)) return value.map(each => hidden(each));
  if (SECRET.test(key)) return typeof value === 'string' && value.startsWith('$') ? value : '(hidden)';
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, hidden(inner, name)]));
}
