/** A source file that a sentence names. */
export interface NamedPlace {
  readonly file: string;
  /** 1-based; 1 where the sentence says none. */
  readonly line: number;
}

/** With a folder or a line: "Node.js" is a name, "lib/cart.js" and "cart.js:12" are places. */
const PLACE = /(?:[\w@.~+$-]*\/)+[\w@.~+$-]+\.[cm]?[jt]sx?\b(?::\d+)?|[\w@.$-]+\.[cm]?[jt]sx?:\d+/g;
const URL = /\bhttps?:\/\/\S+/gi;

/** The source files and lines that a text names. */
export function namedPlaces(text: string): NamedPlace[] {
  return [...text.replace(URL, ' ').matchAll(PLACE)].map(([found]) => {
    const [, file = found, line] = /^(.*?)(?::(\d+))?$/.exec(found) ?? [];
    return { file, line: Number(line ?? 1) };
  });
}
