import { type Command, InvalidArgumentError } from 'commander';
import type { ModelFlags } from '../llm/config.js';
import { whole } from './target.js';

export interface ModelOptions extends ModelFlags {
  readonly dryRun?: boolean;
}

/** Adds the choice of a model to a command. There is no flag for a key: it would stand in `ps` and in shell histories. */
export function withModelOptions(command: Command): Command {
  return command
    .option('--provider <name>', 'anthropic, openai or ollama')
    .option('--model <id>', 'which model to ask')
    .option('--base-url <url>', 'where the provider listens')
    .option('--no-llm', 'ask no model, even when a key is there')
    .option('--require-llm', 'exit 4 when no model can be asked')
    .option('--max-tokens <n>', 'stop asking after this many tokens', whole)
    .option('--max-dollars <n>', 'stop asking after this much money', dollars)
    .option('--dry-run', 'print what would be sent to a model, and send nothing');
}

function dollars(text: string): number {
  const amount = Number(text);
  if (Number.isFinite(amount) && amount > 0) return amount;
  throw new InvalidArgumentError('It must be an amount in dollars.');
}
