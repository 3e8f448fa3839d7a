import { packageOf } from './url.js';

/** What esbuild, Bun and webpack's development builds write above each module: `// node_modules/ms/index.js`. */
const BANNER =
  /^(?:\s*\/\/ ([\w@./+-]+\.[cm]?[jt]sx?)\s*$|\s*"([\w@./+-]+\.[cm]?[jt]sx?)"\((?:exports|module|_+exports|_+module)?|\s*!\*\*\* (\S+\.[cm]?[jt]sx?) \*\*\*!)/;
/** Texts without a module of a package in them are no bundles. */
const kept = new Map<string, readonly Banner[]>();
const KEPT = 8;

interface Banner {
  readonly line0: number;
  readonly owner: string | undefined;
}

/** The package whose module a line of a bundle without a source map lies in; undefined for others' and for minified text. */
export function bannerPackage(text: string, line0: number): string | undefined {
  const banners = kept.get(text) ?? remember(text);
  return banners.findLast(banner => banner.line0 <= line0)?.owner;
}

function remember(text: string): readonly Banner[] {
  const banners = text.includes('node_modules/') ? bannersOf(text) : [];
  if (kept.size >= KEPT) kept.delete(kept.keys().next().value ?? '');
  kept.set(text, banners);
  return banners;
}

function bannersOf(text: string): Banner[] {
  const found = text.split('\n').flatMap((line, line0) => {
    const match = line.length < 300 ? BANNER.exec(line) : null;
    const file = match?.[1] ?? match?.[2] ?? match?.[3];
    return file === undefined ? [] : [{ line0, owner: packageOf(file) }];
  });
  return found.some(({ owner }) => owner !== undefined) ? found : [];
}
