/** Scripts of lens itself in a target carry this scheme, so that every reading can leave them out. */
const OWN_SCHEME = 'lens:';

/** File name of a package's folder under the store of pnpm: `node_modules/.pnpm/NAME@VERSION/node_modules/NAME`. */
const PACKAGE = /(?:^|[\\/])node_modules[\\/]((?:@[^\\/]+[\\/])?[^\\/@.][^\\/]*)(?=[\\/]|$)/g;

/** The innermost package a script belongs to, scope included; undefined for the application's own code and `node:`. */
export function packageOf(url: string): string | undefined {
  let name: string | undefined;
  for (const match of filePath(url).matchAll(PACKAGE)) name = match[1]?.replace('\\', '/');
  return name;
}

/** True for the application's own files: not Node's, not a package's, not lens', not evaluated text. */
export function isUserCode(url: string): boolean {
  return isFile(url) && packageOf(url) === undefined;
}

/** True when the script came from a file (or a bundler's virtual file) of the application or of a package. */
export function isFile(url: string): boolean {
  if (url === '' || isOwnCode(url) || isNodeInternal(url)) return false;
  if (/^(evalmachine\.|\[eval|wasm:|data:|extensions::|native )/.test(url)) return false;
  return /[\\/]/.test(url) || SCRIPT_NAME.test(url);
}

/** A single executable application calls its script by the bare name. */
const SCRIPT_NAME = /^[\w.-]+\.[cm]?[jt]sx?$/;

/** True for Node's own JavaScript; old versions name some of it without a scheme (`internal/…`). */
export function isNodeInternal(url: string): boolean {
  return url.startsWith('node:') || /^internal\//.test(url);
}

/** True for what lens brought into the target. */
export function isOwnCode(url: string): boolean {
  return url.startsWith(OWN_SCHEME);
}

/** A path for people and file systems: `file:` urls decoded, bundlers' schemes and query strings dropped. */
export function filePath(url: string): string {
  if (url.startsWith('file:')) return fromFileUrl(url);
  const virtual =
    /^(?:webpack|webpack-internal|turbopack|rollup|vite|ng):\/\/[^/]*\/(?:\([^)]*\)\/)?(?:\.\/)?(.*)$/.exec(url);
  return virtual?.[1] ? virtual[1].replace(/\?.*$/, '') : url;
}

function fromFileUrl(url: string): string {
  const path = url.replace(/^file:\/\/(?:localhost)?/, '').replace(/[?#].*$/, '');
  const decoded = decode(path);
  return /^\/[A-Za-z]:/.test(decoded) ? decoded.slice(1) : decoded;
}

function decode(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}

/** Relative to the target's working directory when inside of it, else absolute; `node:` names stay as they are. */
export function displayPath(urlOrPath: string, cwd: string): string {
  const path = filePath(urlOrPath);
  const root = /[\\/]$/.test(cwd) ? cwd : `${cwd}/`;
  return cwd.length > 1 && path.startsWith(root) ? path.slice(root.length) : path;
}
