import { closeSync, fsyncSync, openSync, writeSync } from 'node:fs';
import { InvalidArgumentError } from 'commander';
import { LensError } from '../model/error.js';
import type { Report } from '../model/report.js';
import { annotationsOf } from '../report/github.js';
import { junitOf } from '../report/junit.js';
import { markdownOf } from '../report/markdown.js';
import { sarifOf } from '../report/sarif.js';

export const OUTPUT_FORMATS = ['json', 'md', 'html', 'sarif', 'junit', 'github'] as const;
type Format = (typeof OUTPUT_FORMATS)[number];

export interface Output {
  readonly format: Format;
  readonly path: string;
}

export function parseOutput(text: string): Output {
  const at = text.indexOf('=');
  const format = text.slice(0, at);
  const path = text.slice(at + 1);
  const known = OUTPUT_FORMATS.find(f => f === format);
  if (at < 1 || !known || path === '')
    throw new InvalidArgumentError(`Write it as FORMAT=FILE with one of ${OUTPUT_FORMATS.join(', ')}.`);
  return { format: known, path };
}

/** The page is made from the whole recorded run, not from the report alone: whoever has the run gives it. */
export type Page = (report: Report) => string;
type TextFormat = Exclude<Format, 'html'>;

const RENDER: { readonly [F in TextFormat]: (report: Report) => string } = {
  json: report => `${JSON.stringify(report, null, 2)}\n`,
  md: markdownOf,
  sarif: sarifOf,
  junit: junitOf,
  github: annotationsOf,
};

export function render(report: Report, format: TextFormat): string {
  return RENDER[format](report);
}

/** Writes the report; throws LensError `storage` that names the file and why. */
export function writeOutput(report: Report, { format, path }: Output, page: Page): void {
  try {
    const file = openSync(path, 'w', 0o644);
    try {
      const text = format === 'html' ? page(report) : render(report, format);
      if (writeSync(file, text) < Buffer.byteLength(text)) throw new Error('the disk took only a part of it');
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new LensError(
      'storage',
      `The report could not be written to ${path}: ${why}.`,
      'Choose another place with --output.',
      { cause },
    );
  }
}
