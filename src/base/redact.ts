/**
 * The one place that takes secrets out of text. Known shapes, values that stand under telling names, and values of
 * the target's own environment that were learned; the same secret gets the same placeholder everywhere.
 */
export class Redactor {
  readonly #placeholders = new Map<string, string>();
  readonly #learned = new Set<string>();
  #learnedPattern: RegExp | undefined;

  /** Values to hide wherever they appear; what is too short or too common to be a secret is ignored. */
  learn(values: Iterable<string>): void {
    for (const value of values) if (isDistinctive(value)) this.#learned.add(value);
    // Longest first: a secret may contain another.
    const escaped = [...this.#learned].sort((a, b) => b.length - a.length).map(literal);
    this.#learnedPattern = escaped.length > 0 ? new RegExp(escaped.join('|'), 'g') : undefined;
  }

  redact(text: string): string {
    const known = this.#learnedPattern ? text.replace(this.#learnedPattern, secret => this.#hide(secret)) : text;
    if (!SUSPICIOUS.test(known)) return known;
    return RULES.reduce((rest, rule) => this.#apply(rest, rule), known);
  }

  /** Every string within a JSON-like value; what held no secret is returned as it is, not copied. */
  deep<T>(value: T): T {
    // The shape stays the same: only strings change, and they stay strings.
    return this.#deep(value, '') as T;
  }

  /** Puts the true words back, for an answer that came from outside. */
  restore(text: string): string {
    if (!text.includes('[secret-')) return text;
    return [...this.#placeholders].reduce((rest, [secret, placeholder]) => rest.replaceAll(placeholder, secret), text);
  }

  #hide(secret: string): string {
    const known = this.#placeholders.get(secret) ?? `[secret-${this.#placeholders.size + 1}]`;
    this.#placeholders.set(secret, known);
    return known;
  }

  #apply(text: string, { pattern, accept }: Rule): string {
    return text.replace(pattern, (...match) => {
      const whole: string = match[0];
      // The last argument holds the named groups.
      const { before = '', secret = whole } = match.at(-1) as { before?: string; secret?: string };
      if (secret.startsWith('[secret-') || accept?.(secret, before) === false) return whole;
      return before + this.#hide(secret) + whole.slice(before.length + secret.length);
    });
  }

  #deep(value: unknown, key: string): unknown {
    if (typeof value === 'string') return this.#string(value, key);
    if (Array.isArray(value)) return this.#list(value, key);
    if (typeof value !== 'object' || value === null || Object.getPrototypeOf(value) !== Object.prototype) return value;
    let changed = false;
    const entries = Object.entries(value).map(([name, item]) => {
      const clean = this.#deep(item, name);
      changed ||= clean !== item;
      return [name, clean] as const;
    });
    return changed ? Object.fromEntries(entries) : value;
  }

  #list(list: readonly unknown[], key: string): unknown {
    // Long lists of numbers (a profile's samples) hold no text.
    if (typeof list[0] === 'number') return list;
    const clean = list.map(item => this.#deep(item, key));
    return clean.some((item, i) => item !== list[i]) ? clean : list;
  }

  #string(text: string, key: string): string {
    // A traced expression is a key too: `user.password`.
    const isSecret = SECRET_KEY.test(key.slice(key.lastIndexOf('.') + 1)) && isValue(text);
    return isSecret && !text.startsWith('[secret-') ? this.#hide(text) : this.redact(text);
  }
}

/** Values of an environment whose names say that they are secret, and passwords within connection strings. */
export function secretValues(env: { readonly [name: string]: string | undefined }): string[] {
  return Object.entries(env).flatMap(([name, value]) => {
    if (value === undefined) return [];
    const password = /^[a-z][a-z0-9+.-]*:\/\/[^/\s:@]*:([^@/\s]+)@/i.exec(value)?.[1];
    return [...(SECRET_ENV.test(name) ? [value] : []), ...(password === undefined ? [] : [password])];
  });
}

interface Rule {
  /** Groups: `before` stays, `secret` goes; without groups all of it goes. */
  readonly pattern: RegExp;
  accept?(secret: string, before: string): boolean;
}

const NAME =
  '[\\w-]*(?:password|passwd|passphrase|secret|api[_-]?key|access[_-]?key|private[_-]?key|(?:auth|access|refresh|id|session|bearer)[_-]?token|credentials?)|token|pwd|pass|session[_-]?id';
const SECRET_KEY = new RegExp(`^(?:${NAME}|authorization|cookie|set-cookie)$`, 'i');
const SECRET_ENV =
  /PASS(?:WORD|WD|PHRASE)?$|SECRET|TOKEN|API_?KEY|PRIVATE_?KEY|ACCESS_?KEY|CREDENTIAL|_KEY$|_PWD$|_DSN$|SALT$/i;

/** Cheap and over-inclusive: most text holds none of these and is done. */
const SUSPICIOUS =
  /pass|pwd|secret|token|key|authorization|cookie|credential|session|:\/\/[^\s/]*@|eyJ|PRIVATE|bearer|basic |[rs]k[-_]|gh[pousr]_|xox|AKIA|ASIA|AIza|npm_|glpat|whsec|\d{4}[ -]?\d{4}/i;

const RULES: readonly Rule[] = [
  { pattern: /-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)/g },
  { pattern: /\b(?<before>[a-z][a-z0-9+.-]*:\/\/[^/\s:@]*:)(?<secret>[^@/\s]+)(?=@)/gi },
  { pattern: /\beyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]{8,}/g },
  { pattern: /\bgh[pousr]_\w{30,}|\bgithub_pat_\w{30,}|\bglpat-[\w-]{20,}|\bnpm_[A-Za-z0-9]{36}\b/g },
  { pattern: /\b(?:AKIA|ASIA)[A-Z0-9]{16}\b|\bAIza[\w-]{35}/g },
  { pattern: /\bxox[abprs]-[\w-]{10,}|\bwhsec_\w{16,}|\b[rs]k_(?:live|test)_\w{16,}/g },
  { pattern: /\bsk-(?:ant-|proj-)?[A-Za-z0-9_-]{20,}/g, accept: secret => /\d/.test(secret) },
  { pattern: /(?<before>\b(?:bearer|basic)\s+)(?<secret>[\w+/=.~-]{8,})/gi, accept: secret => /\d|=$/.test(secret) },
  { pattern: /(?<before>\b(?:set-)?cookie\s*:\s*)(?<secret>[^\r\n'"]+)/gi, accept: secret => secret.includes('=') },
  {
    // password: "hunter2", 'apiKey' = 'x', "token":"y"
    pattern: new RegExp(
      `(?<before>(?<![\\w-])["'\`]?(?:${NAME})\\\\?["'\`]?\\s*[:=]\\s*\\\\?["'\`])(?<secret>[^"'\`\\s\\\\]{3,})(?=\\\\?["'\`])`,
      'gi',
    ),
    accept: isValue,
  },
  {
    // ?token=abc123, PASSWORD=hunter2
    pattern: new RegExp(`(?<before>(?<![\\w-])(?:${NAME})=)(?<secret>[^\\s&;,'"\`(){}<>[\\]|]{3,})(?![\\w(])`, 'gi'),
    accept: secret => isValue(secret) && !/^[A-Za-z_$][\w$]*(?:\??\.[\w$]+)+$/.test(secret),
  },
  {
    // "token: 8f3a9c0d", in a log line; a word alone ("Unexpected token: identifier") is none
    pattern: new RegExp(`(?<before>(?<![\\w-])(?:${NAME})\\s*:\\s+)(?<secret>[^\\s,;'"\`(){}<>[\\]]{6,})`, 'gi'),
    accept: secret => /\d/.test(secret) && /[a-z]/i.test(secret) && isValue(secret),
  },
  {
    // Card numbers: 15 or 16 digits with a valid check digit.
    pattern: /(?<![\d.-])[3-6]\d{3}([ -]?)\d{4}\1\d{4}\1\d{3,4}(?![\d.-])/g,
    accept: isCardNumber,
  },
];

/** Templates, type names and prose are no values. */
function isValue(text: string): boolean {
  return (
    text.length >= 3 &&
    !/\s|\$\{|^(?:string|number|boolean|null|undefined|true|false|required|process\.env.*|\*+|x+|\[.*)$/i.test(text)
  );
}

/** A value that would be hidden everywhere must not be a word that reports need ("postgres", "production"). */
function isDistinctive(value: string): boolean {
  if (value.length < 6 || /\s/.test(value.trim()) || /^[\d.:]+$/.test(value)) return false;
  return !/^[a-z-]{1,15}$/i.test(value) && !/^(?:\.{0,2}\/|[A-Z]:\\)/.test(value);
}

function isCardNumber(text: string): boolean {
  const digits = [...text.replace(/\D/g, '')].reverse().map(Number);
  const sum = digits.reduce((all, digit, i) => all + (i % 2 === 0 ? digit : digit > 4 ? digit * 2 - 9 : digit * 2), 0);
  return sum % 10 === 0;
}

const literal = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
