import { readFileSync } from 'node:fs';
import { type Redactor, secretValues } from '../base/redact.js';

/** Teaches the redactor the values of the target's own secret-looking environment, where the kernel shows it. */
export function learnSecretsOf(pid: number, redactor: Redactor): void {
  try {
    const pairs = readFileSync(`/proc/${pid}/environ`, 'utf8')
      .split('\0')
      .map(pair => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)] as const);
    redactor.learn(secretValues(Object.fromEntries(pairs)));
  } catch {
    // Another user's process or another system: shapes and names still hide what they know.
  }
}
