import { readFileSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import { gzipSync } from 'node:zlib';
import { Command, InvalidArgumentError } from 'commander';
import { sayMs, sayShare } from '../base/say.js';
import { displayPath } from '../base/script-url.js';
import { blame } from '../cpu/blame.js';
import { difference } from '../cpu/difference.js';
import { toFolded, toPprof, toSpeedscope } from '../cpu/export.js';
import { parseProfile } from '../cpu/parse.js';
import { type CallTree, callTree, type Frame, frameName } from '../cpu/tree.js';
import { byFunction, byKind, byPackage, weigh } from '../cpu/weights.js';
import { LensError } from '../model/error.js';
import { longTasks, longTasksText } from './cpu-tasks.js';

const FORMATS = ['speedscope', 'pprof', 'folded'] as const;
type Format = (typeof FORMATS)[number];

interface Export {
  readonly format: Format;
  readonly file: string;
}

interface Options {
  readonly diff?: string;
  readonly json?: boolean;
  readonly limit: number;
  readonly output: readonly Export[];
}

/** Reads .cpuprofile files: where the time went, what blocked, what changed; writes them in other tools' formats. */
export function cpuCommand(): Command {
  return new Command('cpu')
    .description('where the time went in a CPU profile (.cpuprofile)')
    .argument('<file>', 'a .cpuprofile of DevTools, node --cpu-prof or a run of lens')
    .option('--diff <file>', 'a later profile: what takes more or less of the time in it')
    .option('--json', 'as JSON')
    .option('--limit <n>', 'rows of a table', whole, 15)
    .option('--output <fmt=file>', `also write it as ${FORMATS.join(', ')} (pprof is gzipped)`, collect, [])
    .action((file: string, options: Options) => {
      const tree = read(file);
      for (const output of options.output) write(tree, file, output);
      const answer =
        options.diff === undefined ? summary(tree, options.limit) : changes(tree, read(options.diff), options.limit);
      process.stdout.write(options.json ? `${JSON.stringify(answer.json, null, 2)}\n` : answer.text);
    });
}

function whole(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError('It must be a whole number from 1.');
  return value;
}

function collect(text: string, before: readonly Export[]): readonly Export[] {
  const [format, ...rest] = text.split('=');
  const known = FORMATS.find(each => each === format);
  const file = rest.join('=');
  if (!known || file === '') throw new InvalidArgumentError(`Give FORMAT=FILE with one of ${FORMATS.join(', ')}.`);
  return [...before, { format: known, file }];
}

function read(file: string): CallTree {
  const parsed = parseProfile(readText(file));
  if ('problem' in parsed)
    throw new LensError(
      'file-malformed',
      `${file} is not a CPU profile. ${parsed.problem}`,
      'lens reads what DevTools and node --cpu-prof write (.cpuprofile).',
    );
  return callTree(parsed);
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new LensError('file-unreadable', `${file} can't be read: ${why}.`, 'Give the path of a .cpuprofile file.', {
      cause,
    });
  }
}

function write(tree: CallTree, source: string, { format, file }: Export): void {
  const content =
    format === 'pprof'
      ? gzipSync(toPprof(tree))
      : format === 'folded'
        ? toFolded(tree)
        : JSON.stringify(toSpeedscope(tree, basename(source)));
  try {
    writeFileSync(file, content);
  } catch (cause) {
    throw new LensError(
      'storage',
      `${file} can't be written: ${cause instanceof Error ? cause.message : String(cause)}.`,
      undefined,
      { cause },
    );
  }
}

interface Answer {
  readonly json: object;
  readonly text: string;
}

const ms = (us: number): number => Math.round(us / 100) / 10;
const where = (frame: Frame): string =>
  frame.url === '' ? '' : `${displayPath(frame.url, process.cwd())}:${frame.line + 1}`;

function summary(tree: CallTree, limit: number): Answer {
  const work = weigh(tree);
  const kinds = byKind(tree);
  const blamed = blame(tree, work);
  const functions = byFunction(tree, work)
    .slice(0, limit)
    .map(({ frame, selfUs, totalUs }) => ({
      function: frameName(frame),
      where: where(frame),
      ...(frame.package ? { package: frame.package } : {}),
      selfMs: ms(selfUs),
      totalMs: ms(totalUs),
    }));
  const packages = byPackage(tree, work)
    .slice(0, limit)
    .map(({ name, selfUs }) => ({ name, selfMs: ms(selfUs) }));
  const json = {
    durationMs: ms(tree.durationUs),
    workMs: ms(work.allUs),
    gcMs: ms(kinds.gc),
    idleMs: ms(kinds.idle),
    ...(kinds.regexp > 0 && { regexpMs: ms(kinds.regexp) }),
    longTasks: longTasks(tree, where),
    ...(blamed
      ? { heaviest: { function: frameName(blamed.frame), where: where(blamed.frame), share: blamed.share } }
      : {}),
    functions,
    packages,
  };
  const heaviest = blamed
    ? `Heaviest: ${frameName(blamed.frame)} ${where(blamed.frame)}, ${sayShare(blamed.share)} of the work.\n`
    : '';
  const length = Math.max(1, tree.durationUs);
  return {
    json,
    text: `${sayMs(tree.durationUs / 1000)} profiled: ${sayShare(work.allUs / length)} work, ${regexpText(kinds.regexp / length)}${sayShare(kinds.gc / length)} collections, ${sayShare(kinds.idle / length)} idle.\n${heaviest}${longTasksText(json.longTasks)}\n${rows(
      functions.map(f => [`${f.selfMs}`, `${f.totalMs}`, f.function, f.package ?? '', f.where]),
      ['self ms', 'total ms', 'function', 'package', 'where'],
    )}\n${rows(
      packages.map(p => [`${p.selfMs}`, p.name]),
      ['self ms', 'owner'],
    )}`,
  };
}

/** V8 lays a regular expression that it interprets to its caller: none seen is not none there. */
const regexpText = (share: number): string => (share > 0 ? `${sayShare(share)} regular expressions, ` : '');

function changes(before: CallTree, after: CallTree, limit: number): Answer {
  const found = difference(before, after)
    .slice(0, limit)
    .map(({ frame, ...shares }) => ({ function: frameName(frame), where: where(frame), ...shares }));
  const share = (value: number) => sayShare(value);
  const table = found.map(f => [
    `${f.selfAfter >= f.selfBefore ? '+' : '-'}${share(Math.abs(f.selfAfter - f.selfBefore))}`,
    share(f.selfBefore),
    share(f.selfAfter),
    f.function,
    f.where,
  ]);
  return { json: { changes: found }, text: rows(table, ['change', 'before', 'after', 'function', 'where']) };
}

function rows(cells: readonly (readonly string[])[], head: readonly string[]): string {
  const all = [head, ...cells];
  const widths = head.map((_, column) => Math.max(...all.map(row => row[column]?.length ?? 0)));
  return all
    .map(
      row =>
        `${row
          .map((cell, at) => cell.padEnd(widths[at] ?? 0))
          .join('  ')
          .trimEnd()}\n`,
    )
    .join('');
}
