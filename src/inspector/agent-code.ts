import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const cache = new Map<string, Promise<string>>();

/** The built script of an agent (dist/agents/NAME.js): an expression statement that leaves its exports in `__lensPart`. */
export function agentCode(name: string): Promise<string> {
  const known = cache.get(name) ?? readFile(join(packageRoot(), 'dist', 'agents', `${name}.js`), 'utf8');
  cache.set(name, known);
  return known;
}

/** This file is bundled into dist/ or runs from src/: the package begins where package.json is. */
function packageRoot(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, 'package.json')) && folder !== dirname(folder)) folder = dirname(folder);
  return folder;
}
