// Text without regular expressions. An evaluate is served by an interrupt, also in the midst of a regular expression of
// the program; one that runs inside of it frees the backtracking stack of the outer one (V8's RegExpStackScope resets
// it when irregexp was interrupted at its entry), which then crashes the process. It would change RegExp.$1 as well.

const within = (char: string, from: string, to: string): boolean => char >= from && char <= to;

export const isDigit = (char: string): boolean => char.length === 1 && within(char, '0', '9');
export const isCapital = (char: string): boolean => char.length === 1 && within(char, 'A', 'Z');

/** A letter, digit or underscore of ASCII. */
export const isWordChar = (char: string): boolean =>
  char.length === 1 && (within(char, 'a', 'z') || isCapital(char) || isDigit(char) || char === '_');

export const startsCapital = (text: string): boolean => isCapital(text.charAt(0));

/** Digits and nothing else, at least one. */
export function isNumber(text: string): boolean {
  if (text === '') return false;
  for (let at = 0; at < text.length; at++) if (!isDigit(text.charAt(at))) return false;
  return true;
}

export const withoutPrefix = (text: string, prefix: string): string =>
  text.startsWith(prefix) ? text.slice(prefix.length) : text;

/** Whether the text, in any case, has one of the words (given in lower case) in it. */
export function hasWord(text: string, words: readonly string[]): boolean {
  const lower = text.toLowerCase();
  return words.some(word => lower.includes(word));
}

/** The text before the first of these characters. */
export function before(text: string, stops: string): string {
  for (let at = 0; at < text.length; at++) if (stops.includes(text.charAt(at))) return text.slice(0, at);
  return text;
}

/** Every run of blanks as one space, none at the ends. */
export function squeezed(text: string, most: number): string {
  let said = '';
  for (let at = 0; at < text.length && said.length < most; at++) {
    const char = text.charAt(at);
    if (char.trim() !== '') said += char;
    else if (said !== '' && !said.endsWith(' ')) said += ' ';
  }
  return said.trim();
}
