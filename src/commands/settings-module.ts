import { readFileSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { LensError } from '../model/error.js';

/** The default export of a settings module, as it is on disk now: a module that has changed is loaded anew. */
export async function importSettings(path: string): Promise<unknown> {
  try {
    const url = `${pathToFileURL(path).href}?${statSync(path).mtimeMs}`;
    const module: { readonly default?: unknown } = await import(url).catch(error => withoutTypes(path, error));
    return module.default;
  } catch (cause) {
    if (cause instanceof LensError) throw cause;
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new LensError('file-malformed', `${path} can't be loaded: ${why}.`, 'It exports the settings as default.', {
      cause,
    });
  }
}

/** Node before 22.18 does not read TypeScript: the project's own compiler takes the types out. */
function withoutTypes(path: string, error: unknown): Promise<{ readonly default?: unknown }> {
  if (!isUnknownExtension(error)) throw error;
  const text = compilerOf(path).transpileModule(readFileSync(path, 'utf8'), {
    compilerOptions: { module: 99, target: 9 }, // ESNext, ES2022
  }).outputText;
  return import(`data:text/javascript;base64,${Buffer.from(text).toString('base64')}`);
}

const isUnknownExtension = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === 'ERR_UNKNOWN_FILE_EXTENSION';

interface Compiler {
  transpileModule(text: string, options: { readonly compilerOptions: object }): { readonly outputText: string };
}

function compilerOf(path: string): Compiler {
  try {
    return createRequire(path)('typescript') as Compiler; // TypeScript has had this function since 1.5
  } catch (cause) {
    throw new LensError(
      'usage',
      `${path} is TypeScript, which Node ${process.versions.node} does not read, and the project has no typescript.`,
      'Run lens with Node 22.18 or newer, or call the file lens.config.mjs or .json.',
      { cause },
    );
  }
}
