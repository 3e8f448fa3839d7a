/** Longer lines are cut before anything looks at them (design: messages 2048 bytes). */
export const MAX_MESSAGE = 2048;
const MAX_TEMPLATE = 160;
/** A level stands at the head of its line. */
const HEAD = 90;

export interface Line {
  readonly level: string;
  readonly message: string;
}

const PINO_LEVELS: { readonly [number: string]: string } = {
  10: 'trace',
  20: 'debug',
  30: 'info',
  40: 'warn',
  50: 'error',
  60: 'fatal',
};
const WORDS: { readonly [word: string]: string } = {
  fatal: 'fatal',
  critical: 'fatal',
  alert: 'fatal',
  emerg: 'fatal',
  error: 'error',
  err: 'error',
  warn: 'warn',
  warning: 'warn',
  notice: 'info',
  info: 'info',
  http: 'info',
  verbose: 'debug',
  debug: 'debug',
  silly: 'trace',
  trace: 'trace',
};

// biome-ignore lint/suspicious/noControlCharactersInRegex: terminal colours begin with the escape character
const COLOUR = /\u001b\[[0-9;]*m/g;
const JSON_LEVEL = /"(?:level|severity|lvl)":\s*"?(\w+)"?/i;
const JSON_MESSAGE = /"(?:msg|message)":\s*"((?:[^"\\]|\\.){1,400})/;
const LOUD_LEVEL = /(?:^|[\s[(|])(FATAL|CRITICAL|ERROR|WARN(?:ING)?|NOTICE|INFO|DEBUG|TRACE)(?=[\]\s:)|]|$)/;
const LEADING_LEVEL =
  /^(?:[[(]?\d[\d:.,TZ/+ -]*[\])]?\s*)?[[(]?(fatal|critical|error|err|warn(?:ing)?|notice|info|http|verbose|debug|silly|trace)[\])]?\s*[:|\]-]/i;
const THROWN = /^(?:Uncaught )?(?:[A-Z]\w*)?(?:Error|Exception)\b/;

/** Level and message of one line; `fallback` where the line itself doesn't say. */
export function readLine(text: string, fallback: string): Line {
  const line = text.replace(COLOUR, '');
  if (line.startsWith('{')) {
    const said = JSON_LEVEL.exec(line)?.[1]?.toLowerCase() ?? '';
    const message = JSON_MESSAGE.exec(line)?.[1];
    return { level: PINO_LEVELS[said] ?? WORDS[said] ?? fallback, message: message ?? line };
  }
  const head = line.slice(0, HEAD);
  const word = LOUD_LEVEL.exec(head)?.[1] ?? LEADING_LEVEL.exec(head)?.[1];
  const level = word === undefined ? undefined : WORDS[word.toLowerCase()];
  return { level: level ?? (THROWN.test(head) ? 'error' : fallback), message: line };
}

/** What stays the same when the same statement logs again: numbers, ids and quoted values become signs. */
export function templateOf(message: string): string {
  return message
    .slice(0, MAX_TEMPLATE * 2)
    .replace(/\b[0-9a-f]{8}-[0-9a-f-]{27}\b/gi, '<id>')
    .replace(/(["'`])(?:(?!\1).){1,120}\1/g, '<text>')
    .replace(/\b(?=[a-z_-]*\d)[\w-]{8,}\b/gi, '<id>')
    .replace(/\d+(?:[.:]\d+)*/g, '<n>')
    .replace(/\s+/g, ' ')
    .trim()
    .slice(0, MAX_TEMPLATE);
}
