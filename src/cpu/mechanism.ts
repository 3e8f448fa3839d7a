import { type CallTree, type Frame, frameAt } from './tree.js';
import type { Weights } from './weights.js';

/** What a stretch of time was spent on, as far as frames and lines tell. */
export type Mechanism =
  | 'fs'
  | 'crypto'
  /** Has no asynchronous twin: it is computing. */
  | 'hashing'
  | 'zlib'
  | 'child_process'
  | 'module-loading'
  | 'atomics'
  /** C++ that the program calls itself: an embedded database, an add-on. */
  | 'native'
  | 'regexp'
  | 'serialization'
  | 'logging'
  | 'exceptions'
  | 'sort'
  /** Dates and numbers as a country writes them: dear, because each call may build a formatter of its own. */
  | 'intl'
  | 'compilation'
  /** All that was gathered, once more for each piece that is added. */
  | 'copying'
  | 'clock'
  | 'http'
  | 'compute';

/** A call, construction or regular expression on a source line, by the names it is written with. */
export interface WrittenCall {
  readonly callee: string;
  readonly method: string;
  readonly label: string;
  readonly kind: string;
  /** Its answer decides whether a loop goes on. */
  readonly endsLoop?: boolean;
}

/** The calls a function makes on a 1-based line of its script; all of its calls for a line too long to tell. */
export type LineReader = (frame: Frame, line: number) => readonly WrittenCall[];

/** Time by mechanism, the heaviest first; microseconds. */
export interface MechanismTime {
  readonly mechanism: Mechanism;
  readonly us: number;
  /** What was called, as written or as V8 names it: `JSON.stringify`, `gzipSync`. */
  readonly what: string;
}

/** Node's own files and what runs in them, the most telling first. */
const NODE_FILES: readonly (readonly [RegExp, RegExp, Mechanism])[] = [
  [/^node:(internal\/)?child_process/, /Sync$|^spawn$/, 'child_process'],
  [/^node:(internal\/)?zlib/, /Sync$/, 'zlib'],
  [
    /^node:internal\/crypto\/(?!webcrypto$)|^node:crypto$/,
    /Sync$|^(sign|verify|randomBytes|publicEncrypt|privateDecrypt|privateEncrypt|publicDecrypt|computeSecret|generateKeys)$|^handleError$/i,
    'crypto',
  ],
  [
    /^node:internal\/crypto\/(?!webcrypto$)|^node:crypto$/,
    /^(createHash|createHmac|Hash|Hmac|hash|update|digest|final)$/,
    'hashing',
  ],
  [/^node:internal\/modules\/|^node:internal\/bootstrap\/realm/, /./, 'module-loading'],
  [/^node:(internal\/)?fs/, /Sync$|^tryStatSync$|^tryReadSync$/, 'fs'],
  [
    /^node:v8$|^node:internal\/(structured_clone|worker\/js_transferable)/,
    /serialize|structuredClone/i,
    'serialization',
  ],
  // Values are made readable for nobody but a log's reader.
  [/^node:internal\/(console|util\/inspect)/, /./, 'logging'],
  [/^node:internal\/(errors|process\/execution)|^node:internal\/source_map/, /./, 'exceptions'],
  [/^node:(internal\/)?(_?http|net|stream|_http)/, /./, 'http'],
];

/** C++ functions without a script, by V8's name for them. */
const NATIVES: { readonly [name: string]: Mechanism } = {
  structuredClone: 'serialization',
  spawn: 'child_process',
  spawnSync: 'child_process',
  compileFunctionForCJSLoader: 'module-loading',
  wait: 'atomics',
};

/** The mechanism of a whole stack from a node up to (and without) `above`; undefined when its frames don't tell. */
export function fromFrames(
  tree: CallTree,
  node: number,
  above: number,
): { mechanism: Mechanism; what: string } | undefined {
  let found: { mechanism: Mechanism; what: string } | undefined;
  for (let at = node; at >= 0 && at !== above; at = tree.parent[at]!) {
    const frame = frameAt(tree, at);
    const mechanism = ofFrame(frame, at === node) ?? (at === node ? ofNative(tree, node) : undefined);
    // The outermost telling frame is what the program called: execSync, not spawn; but a regexp is one wherever it runs,
    // and all that a request does runs beneath Node's HTTP parser.
    if (mechanism && found?.mechanism !== 'regexp' && !(found && mechanism === 'http'))
      found = { mechanism, what: frame.functionName || '(anonymous)' };
  }
  return found;
}

function ofFrame(frame: Frame, isLeaf: boolean): Mechanism | undefined {
  if (frame.kind === 'regexp') return 'regexp';
  if (frame.kind === 'native') return isLeaf ? NATIVES[frame.functionName] : undefined;
  if (frame.kind !== 'node') return undefined;
  return NODE_FILES.find(([file, name]) => file.test(frame.url) && name.test(frame.functionName))?.[2];
}

/** Buffer's own, which packages call directly: they compute, and have no asynchronous twin. */
const OF_BUFFERS =
  /^(utf8|ucs2|latin1|ascii|hex|base64|base64url)(Slice|Write)|^(byteLength|copy|fill|compare|indexOf)/;

/** What Node offers has a JavaScript function of Node's around it; what has none comes from a class or an add-on. */
function ofNative(tree: CallTree, node: number): Mechanism | undefined {
  const { kind, functionName } = frameAt(tree, node);
  const caller = tree.parent[node]! >= 0 ? frameAt(tree, tree.parent[node]!).kind : undefined;
  if (kind !== 'native' || functionName === '' || OF_BUFFERS.test(functionName)) return undefined;
  return caller === 'user' || caller === 'package' ? 'native' : undefined;
}

/** A string in front is no regular expression. */
const STRING_FIRST = /\((['"`])/;

/** What a line is busy with, from the calls written on it; the most expensive kind wins. */
export function fromLine(calls: readonly WrittenCall[]): { mechanism: Mechanism; what: string } | undefined {
  for (const [mechanism, matches] of LINE_RULES) {
    const call = calls.find(matches);
    if (call) return { mechanism, what: call.callee };
  }
  return undefined;
}

const REGEXP_METHODS = new Set(['test', 'exec', 'match', 'matchAll']);
const REGEXP_OR_STRING = new Set(['replace', 'replaceAll', 'split', 'search']);

const LINE_RULES: readonly (readonly [Mechanism, (call: WrittenCall) => boolean])[] = [
  ['child_process', call => /^(?:exec|execFile|spawn)Sync$/.test(call.method)],
  ['zlib', call => /^(?:gzip|gunzip|deflate|inflate|brotli|unzip|zstd)\w*Sync$/.test(call.method)],
  [
    'crypto',
    call =>
      /^(?:pbkdf2|scrypt|hkdf|argon2|generateKey|generateKeyPair|generatePrime|checkPrime)Sync$/.test(call.method),
  ],
  [
    'serialization',
    call =>
      /^(JSON|v8)\.(parse|stringify|serialize|deserialize)$/.test(call.callee) || call.method === 'structuredClone',
  ],
  ['atomics', call => call.callee === 'Atomics.wait'],
  [
    'compilation',
    call =>
      /^(Function|eval)(\.(apply|call))?$/.test(call.callee) ||
      /\b(runInContext|runInNewContext|runInThisContext)$/.test(call.callee),
  ],
  ['regexp', call => call.kind === 'call' && REGEXP_METHODS.has(call.method)],
  ['regexp', call => call.kind === 'call' && REGEXP_OR_STRING.has(call.method) && !STRING_FIRST.test(call.label)],
  [
    'sort',
    call =>
      ['sort', 'toSorted', 'localeCompare', 'compare'].includes(call.method) || call.callee.startsWith('Intl.Collator'),
  ],
  ['intl', call => /^toLocale(Date|Time)?String$/.test(call.method) || call.callee.startsWith('Intl.')],
  ['exceptions', call => call.kind === 'new' && /(Error|Exception)$/.test(call.callee)],
  ['exceptions', call => call.callee === 'Error.captureStackTrace'],
  ['logging', call => /^console\.(log|info|debug|warn|error|trace|dir|table)$/.test(call.callee)],
  [
    'clock',
    call => call.endsLoop === true && /^(Date\.now|performance\.now|process\.hrtime(\.bigint)?)$/.test(call.callee),
  ],
];

/**
 * Time by mechanism of the samples in which `owner` is the last user frame. Self time of JavaScript is told by the
 * source lines V8 counted it on, because built-ins have no frame of their own.
 */
export function mechanisms(
  tree: CallTree,
  weights: Weights,
  isOwned: (node: number) => number,
  read: LineReader,
): MechanismTime[] {
  const sums = new Map<string, MechanismTime>();
  const add = (mechanism: Mechanism, what: string, us: number) => {
    const key = `${mechanism} ${what}`;
    sums.set(key, { mechanism, what, us: (sums.get(key)?.us ?? 0) + us });
  };
  for (let node = 0; node < tree.nodeCount; node++) {
    const us = weights.selfUs[node]!;
    const owner = us > 0 ? isOwned(node) : -1;
    if (owner < 0) continue;
    const told = fromFrames(tree, node, owner);
    if (told && told.mechanism !== 'http') add(told.mechanism, told.what, us);
    else
      for (const line of lineShares(tree, node)) {
        const written = fromLine(read(frameAt(tree, node), line.line));
        add(
          written?.mechanism ?? told?.mechanism ?? 'compute',
          written?.what ?? (frameAt(tree, node).functionName || '(anonymous)'),
          us * line.share,
        );
      }
  }
  return [...sums.values()].sort((a, b) => b.us - a.us);
}

/** Where a node's self time went: 1-based lines with their shares; one unknown line (0) without ticks. */
export function lineShares(tree: CallTree, node: number): { readonly line: number; readonly share: number }[] {
  const ticks = tree.ticks[node] ?? [];
  const all = ticks.reduce((sum, tick) => sum + tick.ticks, 0);
  if (all === 0) return [{ line: 0, share: 1 }];
  return ticks.map(({ line, ticks: count }) => ({ line, share: count / all }));
}

/** Sums of several `what`s by mechanism alone, the heaviest first. */
export function totals(times: readonly MechanismTime[]): MechanismTime[] {
  const sums = new Map<Mechanism, MechanismTime>();
  for (const time of times) {
    const known = sums.get(time.mechanism);
    sums.set(time.mechanism, { ...(known ?? time), us: (known?.us ?? 0) + time.us });
  }
  return [...sums.values()].sort((a, b) => b.us - a.us);
}
