import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** Cheap ways only: the folder a version manager gives it, or the header beside the binary. Undefined when neither tells. */
export async function versionOfBinary(executable: string): Promise<string | undefined> {
  const fromPath = /\/v?(\d+\.\d+\.\d+)\/(?:installation\/)?bin\//.exec(executable)?.[1];
  if (fromPath !== undefined) return `v${fromPath}`;
  const header = join(dirname(executable), '../include/node/node_version.h');
  return parseVersionHeader(await readFile(header, 'utf8').catch(() => ''));
}

export function parseVersionHeader(text: string): string | undefined {
  const part = (name: string) => new RegExp(`#define NODE_${name}_VERSION (\\d+)`).exec(text)?.[1];
  const [major, minor, patch] = [part('MAJOR'), part('MINOR'), part('PATCH')];
  return major === undefined ? undefined : `v${major}.${minor}.${patch}`;
}
