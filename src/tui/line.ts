import stringWidth from 'string-width';

/** What a span means; the theme decides how it looks. Severity also has its own glyph and word, never colour alone. */
export type Tone = 'plain' | 'dim' | 'bold' | 'accent' | 'good' | 'warn' | 'bad' | 'inverse';

export interface Span {
  readonly text: string;
  readonly tone: Tone;
}

export type Line = readonly Span[];

export const EMPTY: Line = [];

export function span(text: string, tone: Tone = 'plain'): Span {
  return { text: visible(text), tone };
}

export function line(...parts: readonly (string | Span)[]): Line {
  return parts.map(part => (typeof part === 'string' ? span(part) : part));
}

export function plain(spans: Line): string {
  return spans.map(s => s.text).join('');
}

export function widthOf(spans: Line): number {
  return spans.reduce((sum, s) => sum + stringWidth(s.text), 0);
}

/** Exactly `width` cells: cut with an ellipsis, or filled up with blanks. */
export function fit(spans: Line, width: number): Line {
  if (width <= 0) return EMPTY;
  const missing = width - widthOf(spans);
  if (missing >= 0) return missing === 0 ? spans : [...spans, { text: ' '.repeat(missing), tone: 'plain' }];
  const kept: Span[] = [];
  let left = width - 1;
  for (const s of spans) {
    const text = cut(s.text, left);
    kept.push({ ...s, text });
    left -= stringWidth(text);
    if (text !== s.text) break;
  }
  return fill([...kept, { text: '…', tone: 'dim' }], width);
}

/** A wide character that did not fit leaves one cell open. */
function fill(spans: Line, width: number): Line {
  const missing = width - widthOf(spans);
  return missing > 0 ? [...spans, { text: ' '.repeat(missing), tone: 'plain' }] : spans;
}

const segments = new Intl.Segmenter();

function cut(text: string, width: number): string {
  if (stringWidth(text) <= width) return text;
  let kept = '';
  let used = 0;
  for (const { segment } of segments.segment(text)) {
    const w = stringWidth(segment);
    if (used + w > width) break;
    kept += segment;
    used += w;
  }
  return kept;
}

/** Breaks at blanks into lines of at most `width` cells; a longer word is broken inside. */
export function wrap(text: string, width: number): string[] {
  if (width < 1) return [];
  return visible(text, true)
    .split('\n')
    .flatMap(paragraph => wrapParagraph(paragraph, width));
}

function wrapParagraph(paragraph: string, width: number): string[] {
  const lines: string[] = [];
  let current = '';
  for (const word of paragraph.split(' ')) {
    const joined = current === '' ? word : `${current} ${word}`;
    if (stringWidth(joined) <= width) {
      current = joined;
      continue;
    }
    if (current !== '') lines.push(current);
    current = word;
    while (stringWidth(current) > width) {
      const head = cut(current, width);
      lines.push(head);
      current = current.slice(head.length);
    }
  }
  return [...lines, current];
}

/** Two columns of lines as one, the left one `leftWidth` wide. */
export function beside(left: readonly Line[], right: readonly Line[], leftWidth: number, divider: Span): Line[] {
  return Array.from({ length: Math.max(left.length, right.length) }, (_, i) => [
    ...fit(left[i] ?? EMPTY, leftWidth),
    divider,
    ...(right[i] ?? EMPTY),
  ]);
}

/** Text from a target must not move the cursor or colour the screen: control characters become visible dots. */
function visible(text: string, keepNewlines = false): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: exactly those are meant
  const controls = keepNewlines ? /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g : /[\u0000-\u001f\u007f-\u009f]/g;
  return text.replace(/\t/g, '  ').replace(controls, '·');
}
