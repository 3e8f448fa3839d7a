// Reads the marks that the sick programs carry, so that truth can't go stale when their code moves.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export type Mark = 'culprit' | 'second' | 'innocent';

export interface MarkedLine {
  readonly file: string;
  readonly line: number;
  readonly mark: Mark;
}

/** Names of V8's frames are lines of a definition or of a call; a statement may begin one line earlier. */
const NEAR_LINES = 1;
const SOURCES = /\.(?:[cm]?[jt]s|tsx)$/;
const MARK = /@(culprit|second|innocent)\b/;

/** All marked lines below a folder. World files are not part of the program and are skipped. */
export function readMarks(folder: string): MarkedLine[] {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  return files
    .filter(file => SOURCES.test(file) && !file.endsWith('world.mjs') && !file.includes('node_modules'))
    .flatMap(file => marksOf(join(folder, file)))
    .concat(listedMarks(folder));
}

/** Programs that people are shown (the demo) carry no marks in their sources: a truth.json beside them lists the lines. */
function listedMarks(folder: string): MarkedLine[] {
  const file = join(folder, 'truth.json');
  if (!existsSync(file)) return [];
  const listed = JSON.parse(readFileSync(file, 'utf8')) as MarkedLine[]; // a file of ours, in this shape
  return listed.map(mark => ({ ...mark, file: join(folder, mark.file) }));
}

function marksOf(file: string): MarkedLine[] {
  const lines = readFileSync(file, 'utf8').split('\n');
  return lines.flatMap((text, index) => {
    const mark = MARK.exec(text)?.[1] as Mark | undefined; // the pattern admits only these words
    return mark ? [{ file, line: index + 1, mark }] : [];
  });
}

/** Whether a reported file is the marked one: absolute, a file: URL, or relative to some folder above it. */
export function sameFile(marked: string, reported: string): boolean {
  const path = reported.replace(/^file:\/\//, '').replace(/^(?:\.\/)+/, '');
  return path === marked || (path.length > 0 && marked.endsWith(`/${path}`));
}

/** The marks of a line, or, when it has none of its own, those of its neighbours. */
function marksAt(marks: readonly MarkedLine[], { file, line }: { file: string; line: number }): MarkedLine[] {
  const near = marks.filter(mark => sameFile(mark.file, file) && Math.abs(mark.line - line) <= NEAR_LINES);
  const exact = near.filter(mark => mark.line === line);
  return exact.length > 0 ? exact : near;
}

export function isMarked(marks: readonly MarkedLine[], mark: Mark, place: { file: string; line: number }): boolean {
  return marksAt(marks, place).some(one => one.mark === mark);
}

export function isMarkedFile(marks: readonly MarkedLine[], mark: Mark, file: string): boolean {
  return marks.some(m => m.mark === mark && sameFile(m.file, file));
}
