import type { Verdict } from '../model/report.js';
import type { HealthState, Severity } from '../model/severity.js';
import type { Tone } from './line.js';

type Word = Severity | HealthState | Verdict;

/** Severity has a glyph and a word; the colour only repeats them. */
const GLYPH: { readonly [W in Word]: string } = {
  info: 'i',
  healthy: '✔',
  observing: '○',
  warning: '▲',
  critical: '✖',
  inconclusive: '?',
};

const TONE: { readonly [W in Word]: Tone } = {
  info: 'dim',
  healthy: 'good',
  observing: 'accent',
  warning: 'warn',
  critical: 'bad',
  inconclusive: 'warn',
};

export const glyphOfSeverity = (word: Word): string => GLYPH[word];
export const toneOfSeverity = (word: Word): Tone => TONE[word];
