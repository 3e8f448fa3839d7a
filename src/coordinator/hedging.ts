/** Words of a guess. "could not" and "appears 40 times" are facts, so those verbs need their guessing form. */
const HEDGES =
  /\b(?:probabl[ey]|likely|unlikely|perhaps|maybe|possibl[ey]|presumabl[ey]|apparently|supposedly|might|may(?! \d)|could (?:be|have|indicate|mean|cause|explain)|would (?:explain|suggest)|seem(?:s|ingly)?|appears? to|suggest(?:s|ing)?|suspect(?:ed|s)?|indicat(?:es|ing) (?:a |an )?(?:possible|potential)|potential(?:ly)?|I (?:think|believe|assume)|we (?:think|believe|assume))\b/;

/** What a target wrote is quoted, and its hedges are its own. */
const QUOTED = /`[^`]*`|"[^"]*"|“[^”]*”/g;

export interface Divided {
  readonly facts: string;
  readonly guesses: string;
}

/** Parts a text into its sentences of fact and its sentences of guess, each in their order. */
export function divideHedged(text: string): Divided {
  const sentences = text.split(/(?<=[.!?])\s+(?=[A-Z`"(])/);
  const isGuess = (sentence: string) => HEDGES.test(sentence.replace(QUOTED, ''));
  return {
    facts: sentences.filter(sentence => !isGuess(sentence)).join(' '),
    guesses: sentences.filter(isGuess).join(' '),
  };
}
