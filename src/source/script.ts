import {
  eachMapping,
  GREATEST_LOWER_BOUND,
  LEAST_UPPER_BOUND,
  originalPositionFor,
  sourceContentFor,
  TraceMap,
} from '@jridgewell/trace-mapping';
import type { ScriptSource } from '../model/evidence/source.js';
import { bannerPackage } from './banners.js';
import { codeFrame } from './frame.js';
import { ownerName } from './names.js';
import { lineText } from './syntax.js';
import { filePath, packageOf } from './url.js';

/** A place in the file a person edits; 1-based. */
export interface OriginalPlace {
  /** Absolute path, or the name a bundler gave. */
  readonly file: string;
  readonly line: number;
  readonly column: number;
  /** True when a source map said so; false means that the place is in the text V8 runs. */
  readonly mapped: boolean;
  /** The name the source map knows for this place. */
  readonly name?: string;
}

/** One script: the text V8 runs, and the way back to what was written. */
export class ScriptText {
  readonly url: string;
  readonly text: string;
  readonly #map: TraceMap | undefined;

  constructor(source: ScriptSource) {
    this.url = source.url;
    this.text = source.text;
    this.#map = mapOf(source);
  }

  /** Where a 0-based position of the running text was written; falls back to the running text itself. */
  original(line0: number, column0: number): OriginalPlace {
    return (
      this.#mapped(line0, column0) ?? { file: filePath(this.url), line: line0 + 1, column: column0 + 1, mapped: false }
    );
  }

  #mapped(line0: number, column0: number): OriginalPlace | undefined {
    if (!this.#map) return undefined;
    const found = originalPositionFor(this.#map, { line: line0 + 1, column: column0, bias: GREATEST_LOWER_BOUND });
    const place =
      found.source === null
        ? originalPositionFor(this.#map, { line: line0 + 1, column: column0, bias: LEAST_UPPER_BOUND })
        : found;
    if (place.source === null) return undefined;
    const { source, line, column, name } = place;
    return { file: filePath(source), line, column: column + 1, mapped: true, ...(name === null ? {} : { name }) };
  }

  /** Paths of the files it was written in; empty without a source map. */
  files(): string[] {
    return this.#map?.resolvedSources.flatMap(name => (name === null ? [] : [filePath(name)])) ?? [];
  }

  /**
   * The package that a 0-based position belongs to where the script is a bundle, by its source map or by the names that
   * bundlers leave above each module; undefined for the application's own code, and where nothing tells.
   */
  ownerAt(line0: number, column0: number): string | undefined {
    const place = this.#mapped(line0, column0);
    return place ? packageOf(place.file) : bannerPackage(this.text, line0);
  }

  /** Where code of a written 1-based line stands in the running text, or of the next one within `nextLines` that has some. */
  generated(
    file: string,
    line: number,
    column: number | undefined,
    nextLines: number,
  ): { line0: number; column0: number } | undefined {
    if (!this.#map) return undefined;
    let best: { line: number; line0: number; column0: number } | undefined;
    eachMapping(this.#map, mapping => {
      if (mapping.source === null || mapping.originalLine < line || mapping.originalLine > line + nextLines) return;
      if (column !== undefined && mapping.originalLine === line && mapping.originalColumn < column - 1) return;
      // Mappings come in the order of the running text: the first of the nearest line stays.
      if (best !== undefined && best.line <= mapping.originalLine) return;
      if (filePath(mapping.source) !== file) return;
      best = { line: mapping.originalLine, line0: mapping.generatedLine - 1, column0: mapping.generatedColumn };
    });
    return best && { line0: best.line0, column0: best.column0 };
  }

  /** Numbered source lines around a place that `original` gave; undefined when that source's text is unknown. */
  frameAround(place: OriginalPlace): string | undefined {
    const text = place.mapped ? this.sourceText(place.file) : this.text;
    return text === undefined ? undefined : codeFrame(text, place.line, place.column);
  }

  /** The text of an original file, where the source map carries it. */
  sourceText(file: string): string | undefined {
    const source = this.#map?.resolvedSources.find(name => name !== null && filePath(name) === file);
    return source && this.#map ? (sourceContentFor(this.#map, source) ?? undefined) : undefined;
  }

  /**
   * What the function around a position is called where it was written; `known` is V8's name for it, which a minifier
   * may have shortened. Undefined at the top level.
   */
  functionName(line0: number, column0: number, known = ''): string | undefined {
    if (known.length > MINIFIED_NAME) return known;
    const place = this.original(line0, column0);
    const written = place.mapped ? this.sourceText(place.file) : undefined;
    const name = written === undefined ? undefined : writtenName(written, place.line - 1, place.column - 1);
    return name ?? (known || ownerName(this.text, line0, column0));
  }

  /** The running text's line, 0-based. */
  line(line0: number): string {
    return lineText(this.text, line0);
  }
}

/** Names this short are worth a look at what was written. */
const MINIFIED_NAME = 2;

/** A definition as TypeScript writes it, which acorn can't parse: the nearest above the line. */
const DEFINITION =
  /(?:function\s*\*?\s*([\w$]+)|(?:const|let|var)\s+([\w$]+)\s*(?::[^=]+)?=\s*(?:async\s*)?(?:<[^>]*>\s*)?(?:function|\(|[\w$]+\s*=>)|^\s*(?:(?:public|private|protected|static|override|async|get|set)\s+)*([\w$]+)\s*(?:<[^>]*>)?\([^;]*$)/;
/** A callback passed to a call, on the line where it begins. */
const CALLBACK = /([\w$.]+)\(\s*((['"`])[^'"`]*\3)?[^;]*(?:=>|\bfunction\b)/;
const KEYWORDS = new Set(['if', 'for', 'while', 'switch', 'catch', 'return', 'super', 'function', 'constructor']);

function writtenName(text: string, line0: number, column0: number): string | undefined {
  const parsed = ownerName(text, line0, column0);
  if (parsed !== undefined) return parsed;
  const lines = text.split('\n', line0 + 1);
  const own = lines[line0] ?? '';
  const callback = CALLBACK.exec(own);
  const here = definedOn(own) ?? (callback ? `${callback[1]}(${callback[2] ?? ''}) callback` : undefined);
  if (here !== undefined) return here;
  let indent = indentOf(own);
  for (const line of lines.slice(0, line0).reverse()) {
    // What is indented as far stands beside it, and what closes belongs to what opened above.
    if (indentOf(line) >= indent || /^\s*(?:[)\]}]|$)/.test(line)) continue;
    indent = indentOf(line);
    const owner = CLASS.exec(line)?.[1];
    const name = owner === undefined ? definedOn(line) : `new ${owner}`;
    if (name !== undefined) return name;
  }
  return undefined;
}

/** The initial value of a class's field is made by its constructor. */
const CLASS = /^\s*(?:export\s+)?(?:default\s+)?(?:abstract\s+)?class\s+([\w$]+)/;

const indentOf = (line: string): number => line.length - line.trimStart().length;

function definedOn(line: string): string | undefined {
  const match = DEFINITION.exec(line);
  const name = match?.[1] ?? match?.[2] ?? match?.[3];
  return name && !KEYWORDS.has(name) ? name : undefined;
}

function mapOf({ sourceMap, sourceMapUrl, url }: ScriptSource): TraceMap | undefined {
  if (!sourceMap) return undefined;
  const inline = !sourceMapUrl || sourceMapUrl.startsWith('data:');
  try {
    return new TraceMap(sourceMap, inline ? url : resolved(sourceMapUrl, url));
  } catch {
    return undefined;
  }
}

function resolved(mapUrl: string, scriptUrl: string): string {
  return /^(?:[a-z]+:|\/)/i.test(mapUrl) ? mapUrl : scriptUrl.replace(/[^/\\]*$/, mapUrl);
}
