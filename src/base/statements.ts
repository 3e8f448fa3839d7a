/** A database command in one line, with `?` for everything that a caller may have written into it. */
export const withoutLiterals = (command: string): string =>
  command
    .replace(/'(?:[^'\\]|\\.|'')*(?:'|$)/g, '?')
    .replace(/\$\d+|:\w+|@\w+|\b\d+(?:\.\d+)?\b/g, '?')
    .replace(/\s+/g, ' ')
    .trim();
