import type { RawFrame } from '../agents/stack.js';
import { filePath, isFile } from '../base/script-url.js';
import type { CreatorFrame } from '../model/evidence/handles.js';

/** Call sites of the target as positions: 0-based, with the script's id where it is known. */
export const toFrames = (frames: readonly RawFrame[], ids: ReadonlyMap<string, string>): CreatorFrame[] =>
  frames
    .filter(({ url }) => isFile(url))
    .map(({ name, url, line, column }) => ({
      functionName: name,
      scriptId: ids.get(filePath(url)) ?? '',
      url,
      line: line - 1,
      column: column - 1,
    }));
