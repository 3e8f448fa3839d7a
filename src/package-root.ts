import { existsSync } from 'node:fs';

/** The package's own folder, whether this runs from src/ or from the bundle in dist/. */
export const packageRoot: URL = [new URL('../', import.meta.url), new URL('../../', import.meta.url)].find(url =>
  existsSync(new URL('package.json', url)),
) as URL; // one of them holds by the package's layout
